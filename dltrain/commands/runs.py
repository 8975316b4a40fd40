"""`dltrain runs`: which runs are there, and how did each go?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.options import RunsDirOption
from dltrain.runs.atomic import to_json
from dltrain.runs.layout import DEFAULT_ROOT
from dltrain.runs.listing import RunSummary, list_runs

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {
    "finished": "green",
    "running": "cyan",
    "interrupted": "yellow",
    "failed": "red",
    "killed": "red",
    "damaged": "red",
}


def runs(
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the runs, newest first: status, headline metric, epochs, time."""
    summaries = list_runs(runs_dir)
    if as_json:
        typer.echo(to_json([_describe(summary) for summary in summaries]))
        return
    if not summaries:
        typer.echo(
            f"There are no runs in {runs_dir}. Train one with `dltrain fit CONFIG`, "
            "or name another folder with --runs-dir.",
            err=True,
        )
        return
    from rich.console import Console

    console = Console()
    console.print(_make_table(summaries))
    for summary in summaries:
        if summary.reason and summary.state != "finished":
            line = f"{summary.label} {summary.state}: {summary.reason}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _describe(summary: RunSummary) -> dict[str, Any]:
    """Return the JSON-able row of one run."""
    return {
        "run": summary.label,
        "path": str(summary.path),
        "name": summary.name,
        "number": summary.number,
        "status": summary.state,
        "reason": summary.reason,
        "split": summary.split,
        "metric": summary.metric,
        "value": summary.value,
        "std": summary.std,
        "epochs_done": summary.epochs_done,
        "epochs_goal": summary.epochs_goal,
        "seconds": summary.seconds,
        "started_at": summary.started_at,
        "repeats_done": summary.repeats_done,
        "repeats_goal": summary.repeats_goal,
    }


def _make_table(summaries: list[RunSummary]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    # Whole, so that it can be copied into `dltrain eval`; only a very long one is folded.
    longest = max(len(summary.label) for summary in summaries)
    table.add_column("run", overflow="fold", min_width=min(longest, 24))
    table.add_column("status", no_wrap=True)
    table.add_column("result", overflow="fold")
    table.add_column("epochs", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("started", no_wrap=True)
    for summary in summaries:
        table.add_row(
            Text(summary.label),
            Text(summary.state, style=_STYLES[summary.state]),
            Text(_format_result(summary)),
            f"{summary.epochs_done}/{summary.epochs_goal}" if summary.started_at else "-",
            "-" if summary.seconds is None else format_seconds(summary.seconds),
            _format_start(summary.started_at),
        )
    return table


def format_seconds(seconds: float) -> str:
    """Return a duration in two units, short enough for a column: `8s`, `3m20s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def _format_result(summary: RunSummary) -> str:
    if summary.metric is None or summary.value is None:
        return "-"
    # The test split goes without saying; any other is named.
    where = "" if summary.split == "test" else f" ({summary.split})"
    spread = "" if summary.std is None else f" ± {summary.std:.4f}"
    of = "" if summary.repeats_goal is None else f", {summary.repeats_done} repeats"
    return f"{summary.metric} {summary.value:.4f}{spread}{where}{of}"


def _format_start(started_at: str | None) -> str:
    """Return a UTC time as this machine's own: `11-24 02:32`."""
    if started_at is None:
        return "-"
    return datetime.fromisoformat(started_at).astimezone().strftime("%m-%d %H:%M")
