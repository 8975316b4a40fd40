"""How does a comparison look as one self-contained HTML page, the curves overlaid?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.comparison.compare import FEW
from dltrain.comparison.config_rows import tabulate_configs
from dltrain.comparison.metrics import METRICS
from dltrain.comparison.result import Change, ComparedRun, Comparison
from dltrain.comparison.words import (
    MEANING,
    describe_method,
    format_difference,
    format_p,
    format_size,
    list_notes,
)
from dltrain.evaluation.shown_metrics import format_value
from dltrain.evaluation.table import format_interval
from dltrain.report.charts import COLOURS, Axis, Chart, Series, make_chart
from dltrain.report.page import render_page

# As many lines as there are colours that can be told apart.
MOST_CURVES = len(COLOURS)

_NO_CURVES = ("epoch", "seconds")


@dataclass(frozen=True)
class Cell:
    """What a table shows: `text`, below it `details`, and the number by which it is sorted."""

    text: str
    details: tuple[str, ...] = ()
    value: float | None = None
    marked: bool = False


def make_comparison_page(comparison: Comparison) -> str:
    """Return the page: what was found, every number with its test, the curves, costs and configs.

    Of many runs the curves are those of the baseline and of the best.
    """
    drawn = _choose_drawn(comparison)
    charts = _make_charts(drawn)
    labels = [run.label for run in comparison.runs]
    # Of two runs the title is all that a browser's tab shows: it names both.
    others = f"{len(labels) - 1} runs"
    if len(labels) == 2:
        others = comparison.runs[1 - comparison.baseline].label
    return render_page(
        "comparison.html",
        title=f"{others} compared with {comparison.first.label}",
        charts=charts,
        split=comparison.split,
        baseline=comparison.first.label,
        labels=labels,
        notes=list_notes(comparison),
        method=describe_method(comparison),
        meaning=MEANING.replace("`", ""),
        metrics=[METRICS[name].label for name in comparison.metrics],
        numbers=[_list_numbers(run, comparison) for run in comparison.runs],
        costs=[_list_costs(run) for run in comparison.runs],
        configs=tabulate_configs(comparison.runs),
        configs_known=all(run.config_differences is not None for run in comparison.runs),
        left_out=len(labels) - len(drawn),
    )


def _list_numbers(run: ComparedRun, comparison: Comparison) -> list[Cell]:
    cells = []
    few = len(comparison.runs) <= FEW
    for name in comparison.metrics:
        if name not in run.values:
            cells.append(Cell("–"))
            continue
        value, change = run.value(name), run.changes.get(name)
        details = _describe_change(change)
        cells.append(
            Cell(
                format_value(value),
                # Many runs are a long table: one line below each value keeps it half as long.
                details=details if few or not details else (" ".join(details),),
                value=value,
                marked=bool(change and change.more_than_chance),
            )
        )
    return cells


def _describe_change(change: Change | None) -> tuple[str, ...]:
    if change is None:
        return ()
    if change.adjusted_p is None:
        return (format_difference(change),)
    # No-break spaces: three lines a value, not four.
    interval = format_interval({"low": change.low, "high": change.high}).replace(" ", "\xa0")
    return format_difference(change), f"({interval})", f"p {format_p(change)}"


def _list_costs(run: ComparedRun) -> list[Cell]:
    contents = run.contents
    seconds, parameters, size = contents.train_seconds, contents.parameters, contents.model_bytes
    best, epochs = contents.best_epoch, contents.epochs
    return [
        Cell("–" if best is None else str(best), value=best),
        Cell("–" if epochs is None else str(epochs), value=epochs),
        Cell("–" if seconds is None else f"{seconds:,.1f} s", value=seconds),
        Cell("–" if parameters is None else f"{parameters:,}", value=parameters),
        Cell(format_size(size), value=size),
    ]


def _choose_drawn(comparison: Comparison) -> list[ComparedRun]:
    """Return the baseline and the runs that come first, as many as there are colours."""
    others = [run for run in comparison.runs if run is not comparison.first]
    kept = [comparison.first, *others[: MOST_CURVES - 1]]
    return [run for run in comparison.runs if any(run is one for one in kept)]


def _make_charts(runs: Sequence[ComparedRun]) -> list[Chart]:
    """Return a chart for each column of the histories, those of the validation split first."""
    columns = dict.fromkeys(
        name
        for run in runs
        for row in run.contents.history
        for name in row
        if name not in _NO_CURVES
    )
    ordered = sorted(columns, key=lambda name: not name.startswith("val_"))
    return [_draw(f"curve-{place}", name, runs) for place, name in enumerate(ordered)]


def _draw(name: str, column: str, runs: Sequence[ComparedRun]) -> Chart:
    histories = [
        {int(row["epoch"]): row[column] for row in run.contents.history if column in row}
        for run in runs
    ]
    epochs = sorted({epoch for history in histories for epoch in history})
    series = [
        Series(run.label, [history.get(epoch) for epoch in epochs])
        for run, history in zip(runs, histories, strict=True)
        if history
    ]
    last = max(epochs)
    return make_chart(
        name,
        column,
        x=Axis("epoch", scale="whole"),
        y=Axis(column),
        xs=epochs,
        series=series,
        summary=f"{column} of {len(series)} runs over {last} epochs",
    )
