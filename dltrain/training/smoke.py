"""Does a config work, from its data to its saved model? Tried whole, on few rows, in seconds.

It is trained once without a pause, and once more interrupted in the middle and resumed; the two
must agree to the bit. No network is asked, and no number that comes out means anything.
"""

from __future__ import annotations

import dataclasses
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.data.batches import count_steps
from dltrain.data.load import load_data
from dltrain.data.stand_in import DataKind
from dltrain.errors import DltrainError, TrainingError
from dltrain.training.engine import Device, forget_models
from dltrain.training.equality import find_difference
from dltrain.training.fit import FitResult, fit
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import Interrupted
from dltrain.training.prepare import prepare_rows

# Two epochs: what an epoch ends with happens twice, and the second begins where the first ended.
_EPOCHS = 2
_STEPS_AN_EPOCH = 4


@dataclass(frozen=True)
class Trial:
    """What is tried: the config with less to do, and what it was.

    `data` is a phrase on what stands in for the dataset, `rows` counts those of each split.
    `steps` are those of an epoch.
    """

    loaded: LoadedConfig
    kind: DataKind
    data: str
    rows: Mapping[str, int]
    batch_size: int
    configured_batch_size: int
    steps: int


@dataclass(frozen=True)
class SmokeResult:
    """What a trial that went well did; `run` is None if its directory was removed.

    `checks` are phrases, one for each thing that was seen to work. `seconds` has all of it.
    """

    trial: Trial
    fitted: FitResult
    checks: tuple[str, ...]
    run: Path | None
    seconds: float


def run_smoke(
    loaded: LoadedConfig,
    *,
    data_dir: Path,
    run_directory: Path | None = None,
    runs_root: Path | None = None,
    device: Device = "auto",
    command_line: Sequence[str] = (),
    listener: Listener | None = None,
) -> SmokeResult:
    """Try a config whole: train, checkpoint, interrupt, resume, save, load again, evaluate.

    The run is kept in `run_directory`, or below `runs_root`; without either it lies in a temporary
    folder that stays only if something fails, and the error then names it. `listener` hears the
    first training. Raises what `fit` raises, and TrainingError if the resumed run differs.
    """
    begun = time.perf_counter()
    listener = listener or Listener()
    trial = plan_trial(loaded, data_dir=data_dir)
    options: dict[str, Any] = {"data_dir": data_dir, "offline": True, "smoke": True}
    options |= {"device": device, "command_line": command_line}
    keep = run_directory is not None or runs_root is not None
    with _workspace() as folder:
        first = run_directory if keep else folder / "uninterrupted"
        fitted = fit(
            trial.loaded,
            **options,
            run_directory=first,
            runs_root=runs_root or folder,
            listener=listener,
        )
        checks = [
            f"trained {_count(len(fitted.history) * trial.steps, 'step')}",
            f"evaluated {' and '.join(fitted.scores)}",
            "loaded again, equal",
        ]
        checks += _check_resume(trial, fitted, folder / "resumed", options, listener)
        forget_models()
    return SmokeResult(
        trial=trial,
        fitted=fitted,
        checks=tuple(checks),
        run=fitted.paths.root if keep else None,
        seconds=time.perf_counter() - begun,
    )


