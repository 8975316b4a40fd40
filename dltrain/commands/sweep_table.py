"""How is a sweep printed that has ended, or stands still? The trials, best first, and the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dltrain.escaping import escape_unprintable
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.finalists import find_finalist, sort_finalists
from dltrain.sweep.result import describe_elsewhere, find_row, sort_rows
from dltrain.sweep.words import (
    describe_short,
    format_means,
    format_results,
    format_short,
    shorten_names,
)

# In a file or a pipe a row is one line, however long.
_UNLIMITED = 100_000

_GAP = 2


def show_sweep(paths: SweepPaths, document: Mapping[str, Any]) -> None:
    """Print the trials, those trained with other seeds, the best, and where its files are."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    console.print(make_trial_table(document, width=console.width))
    for row in sort_rows(document):
        if row["reason"]:
            _print(console, f"trial {row['trial']} failed: {row['reason']}")
    if document["retrained"]:
        console.print()
        console.print(make_finalist_table(document, width=console.width))
        for line in _list_failures(document["retrained"]):
            _print(console, line)
        console.print()
    for line in _list_last_lines(paths, document):
        _print(console, line)


def make_trial_table(document: Mapping[str, Any], *, width: int) -> Table:
    """Return the table of the trials, best first: a column for each value that varies.

    Where that is wider than `width` the values stand in one column, as `units=64, rate=0.1`.
    """
    rows = sort_rows(document)
    names = list(dict.fromkeys(key for row in rows for key in row["values"]))
    heads = ["trial", "state", *document["metric"], "epochs"]
    cells = [_list_cells(row, len(document["metric"])) for row in rows]
    values = [
        [_format(row["values"][name]) if name in row["values"] else "" for name in names]
        for row in rows
    ]
    short = shorten_names(names)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 1 else "right", no_wrap=True)
    taken = _measure(heads, cells)
    if taken + _measure(short, values) <= width:
        for head in short:
            table.add_column(head, no_wrap=True)
        for row, beside in zip(cells, values, strict=True):
            table.add_row(*map(Text, [*row, *beside]))
        return table
    table.add_column("values", overflow="fold", max_width=max(16, width - taken))
    for row, whole in zip(cells, rows, strict=True):
        table.add_row(*map(Text, [*row, describe_short(whole["values"])]))
    return table


def _list_cells(row: Mapping[str, Any], objectives: int) -> list[str]:
    results = row["results"] or [None] * objectives
    gave = ["" if value is None else format_results([value]) for value in results]
    return [str(row["trial"]), row["state"], *gave, str(row["epochs"])]


def _measure(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the columns that a table takes with its cells unbroken, the gaps included."""
    return sum(
        max(map(len, [head, *(line for row in rows for line in row[place].split("\n"))])) + _GAP
        for place, head in enumerate(heads)
    )


def make_finalist_table(document: Mapping[str, Any], *, width: int) -> Table:
    """Return the trials that were trained again, best first: each objective's mean, and each run.

    Where that is wider than `width` the runs are left out.
    """
    retrained, metrics = document["retrained"], document["metric"]
    heads = ["trial", *(f"{metric} ± sd" for metric in metrics), "in the search"]
    heads += [f"seed {seed}" for seed in retrained["seeds"]]
    rows, styles = [], []
    for row in sort_finalists(document):
        means = format_means(row) if row["mean"] else ["–"] * len(metrics)
        search = find_row(document, row["trial"])["results"]
        runs = [_stack(run["results"]) if run["results"] else run["state"] for run in row["runs"]]
        rows.append([str(row["trial"]), *means, _stack(search), *runs])
        styles.append("bold" if row["trial"] == retrained["winner"] else "")
    if _measure(heads, rows) > width:
        heads = heads[: -len(retrained["seeds"])]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for cells, style in zip(rows, styles, strict=True):
        table.add_row(*cells[: len(heads)], style=style)
    return table


def _stack(results: Sequence[float]) -> str:
    """Return the objectives below each other."""
    return "\n".join(format_results([value]) for value in results)


def _list_failures(retrained: Mapping[str, Any]) -> list[str]:
    lines = [
        f"trial {row['trial']} failed with seed {run['seed']}: {run['reason']}"
        for row in retrained["trials"]
        for run in row["runs"]
        if run["reason"]
    ]
    ended = all(
        run["state"] in ("finished", "failed") for row in retrained["trials"] for run in row["runs"]
    )
    if ended and retrained["winner"] is None:
        lines.append("Each failed with one of the seeds: the best is that of the search.")
    return lines


def _list_last_lines(paths: SweepPaths, document: Mapping[str, Any]) -> list[str]:
    rows = document["trials"]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines = [f"{paths.root}: {len(rows)} of {document['goal']} trials ({said or 'none'})"]
    if document["reason"]:
        lines[0] += f"; {document['reason']}"
    if document["best"] is not None:
        lines.append(_describe_best(document))
        if len(document["front"]) > 1 and len(document["metric"]) > 1:
            front = ", ".join(str(trial) for trial in document["front"])
            lines.append(f"not beaten in every objective: trials {front}")
        lines.append(f"train it again: dltrain fit {paths.best}")
    lines += describe_elsewhere(document)
    if paths.report.is_file():
        lines.append(f"its plots: {paths.report}")
    return lines


def _describe_best(document: Mapping[str, Any]) -> str:
    best = find_row(document, document["best"])
    finalist = find_finalist(document["retrained"], best["trial"])
    told = [format_results([value]) for value in best["results"]]
    over = ""
    if finalist is not None:
        told, over = format_means(finalist), f" over {len(finalist['runs'])} other seeds"
    values = zip(document["metric"], told, strict=True)
    line = (
        f"best: trial {best['trial']}, {', '.join(f'{metric} {value}' for metric, value in values)}"
    )
    line += over
    if document["test"]:
        line += f"; test {document['test']['metric']} {document['test']['value']:.4f}"
    return line


def _format(value: Any) -> str:
    return escape_unprintable(format_short(value))


def _print(console: Console, text: str) -> None:
    console.print(escape_unprintable(text), markup=False, soft_wrap=not console.is_terminal)
