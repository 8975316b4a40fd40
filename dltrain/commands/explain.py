"""`dltrain explain`: why does the model of a run say what it says?"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.eval import SplitChoice
from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.commands.options import RunArgument, RunsDirOption, VerboseOption
from dltrain.runs.layout import DEFAULT_ROOT

if TYPE_CHECKING:
    from dltrain.explanation.explained import Explanations


class BaselineChoice(StrEnum):
    """The brightness that `--baseline` takes for "nothing is there"."""

    BLACK = "black"
    GREY = "grey"
    WHITE = "white"


def explain(
    run: RunArgument,
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--rows",
            metavar="ID,…",
            help="These rows, as mistakes.json calls them: test/17,test/3. May be repeated. "
            "Default: a few right ones, and the worst mistakes.",
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="Images: saliency, integrated_gradients, grad_cam, occlusion. Texts: "
            "integrated_gradients. Tables: permutation_importance, shap. May be repeated.",
            show_default="all",
        ),
    ] = None,
    class_name: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Explain this class, not the predicted one."),
    ] = None,
    split: Annotated[SplitChoice, typer.Option("--split", help="Which rows.")] = SplitChoice.TEST,
    baseline: Annotated[
        BaselineChoice,
        typer.Option("--baseline", help="Images: what a pixel is that isn't there."),
    ] = BaselineChoice.BLACK,
    sanity: Annotated[
        bool,
        typer.Option(
            "--sanity", help="Shuffle the weights, layer by layer: do the explanations change?"
        ),
    ] = False,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print explanations.json.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Explain what the model of RUN predicts: which pixels, words or columns speak for it.

    Pictures, explanations.json and .npz go into the run's explanations/; `dltrain report` shows
    them.
    """
    from dltrain.commands.training_view import TrainingView
    from dltrain.data.store import is_offline, resolve_data_dir
    from dltrain.explanation.explain import explain_run
    from dltrain.explanation.request import Request
    from dltrain.runs.find import resolve_run

    names = [name.strip() for given in rows or () for name in given.split(",")]
    request = Request(
        split=split.value,
        rows=tuple(name for name in names if name),
        methods=tuple(dict.fromkeys(method or ())),
        class_name=class_name,
        baseline=baseline.value,
        sanity=sanity,
    )
    found, files = explain_run(
        resolve_run(run, root=runs_dir),
        request,
        data_dir=resolve_data_dir(data_dir),
        offline=is_offline(offline),
        device=device.value,
        listener=TrainingView(),
    )
    _warn_of_gaps(found)
    if as_json:
        typer.echo(files[-1].read_text(encoding="utf-8"), nl=False)
        return
    from rich.console import Console

    from dltrain.commands.explain_view import make_tables

    console = Console(highlight=False)
    for part in make_tables(found):
        console.print(part, markup=False)
    for file in files:
        typer.echo(str(file))


def _warn_of_gaps(found: Explanations) -> None:
    """Name the rows whose integrated gradients don't sum to the difference of the scores."""
    from dltrain.explanation.integrated_gradients import TOLERANCE
    from dltrain.plots.explained_images import format_gap

    for row in found.rows:
        measured = row.completeness
        if measured is not None and not measured.is_met:
            typer.echo(
                f"warning: {row.id}: integrated gradients sum to the difference of the scores only "
                f"within {format_gap(measured.gap)} after {measured.steps} steps, not within "
                f"{TOLERANCE:.0%}: take them for a hint.",
                err=True,
            )