def plan_trial(loaded: LoadedConfig, *, data_dir: Path) -> Trial:
    """Return the config with few epochs, and a batch size that gives an epoch a few steps.

    All else stays as it is: the layers, the loss, the optimizer and its schedule, augmentation,
    callbacks, the precision. A full batch stays full.
    """
    config, training = loaded.config, loaded.config.training
    data = load_data(config.dataset, seed=config.seed, data_dir=data_dir, smoke=True)
    rows = {split: len(table) for split, table in data.tables.items()}
    batch_size: int | str = training.batch_size
    trained = len(prepare_rows(loaded, data).table)
    if isinstance(batch_size, int):
        batch_size = min(batch_size, max(1, trained // _STEPS_AN_EPOCH))
    number = trained if isinstance(batch_size, str) else batch_size
    steps = count_steps(trained, number)
    epochs = min(training.epochs, _EPOCHS)
    changes: dict[str, Any] = {"batch_size": batch_size, "epochs": epochs}
    if training.phases:  # each is tried
        epochs = changes["epochs"] = max(epochs, len(training.phases))
        changes["phases"] = [{**phase, "epochs": 1} for phase in training.phases]
    if training.early_stopping:
        start = min(training.early_stopping.start_from_epoch, epochs - 1)
        changes["early_stopping"] = training.early_stopping.model_copy(
            update={"start_from_epoch": start}
        )
    changes["checkpoint"] = training.checkpoint.model_copy(
        update={"every_epochs": 1, "every_steps": max(1, steps // 2)}
    )
    small = config.model_copy(update={"training": training.model_copy(update=changes)})
    return Trial(
        loaded=dataclasses.replace(loaded, config=small),
        kind=data.kind,
        data=data.label,
        rows=rows,
        batch_size=number,
        configured_batch_size=number if training.batch_size == "full" else training.batch_size,
        steps=steps,
    )


class _Interruption(Listener):
    """Interrupt a training as Ctrl-C would, once a step of an epoch (both from 1) is done.

    Step 0 is the end of the epoch before.
    """

    def __init__(self, epoch: int, step: int) -> None:
        self.came = False
        self._epoch, self._step = epoch, step
        self._current = 0

    def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Note where the training is."""
        self._current = epoch

    def step(self, step: int, loss: float) -> None:
        """Interrupt at the step, if it is one within an epoch."""
        if self._step and self._current == self._epoch and step >= self._step:
            self._interrupt()

    def end_epoch(self, report: EpochReport) -> None:
        """Interrupt between two epochs."""
        if not self._step and report.epoch == self._epoch - 1:
            self._interrupt()

    def _interrupt(self) -> None:
        if self.came:
            return
        self.came = True
        is_heard = signal.getsignal(signal.SIGINT) != signal.SIG_IGN
        if is_heard and threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)
        else:  # a shell's background job ignores the signal
            raise KeyboardInterrupt


def _check_resume(
    trial: Trial,
    fitted: FitResult,
    directory: Path,
    options: Mapping[str, Any],
    listener: Listener,
) -> list[str]:
    """Train once more, interrupted and resumed; return what was seen. Raises TrainingError."""
    epoch, step = len(fitted.history), trial.steps // 2
    if (epoch, step) == (1, 0):
        return ["not resumed: there is but one step"]
    place = f"in epoch {epoch} after step {step}" if step else f"after epoch {epoch - 1}"
    listener.note(f"Smoke test: training again, to be interrupted {place}.")
    interruption = _Interruption(epoch, step)
    forget_models()
    try:
        fit(
            trial.loaded,
            **options,
            run_directory=directory,
            runs_root=directory.parent,
            listener=interruption,
        )
    except Interrupted:
        if not interruption.came:  # it was a person
            raise
    if not interruption.came:
        raise TrainingError(
            f"The same training went on for {epoch} epochs once, and ended earlier the next time.",
            hint="Something in the config doesn't follow from its seed.",
        )
    listener.note("Smoke test: resuming it.")
    forget_models()
    resumed = fit(
        trial.loaded,
        **options,
        run_directory=directory,
        runs_root=directory.parent,
        resume=True,
        listener=Listener(),
    )
    difference = find_difference(fitted, resumed)
    if difference:
        raise TrainingError(
            "The run that was interrupted and resumed differs from the one that wasn't: "
            f"{difference}.",
            hint="A layer, optimizer or callback keeps something that a checkpoint doesn't hold; "
            "please report it with the config.",
        )
    return [f"resumed {place}, equal"]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


@contextmanager
def _workspace() -> Iterator[Path]:
    """Yield a temporary folder. It stays only after a failure, whose error then names it."""
    folder = Path(tempfile.mkdtemp(prefix="dltrain-smoke-"))
    left: list[Path] = []
    try:
        yield folder
    except Interrupted as error:
        # Its own hint names files that are removed below.
        number = error.exit_code - 128
        raise Interrupted("The smoke test was interrupted.", signal_number=number) from None
    except Exception as error:
        left = sorted(path for path in folder.iterdir() if path.is_dir())
        if left:
            note = f"What the smoke test left: {' and '.join(map(str, left))}"
            if isinstance(error, DltrainError):
                error.hint = f"{error.hint}\n{note}".lstrip()
            else:
                error.add_note(note)
        raise
    finally:
        if not left:
            shutil.rmtree(folder, ignore_errors=True)
