"""How does `dltrain sweep show` print a sweep? The trials, best first, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dltrain.sweep.result import find_row, sort_rows
from dltrain.sweep.space import format_value
from dltrain.sweep.words import format_results, shorten_names


def show_sweep(root: Path, document: Mapping[str, Any]) -> None:
    """Print the trials, best first, and the best of them."""
    console = Console(highlight=False)
    wrap = not console.is_terminal
    rows = sort_rows(document)
    names = list(dict.fromkeys(key for row in rows for key in row["values"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("trial", justify="right")
    table.add_column("state")
    for metric in document["metric"]:
        table.add_column(metric, justify="right")
    table.add_column("epochs", justify="right")
    for name in shorten_names(names):
        table.add_column(name, overflow="fold")
    for row in rows:
        results = row["results"] or [None] * len(document["metric"])
        table.add_row(
            str(row["trial"]),
            row["state"],
            *("" if value is None else format_results([value]) for value in results),
            str(row["epochs"]),
            *(format_value(row["values"][name]) if name in row["values"] else "" for name in names),
        )
    console.print(table)
    for row in rows:
        if row["reason"]:
            reason = f"trial {row['trial']} failed: {row['reason']}"
            console.print(reason, markup=False, soft_wrap=wrap)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines = [f"{root}: {len(rows)} of {document['goal']} trials ({said or 'none'})"]
    if document["reason"]:
        lines[0] += f"; {document['reason']}"
    if document["best"] is not None:
        best = find_row(document, document["best"])
        values = zip(document["metric"], best["results"], strict=True)
        told = ", ".join(f"{metric} {format_results([value])}" for metric, value in values)
        if document["test"]:
            told += f"; test {document['test']['metric']} {document['test']['value']:.4f}"
        lines.append(f"best: trial {best['trial']}, {told}")
        if len(document["front"]) > 1 and len(document["metric"]) > 1:
            front = ", ".join(str(trial) for trial in document["front"])
            lines.append(f"not beaten in every objective: trials {front}")
        lines.append(f"train it again: dltrain fit {root / 'best.yaml'}")
    for line in lines:
        console.print(line, markup=False, soft_wrap=wrap)
