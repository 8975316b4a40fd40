"""`dltrain fit`: train the model of a config, and evaluate it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.config.load import load_config
from dltrain.runs.layout import DEFAULT_ROOT


class DeviceChoice(StrEnum):
    """The devices that `--device` takes."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


ConfigArgument = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value; may be repeated."),
]
DeviceOption = Annotated[
    DeviceChoice, typer.Option("--device", help="gpu fails where there is none; auto takes it.")
]


def fit(
    config: ConfigArgument,
    overrides: SetOption = None,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", help="Where the run goes [default: runs/NAME/0001, 0002, …]."),
    ] = None,
    runs_dir: Annotated[
        Path, typer.Option("--runs-dir", help="The folder that holds numbered runs.")
    ] = DEFAULT_ROOT,
    device: DeviceOption = DeviceChoice.AUTO,
    seed: Annotated[int | None, typer.Option("--seed", help="Override seed.")] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Override training.epochs.")
    ] = None,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the results only, no progress.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of every error.")
    ] = False,
) -> None:
    """Train the model of CONFIG, keep the best, and evaluate it on validation and test."""
    begun = time.perf_counter()
    loaded = load_config(config, overrides=overrides or (), seed=seed, epochs=epochs)

    from dltrain.commands.training_view import TrainingView
    from dltrain.data.store import is_offline, resolve_data_dir
    from dltrain.training.fit import fit as run_fit
    from dltrain.training.listener import Listener

    listener = Listener() if quiet else TrainingView()
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    result = run_fit(
        loaded,
        data_dir=resolve_data_dir(data_dir),
        runs_root=runs_dir,
        run_directory=run_dir,
        offline=is_offline(offline),
        device=device.value,
        command_line=["dltrain", *sys.argv[1:]],
        listener=listener,
    )
    seconds = time.perf_counter() - begun
    if as_json:
        from dltrain.runs.atomic import to_json

        document = {
            "run": str(result.paths.root),
            "best_epoch": result.best_epoch,
            "epochs": result.epochs_done,
            "seconds": round(seconds, 2),
            "splits": result.scores,
        }
        typer.echo(to_json(document))
        return
    show_scores(result.scores)
    typer.echo(
        f"best epoch {result.best_epoch} of {result.epochs_done}, {seconds:.1f} s in all; "
        f"run {result.paths.root}"
    )


def show_scores(scores: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a results table for each split."""
    from rich.console import Console

    from dltrain.evaluation.table import make_results_table

    console = Console(highlight=False)
    for split, numbers in scores.items():
        console.print(make_results_table(numbers, split=split))
