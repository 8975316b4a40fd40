"""How is a comparison laid out in a terminal of 80 columns?

Two runs stand side by side with the difference beside them, up to five with it below; of more,
each is a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dltrain.commands.runs import format_seconds
from dltrain.comparison.compare import FEW
from dltrain.comparison.config_rows import ConfigRow, tabulate_configs
from dltrain.comparison.metrics import METRICS
from dltrain.comparison.result import Change, ComparedRun, Comparison
from dltrain.comparison.words import (
    MEANING,
    describe_method,
    format_difference,
    format_p,
    format_size,
)
from dltrain.escaping import escape_unprintable
from dltrain.evaluation.shown_metrics import format_value
from dltrain.evaluation.table import format_interval, make_plain_table

_NOTHING = "-"


def print_comparison(comparison: Comparison) -> None:
    """Print the tables of `comparison` to stdout."""
    console = Console(highlight=False)
    rows = tabulate_configs(comparison.runs)
    if len(comparison.runs) > FEW:
        _print(console, _title(comparison), _make_ranking(comparison))
    else:
        for letter, run in zip(_letters(comparison), comparison.runs, strict=True):
            what = " (baseline)" if run is comparison.first else ""
            console.print(Text(escape_unprintable(f"{letter}: {run.label}{what}")), soft_wrap=True)
        console.print()
        if comparison.metrics:
            few = len(comparison.runs) == 2
            table = (_make_pair_table if few else _make_side_by_side)(comparison)
            _print(console, _title(comparison), table)
        _print(console, "cost", _make_cost_table(comparison))
    if rows and len(comparison.runs) > FEW:
        title = f"what differs from the config of {comparison.first.label}"
        _print(console, title, _make_difference_list(comparison, rows))
    elif rows:
        _print(console, "what differs in the configs", _make_config_table(comparison, rows))
    elif all(run.config_differences is not None for run in comparison.runs):
        console.print("The configs mean the same.\n")
    if method := describe_method(comparison):
        marked = "" if len(comparison.runs) == 2 else " It is marked *."
        console.print(Text(f"{method}{marked}\n{MEANING}"))


def _print(console: Console, title: str, table: Table) -> None:
    """Print a table below its title: one of Rich's own would be folded to the table's width."""
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(table)


def _letters(comparison: Comparison) -> list[str]:
    return [chr(ord("A") + place) for place in range(len(comparison.runs))]


def _title(comparison: Comparison) -> str:
    rows = {run.rows for run in comparison.runs if run.rows is not None}
    title = f"{comparison.split}: {rows.pop():,} rows" if len(rows) == 1 else str(comparison.split)
    if len(comparison.runs) == 2:
        return title
    if len(comparison.runs) > FEW:
        return f"{title}, {len(comparison.runs)} runs, differences to {comparison.first.label}"
    first = _letters(comparison)[comparison.baseline]
    return f"{title}; below each value the difference to {first}, and p"


def _make_pair_table(comparison: Comparison) -> Table:
    """Return metric, both values, the difference with its interval, p, and what to make of it."""
    table = make_plain_table(title="")
    other = comparison.runs[1 - comparison.baseline]
    letters = _letters(comparison)
    sign = f"{letters[1 - comparison.baseline]} - {letters[comparison.baseline]}"
    table.add_column("metric", no_wrap=True)
    for heading in (*letters, sign):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("p <\n0.05", no_wrap=True)
    for name in comparison.metrics:
        change = other.changes.get(name)
        values = [Text(_format_metric(run, name)) for run in comparison.runs]
        interval = {"low": change and change.low, "high": change and change.high}
        table.add_row(
            METRICS[name].label,
            *values,
            format_difference(change),
            format_interval(interval),
            format_p(change),
            _format_verdict(change),
        )
    return table


def _make_side_by_side(comparison: Comparison) -> Table:
    """Return a column a run; below each value the difference to the baseline, and p."""
    table = make_plain_table(title="")
    table.add_column("metric", no_wrap=True)
    for letter in _letters(comparison):
        table.add_column(letter, justify="right", no_wrap=True)
    for name in comparison.metrics:
        cells = []
        for run in comparison.runs:
            lines = [_format_metric(run, name)]
            change = run.changes.get(name)
            if change is not None:
                lines.append(format_difference(change))
                if change.p is not None:
                    star = " *" if change.more_than_chance else ""
                    lines.append(f"p {format_p(change)}{star}")
            cells.append(Text("\n".join(lines)))
        table.add_row(METRICS[name].label, *cells)
    return table


_COSTS: dict[str, Callable[[ComparedRun], str]] = {
    "best epoch": lambda run: (
        f"{run.contents.best_epoch or _NOTHING}/"
        f"{_NOTHING if run.contents.epochs is None else run.contents.epochs}"
    ),
    "training": lambda run: _format_seconds(run.contents.train_seconds),
    "parameters": lambda run: (
        _NOTHING if run.contents.parameters is None else f"{run.contents.parameters:,}"
    ),
    "model file": lambda run: format_size(run.contents.model_bytes),
}


def _make_cost_table(comparison: Comparison) -> Table:
    table = make_plain_table(title="")
    table.add_column("", no_wrap=True)
    for letter in _letters(comparison):
        table.add_column(letter, justify="right", no_wrap=True)
    for label, describe in _COSTS.items():
        table.add_row(label, *(describe(run) for run in comparison.runs))
    return table


def _make_config_table(comparison: Comparison, rows: Sequence[ConfigRow]) -> Table:
    table = make_plain_table(title="")
    for heading in ("key", *_letters(comparison)):
        table.add_column(heading, overflow="fold")
    for row in rows:
        # What is as in the baseline is dim where there are colours.
        cells = [
            Text(escape_unprintable(value or _NOTHING), style="" if row.differs(place) else "dim")
            for place, value in enumerate(row.values)
        ]
        table.add_row(Text(escape_unprintable(row.key)), *cells)
    return table


def _make_ranking(comparison: Comparison) -> Table:
    """Return a row a run, the best first."""
    name = comparison.headline
    table = make_plain_table(title="")
    table.add_column("run", overflow="fold")
    if name is not None:
        table.add_column(METRICS[name].label, justify="right", no_wrap=True)
        table.add_column("difference", justify="right", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
    for heading in ("training", "parameters"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in comparison.runs:
        cells = [Text(escape_unprintable(run.label))]
        if name is not None:
            change = run.changes.get(name)
            mark = " *" if change and change.more_than_chance else "  "
            is_first = run is comparison.first
            cells.append(Text(_format_metric(run, name)))
            cells.append(Text("baseline" if is_first else format_difference(change)))
            cells.append(Text("" if is_first else format_p(change) + mark))
        costs = (_COSTS[label](run) for label in ("training", "parameters"))
        table.add_row(*cells, *costs, style="bold" if run is comparison.first else "")
    return table


def _make_difference_list(comparison: Comparison, rows: Sequence[ConfigRow]) -> Table:
    """Return, for each run, what its config has that the baseline's hasn't."""
    table = make_plain_table(title="")
    table.add_column("run", overflow="fold", min_width=16)
    table.add_column("config", overflow="fold")
    for place, run in enumerate(comparison.runs):
        if run is comparison.first:
            continue
        parts = [f"{row.key}: {row.values[place]}" for row in rows if row.differs(place)]
        text = ", ".join(parts) or "nothing"
        if run.config_differences is None:
            text = "not known"
        table.add_row(Text(escape_unprintable(run.label)), Text(escape_unprintable(text)))
    return table


def _format_metric(run: ComparedRun, name: str) -> str:
    return format_value(run.value(name)) if name in run.values else _NOTHING


def _format_verdict(change: Change | None) -> Text:
    if change is None or change.more_than_chance is None:
        return Text(_NOTHING)
    return Text("yes", style="bold") if change.more_than_chance else Text("no")


def _format_seconds(seconds: float | None) -> str:
    if seconds is None:
        return _NOTHING
    return f"{seconds:.1f}s" if seconds < 9.95 else format_seconds(seconds)
