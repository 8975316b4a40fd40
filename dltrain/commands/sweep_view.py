"""What does a person see of a sweep? A line a trial as it ends, then the trials, best first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.result import describe_elsewhere
from dltrain.sweep.run import SweepListener, find_row
from dltrain.sweep.space import describe_values, format_value


class SweepView(SweepListener):
    """Show a sweep on stderr, a line for each trial that ends."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    def begin(self, paths: SweepPaths, *, goal: int, done: int) -> None:
        """Print where the sweep is."""
        before = f", {done} of them done before" if done else ""
        self._print(f"sweep {paths.root}: {goal} trials{before}")

    def end_trial(self, document: Mapping[str, Any], trial: int) -> None:
        """Print what the trial gave, and whether it is the best so far."""
        row = find_row(document, trial)
        mark = " *" if document["best"] == trial else ""
        gave = row["state"] if row["results"] is None else _format_results(row["results"])
        if row["reason"]:
            gave += f" ({row['reason']})"
        if row["at"]:
            gave += f" on {row['at']['host']}"
        counted = f"{trial}/{document['goal']}"
        self._print(f"trial {counted:>7}  {gave}{mark}  {describe_values(row['values'])}")

    def note(self, text: str) -> None:
        """Print one line."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=not self._console.is_terminal)


def show_sweep(root: Path, document: Mapping[str, Any]) -> None:
    """Print the trials, best first, and the best of them."""
    console = Console(highlight=False)
    wrap = not console.is_terminal
    rows = _sort(document)
    names = list(dict.fromkeys(key for row in rows for key in row["values"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("trial", justify="right")
    table.add_column("state")
    for metric in document["metric"]:
        table.add_column(metric, justify="right")
    table.add_column("epochs", justify="right")
    for name in _shorten(names):
        table.add_column(name, overflow="fold")
    for row in rows:
        results = row["results"] or [None] * len(document["metric"])
        table.add_row(
            str(row["trial"]),
            row["state"],
            *("" if value is None else _format_results([value]) for value in results),
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
        told = ", ".join(f"{metric} {_format_results([value])}" for metric, value in values)
        if document["test"]:
            told += f"; test {document['test']['metric']} {document['test']['value']:.4f}"
        lines.append(f"best: trial {best['trial']}, {told}")
        if len(document["front"]) > 1 and len(document["metric"]) > 1:
            front = ", ".join(str(trial) for trial in document["front"])
            lines.append(f"not beaten in every objective: trials {front}")
        lines.append(f"train it again: dltrain fit {root / 'best.yaml'}")
    lines += describe_elsewhere(document)
    for line in lines:
        console.print(line, markup=False, soft_wrap=wrap)


def _shorten(names: list[str]) -> list[str]:
    """Return the ends of dotted paths, each as short as tells it from the others."""

    def end(name: str, count: int) -> str:
        return ".".join(name.split(".")[-count:])

    found = []
    for name in names:
        count = 1
        while sum(end(other, count) == end(name, count) for other in names) > 1:
            count += 1
        found.append(end(name, count))
    return found


def _sort(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows, best first by the first objective; those without a result last."""
    sign = 1 if document["direction"][0] == "minimize" else -1

    def rank(row: Mapping[str, Any]) -> tuple[bool, float, int]:
        results = row["results"]
        return results is None, sign * results[0] if results else 0.0, row["trial"]

    return sorted(document["trials"], key=rank)


def _format_results(results: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in results)
