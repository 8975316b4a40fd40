"""What does the page of a sweep say? The best, Optuna's plots, the table of trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dltrain
from dltrain.config.load import load_config
from dltrain.config.sweep import Sweep
from dltrain.errors import RunError
from dltrain.report.page import render_page
from dltrain.runs.atomic import write_text
from dltrain.runs.sweeps import SweepPaths, read_sweep_record
from dltrain.sweep.finalists import find_finalist, sort_finalists
from dltrain.sweep.plots import draw_plots, refuse_missing_plotly
from dltrain.sweep.rebuilt import rebuild_study
from dltrain.sweep.result import find_row, sort_rows
from dltrain.sweep.space import format_value
from dltrain.sweep.words import describe_short, format_means, format_results, shorten_names


@dataclass(frozen=True)
class Cell:
    """What a table shows, and the value by which it is sorted."""

    text: str
    value: float | str | None = None
    left: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a table; `chief` marks the best."""

    name: str
    number: int
    cells: tuple[Cell, ...]
    chief: bool = False


@dataclass(frozen=True)
class Finalists:
    """The table of the trials that were trained with other seeds."""

    sentence: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Headline:
    """The number that stands for the sweep, as it is printed."""

    metric: str
    value: str
    about: str
    test: str


def write_sweep_page(paths: SweepPaths, *, output: Path | None = None) -> Path:
    """Write the page of a sweep to `output` (default: its report.html), and return the path.

    Made from the sweep's files alone; it may still be at work. Raises MachineError if Plotly isn't
    installed or the place can't be written, RunError if sweep.json or config.yaml is damaged.
    """
    path = output or paths.report
    write_text(path, make_sweep_page(paths))
    return path


def make_sweep_page(paths: SweepPaths) -> str:
    """Return the page of a sweep as HTML."""
    refuse_missing_plotly()
    from plotly.offline import get_plotlyjs

    document = read_sweep_record(paths)
    sweep = load_config(paths.config).sweep
    if sweep is None:
        raise RunError(f"{paths.config} is damaged: it has no section sweep.")
    plots = draw_plots(rebuild_study(paths, sweep, document), sweep)
    keys = [each.key for each in sweep.dimensions]
    first_value = 2 + len(sweep.objectives) + 1
    return render_page(
        "sweep.html",
        title=f"{paths.label} · dltrain",
        libraries=[get_plotlyjs()] if any(plot.figure for plot in plots) else [],
        scripts=["sweep.js"],
        inline_styles=True,  # Plotly sets them
        label=paths.label,
        state=document["state"],
        reason=document["reason"],
        headline=_find_headline(document),
        best_path=paths.best,
        facts=_list_facts(sweep, document),
        finalists=_list_finalists(document),
        plots=plots,
        trial_heads=["trial", "state", *document["metric"], "epochs", *shorten_names(keys)],
        left_heads=[1, *range(first_value, first_value + len(keys))],
        trial_rows=[_make_row(row, keys, document) for row in sort_rows(document)],
        failures=[(row["trial"], row["reason"]) for row in document["trials"] if row["reason"]],
        version=dltrain.__version__,
    )


def _find_headline(document: Mapping[str, Any]) -> Headline | None:
    if document["best"] is None:
        return None
    best = find_row(document, document["best"])
    finalist = find_finalist(document["retrained"], best["trial"])
    told, over = [format_results([value]) for value in best["results"]], ""
    if finalist is not None:
        told, over = format_means(finalist), f" over {len(finalist['runs'])} other seeds"
    others = [
        f"{metric} {value}" for metric, value in zip(document["metric"][1:], told[1:], strict=True)
    ]
    also = f", with {', '.join(others)}" if others else ""
    test = document["test"]
    return Headline(
        document["metric"][0],
        told[0],
        f"trial {best['trial']}{over}{also}, with {describe_short(best['values'])}.",
        f"On the test rows: {test['metric']} {test['value']:.4f}." if test else "",
    )


def _list_finalists(document: Mapping[str, Any]) -> Finalists | None:
    retrained = document["retrained"]
    if not retrained:
        return None
    rows = []
    for row in sort_finalists(document):
        means = format_means(row) if row["mean"] else ["–"] * len(document["metric"])
        search = format_results(find_row(document, row["trial"])["results"])
        runs = [format_results(run["results"] or []) or run["state"] for run in row["runs"]]
        cells = tuple(Cell(text) for text in (*means, search, *runs))
        chief = row["trial"] == retrained["winner"]
        rows.append(Row(str(row["trial"]), row["trial"], cells, chief=chief))
    return Finalists(
        f"Of the search {_count(len(rows), 'trial')} trained again with "
        f"{_count(len(retrained['seeds']), 'other seed', verb=False)}, the same for each. The best "
        "mean wins: the search's own result counts no more, as it was chosen for being good.",
        (
            "trial",
            *(f"{metric} ± sd" for metric in document["metric"]),
            "in the search",
            *(f"seed {seed}" for seed in retrained["seeds"]),
        ),
        tuple(rows),
    )


def _count(number: int, noun: str, *, verb: bool = True) -> str:
    """Return `1 trial was`, `3 trials were`, or without the verb `3 other seeds`."""
    counted = f"{number} {noun}{'' if number == 1 else 's'}"
    return f"{counted} {'was' if number == 1 else 'were'}" if verb else counted


def _list_facts(sweep: Sweep, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    states = [row["state"] for row in document["trials"]]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return [
        ("Trials", f"{len(states)} of {document['goal']}{': ' if counts else ''}{counts}"),
        ("Method", document["method"]),
        ("Pruner", document["pruner"]),
        ("Seed", str(document["seed"])),
        ("Values that vary", str(len(sweep.dimensions))),
    ]


def _make_row(row: Mapping[str, Any], keys: list[str], document: Mapping[str, Any]) -> Row:
    results = row["results"] or [None] * len(document["metric"])
    cells = [Cell(row["state"], left=True)]
    cells += [Cell("–" if value is None else f"{value:.4f}", value) for value in results]
    cells.append(Cell(str(row["epochs"]), row["epochs"]))
    for key in keys:
        value = row["values"].get(key)
        known = key in row["values"]
        number = value if type(value) in (int, float) else format_value(value) if known else None
        cells.append(Cell(format_value(value) if known else "–", number, left=True))
    return Row(
        str(row["trial"]), row["trial"], tuple(cells), chief=row["trial"] == document["best"]
    )
