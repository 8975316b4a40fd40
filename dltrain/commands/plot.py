"""`dltrain plot`: what does a run look like? Its pictures, drawn again from its files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dltrain.commands.options import RunArgument, RunsDirOption, VerboseOption
from dltrain.runs.layout import DEFAULT_ROOT


class FormatChoice(StrEnum):
    """The formats that `--format` takes."""

    PNG = "png"
    SVG = "svg"


def plot(
    run: RunArgument,
    form: Annotated[
        FormatChoice | None,
        typer.Option("--format", help="Write this format only.", show_default="both"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Draw this picture; may be repeated."),
    ] = None,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    verbose: VerboseOption = False,
) -> None:
    """Draw the pictures of RUN again: curves, confusion, ROC, calibration, mistakes.

    They go into the run's plots/, made from its files alone: nothing is trained or predicted.
    """
    from dltrain.plots.draw import FORMATS, check_plots, draw_plots
    from dltrain.runs.contents import RunContents
    from dltrain.runs.find import resolve_run
    from dltrain.runs.repeats import refuse_repeats

    check_plots(only)
    paths = resolve_run(run, root=runs_dir)
    refuse_repeats(paths, doing="drawn")
    contents = RunContents(paths)
    plots = draw_plots(contents, only=only, formats=(form.value,) if form else FORMATS)
    for drawn in plots.drawn:
        for file in drawn.files:
            typer.echo(str(file))
    for skipped in plots.skipped:
        # What no run of its kind has is worth a word only where it was asked for by name.
        if only or not skipped.expected:
            typer.echo(f"{skipped.name} is not drawn: {skipped.reason}", err=True)
    for sentence in dict.fromkeys([*plots.remarks, *contents.problems]):
        if not any(sentence == skipped.reason for skipped in plots.skipped):
            typer.echo(sentence, err=True)
