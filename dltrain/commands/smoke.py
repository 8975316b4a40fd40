"""`dltrain smoke`: do configs work, from their data to their saved models? In seconds each."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.data import DataDirOption
from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.commands.fit_view import show_scores
from dltrain.commands.options import VerboseOption
from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import DltrainError, UsageError

if TYPE_CHECKING:
    from dltrain.training.smoke import SmokeResult

_SUFFIXES = (".yaml", ".yml")


class SmokeFailure(DltrainError):
    """Some configs don't work; the exit code is that of the first."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Outcome:
    """How the trial of one config went: `result`, or `error` and its exit code."""

    config: Path
    seconds: float
    result: SmokeResult | None = None
    error: str = ""
    exit_code: int = 0


def smoke(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATHS...", help="YAML files, or folders of them."),
    ],
    runs_dir: Annotated[
        Path | None,
        typer.Option("--runs-dir", help="Keep the runs there; otherwise they are removed."),
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON document.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the configs that fail.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Try configs whole, on few rows and with no network: train, interrupt, resume, evaluate.

    Rows are taken from the dataset if it is here, else made. All configs are tried, whatever
    fails; the exit code is 0 if all work, else that of the first which doesn't.
    """
    begun = time.perf_counter()
    files = find_configs(paths)
    width = max(len(str(path)) for path in files)
    loaded = [_load(path) for path in files]
    if any(isinstance(one, LoadedConfig) for one in loaded):
        from dltrain.training.engine import start_engine

        # Once for all, and before the first: no config pays for TensorFlow's import.
        start_engine(device=device.value, precision="float32", seed=0)
    outcomes = []
    for path, one in zip(files, loaded, strict=True):
        outcome = (
            _try(path, one, runs_dir, device, data_dir, verbose=verbose)
            if isinstance(one, LoadedConfig)
            else one
        )
        outcomes.append(outcome)
        if outcome.error:
            typer.echo(outcome.error, err=True)
        if not as_json and (outcome.error or not quiet):
            typer.echo(_make_line(outcome, width))
    seconds = time.perf_counter() - begun
    failed = [outcome for outcome in outcomes if outcome.exit_code or outcome.error]
    if as_json:
        from dltrain.runs.atomic import to_json

        document = {
            "smoke": True,
            "passed": not failed,
            "seconds": round(seconds, 2),
            "configs": [describe_outcome(outcome) for outcome in outcomes],
        }
        typer.echo(to_json(document))
    if failed:
        names = ", ".join(str(outcome.config) for outcome in failed)
        raise SmokeFailure(
            f"{len(failed)} of {len(outcomes)} configs failed: {names}.",
            exit_code=failed[0].exit_code,
        )
    if not as_json and not quiet:
        typer.echo(f"all {len(outcomes)} work, {seconds:.1f} s in all")


def smoke_one(
    loaded: LoadedConfig,
    path: Path,
    *,
    run_dir: Path | None,
    runs_dir: Path | None,
    device: DeviceChoice,
    data_dir: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Do what `dltrain fit --smoke` does: try one config, show its training and its numbers."""
    from dltrain.commands.training_view import TrainingView
    from dltrain.data.store import resolve_data_dir
    from dltrain.training.listener import Listener
    from dltrain.training.smoke import run_smoke

    begun = time.perf_counter()
    result = run_smoke(
        loaded,
        data_dir=resolve_data_dir(data_dir),
        run_directory=run_dir,
        runs_root=runs_dir,
        device=device.value,
        command_line=["dltrain", *sys.argv[1:]],
        listener=Listener() if quiet else TrainingView(),
    )
    outcome = Outcome(path, time.perf_counter() - begun, result)
    if as_json:
        from dltrain.runs.atomic import to_json

        typer.echo(to_json({"smoke": True, **describe_outcome(outcome)}))
        return
    show_scores(result.fitted.scores)
    typer.echo(f"These numbers are of a smoke test, on {result.trial.data}: they mean nothing.")
    typer.echo(_make_line(outcome, len(str(path))))


def find_configs(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and the YAML files right inside the folders named, each once.

    Raises UsageError for a path that isn't there, and a folder without any.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
            if not files:
                raise UsageError(f"{path} holds no .yaml file.")
            found |= dict.fromkeys(files)
        elif path.exists():
            found[path] = None
        else:
            raise UsageError(f"There is no file or folder {path}.")
    return list(found)


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return the JSON-able form, with the same keys whether it went well or not."""
    result = outcome.result
    trial = result.trial if result else None
    return {
        "config": str(outcome.config),
        "passed": result is not None,
        "seconds": round(outcome.seconds, 2),
        "exit_code": outcome.exit_code,
        "error": outcome.error or None,
        "data": trial.kind if trial else None,
        "data_label": trial.data if trial else None,
        "rows": trial.rows if trial else None,
        "batch_size": trial.batch_size if trial else None,
        "configured_batch_size": trial.configured_batch_size if trial else None,
        "epochs": result.fitted.epochs_done if result else None,
        "steps_per_epoch": trial.steps if trial else None,
        "checks": result.checks if result else [],
        "run": str(result.run) if result and result.run else None,
        "splits": result.fitted.scores if result else None,
    }


def _load(path: Path) -> LoadedConfig | Outcome:
    begun = time.perf_counter()
    try:
        return load_config(path)
    except DltrainError as error:
        return _fail(path, begun, error)


def _try(
    path: Path,
    loaded: LoadedConfig,
    runs_dir: Path | None,
    device: DeviceChoice,
    data_dir: Path | None,
    *,
    verbose: bool,
) -> Outcome:
    from dltrain.data.store import resolve_data_dir
    from dltrain.training.outcome import Interrupted
    from dltrain.training.smoke import run_smoke

    begun = time.perf_counter()
    try:
        result = run_smoke(
            loaded,
            data_dir=resolve_data_dir(data_dir),
            runs_root=runs_dir,
            device=device.value,
            command_line=["dltrain", *sys.argv[1:]],
        )
    except Interrupted:
        raise
    except DltrainError as error:
        if verbose:
            traceback.print_exc()
        return _fail(path, begun, error)
    except Exception as error:  # a defect must not hide what the other configs do
        traceback.print_exc()
        return Outcome(path, time.perf_counter() - begun, error=repr(error), exit_code=1)
    return Outcome(path, time.perf_counter() - begun, result)


def _fail(path: Path, begun: float, error: DltrainError) -> Outcome:
    text = f"{error}\n{error.hint}".rstrip()
    return Outcome(path, time.perf_counter() - begun, error=text, exit_code=error.exit_code)


def _make_line(outcome: Outcome, width: int) -> str:
    head = f"{outcome.config!s:{width}}  {outcome.seconds:5.1f} s"
    if outcome.result is None:
        return f"failed  {head}  {outcome.error.splitlines()[0]}"
    trial = outcome.result.trial
    batch = f"batch size {trial.batch_size}"
    if trial.batch_size != trial.configured_batch_size:
        batch += f" instead of {trial.configured_batch_size}"
    return f"ok      {head}  {trial.kind}; {batch}; {'; '.join(outcome.result.checks)}"
