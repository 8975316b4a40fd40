"""`dltrain report`: how did a run go, as a page to look at and to pass on?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dltrain.commands.completion import complete_run
from dltrain.errors import UsageError
from dltrain.runs.layout import DEFAULT_ROOT


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run directory, NAME/0001, or NAME for its latest run.",
            autocompletion=complete_run,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write it; default: report.html of RUN."),
    ] = None,
    runs_dir: Annotated[
        Path, typer.Option("--runs-dir", help="The folder that holds the runs.")
    ] = DEFAULT_ROOT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite --output.")] = False,
) -> None:
    """Write report.html of RUN: one file with its numbers, charts, mistakes and config."""
    from dltrain.report.run_page import write_report
    from dltrain.runs.contents import RunContents
    from dltrain.runs.find import resolve_run
    from dltrain.runs.repeats import refuse_repeats

    paths = resolve_run(run, root=runs_dir)
    refuse_repeats(paths, doing="shown on a page")
    contents = RunContents(paths)
    if output is not None:
        check_output(output, force=force)
    path = write_report(contents, output=output)
    for problem in contents.problems:
        typer.echo(f"note: {problem}", err=True)
    if contents.problems:
        typer.echo("The page is made of the other files, and says so.", err=True)
    typer.echo(path)


def check_output(output: Path, *, force: bool) -> None:
    """Raise UsageError if `output` can't be the new file that is asked for."""
    if output.is_dir():
        raise UsageError(f"--output: {output} is a directory; expected the path of a file.")
    if not output.parent.is_dir():
        raise UsageError(f"--output: there is no directory {output.parent}.")
    if output.exists() and not force:
        raise UsageError(
            f"--output: {output} is there already.", hint="Add --force to overwrite it."
        )
