"""What is made of a run's files as soon as it has finished? Its pictures and its report page."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from dltrain.errors import DltrainError
from dltrain.runs.layout import RunPaths

NoReportOption = Annotated[
    bool,
    typer.Option(
        "--no-report",
        envvar="DLTRAIN_NO_REPORT",
        help="Leave out plots/ and report.html; `dltrain plot` and `dltrain report` make them.",
    ),
]

# What a run of a thousand classes takes here; a usual one takes a second or two.
_NEEDED_SECONDS = 10.0


def make_pages(paths: RunPaths, *, until: float | None = None) -> None:
    """Draw `plots/` and write report.html of a finished run, from its files alone.

    Whatever goes wrong is told on stderr and nothing more: the run is whole without them. They are
    left out, and that is told, if less time is left `until` (of time.perf_counter) than they take.
    """
    again = f"dltrain plot {paths.root}; dltrain report {paths.root}"
    if until is not None and until - time.perf_counter() < _NEEDED_SECONDS:
        typer.echo(f"note: --max-seconds left no time for pictures and a report: {again}", err=True)
        return
    try:
        _make(paths)
    except DltrainError as error:
        typer.echo(f"warning: {error.message} The run is whole; afterwards: {again}", err=True)
    except Exception as error:  # a defect in a picture must not fail a training of hours
        typer.echo(
            f"warning: the pictures or the report failed ({type(error).__name__}: {error}). The "
            f"run is whole. This is a defect of dltrain; see it by: {again}",
            err=True,
        )


def _make(paths: RunPaths) -> None:
    from dltrain.plots.draw import draw_plots
    from dltrain.report.run_page import write_report
    from dltrain.runs.contents import RunContents

    contents = RunContents(paths)
    drawn = draw_plots(contents)
    for skipped in drawn.skipped:
        if not skipped.expected:
            typer.echo(f"note: plots: no {skipped.name}: {skipped.reason}", err=True)
    for remark in drawn.remarks:
        typer.echo(f"note: plots: {remark}", err=True)
    write_report(contents)
