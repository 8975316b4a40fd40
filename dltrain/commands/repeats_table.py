"""How are the repeats of a run laid out for a person, without what trains them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dltrain.evaluation.table import make_repeats_table
from dltrain.runs.repeats import find_mean_headline


def show_repeats(console: Console, document: Mapping[str, Any]) -> None:
    """Print a line a repeat, and what they gave together; `document` is as in repeats.json."""
    console.print(_make_list(document))
    for split, scores in document["splits"].items():
        console.print(make_repeats_table(scores, split=split, repeats=document["done"]))


def _make_list(document: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    headline = find_mean_headline(document["splits"])
    values = iter(headline[2]["values"] if headline else ())
    table.add_column("repeat", justify="right", no_wrap=True)
    table.add_column("seed", justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    table.add_column("epochs", justify="right", no_wrap=True)
    table.add_column("best epoch", justify="right", no_wrap=True)
    if headline:
        table.add_column(f"{headline[0]} {headline[1]}", justify="right", no_wrap=True)
    for row in document["repeats"]:
        is_done = row["state"] == "finished"
        cut = " (--max-seconds)" if row["stopped_by"] == "max_seconds" else ""
        cells: list[str | Text] = [
            str(row["repeat"]),
            str(row["seed"]),
            Text(row["state"] + cut),
            str(row["epochs"]) if row["state"] != "to do" else "-",
            str(row["best_epoch"]) if row["best_epoch"] else "-",
        ]
        if headline:
            value = next(values, None) if is_done else None
            cells.append("-" if value is None else f"{value:.4f}")
        table.add_row(*cells)
    return table
