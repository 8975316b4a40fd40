"""`dltrain eval`: how good is the best model of a run?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.runs.layout import DEFAULT_ROOT


class SplitChoice(StrEnum):
    """The splits that `--split` takes."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


def evaluate(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run directory, NAME/0001, or NAME for its latest run."
        ),
    ],
    split: Annotated[SplitChoice, typer.Option("--split", help="Which rows.")] = SplitChoice.TEST,
    runs_dir: Annotated[
        Path, typer.Option("--runs-dir", help="The folder that holds the runs.")
    ] = DEFAULT_ROOT,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of every error.")
    ] = False,
) -> None:
    """Evaluate the best model of RUN: accuracy, precision, recall, F1, AUC-ROC, or the errors."""
    from dltrain.commands.training_view import TrainingView
    from dltrain.data.store import is_offline, resolve_data_dir
    from dltrain.runs.atomic import to_json
    from dltrain.runs.find import resolve_run
    from dltrain.training.evaluate import evaluate_run

    result = evaluate_run(
        resolve_run(run, root=runs_dir),
        split=split.value,
        data_dir=resolve_data_dir(data_dir),
        offline=is_offline(offline),
        device=device.value,
        listener=TrainingView(),
    )
    if result.agrees is False:
        typer.echo(
            f"note: these numbers differ from those in {result.paths.metrics}: another machine, "
            "device or version computed them.",
            err=True,
        )
    if as_json:
        typer.echo(to_json({"run": str(result.paths.root), "split": split.value, **result.scores}))
        return
    from rich.console import Console

    from dltrain.evaluation.table import (
        make_class_table,
        make_confusion_table,
        make_results_table,
    )

    console = Console(highlight=False)
    console.print(make_results_table(result.scores, split=split.value))
    if "per_class" in result.scores:
        console.print(make_class_table(result.scores))
        console.print(make_confusion_table(result.scores))
    typer.echo(f"written to {result.written_to}")
