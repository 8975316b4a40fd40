"""When is a checkpoint due, and how does a training become one and come back from it?"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.config.schema import CheckpointConfig
from dltrain.errors import DltrainError, RunError
from dltrain.runs.checkpoint import Checkpoint, remove_earlier
from dltrain.training.snapshot import (
    note_callbacks,
    put_callbacks,
    put_random_state,
    put_variables,
    take_callbacks,
    take_random_state,
    take_variables,
)
from dltrain.training.writer import CheckpointWriter

# With `every_epochs: auto`, an epoch's checkpoint is left out while more than this share of the
# training time has gone into checkpoints: epochs of some milliseconds would otherwise wait for the
# disk. With the last one, which is always taken and waited for, the promised 3% are kept.
_LARGEST_SHARE = 0.01

if TYPE_CHECKING:
    from dltrain.training.loop import Machinery, Progress


class Checkpoints:
    """Take checkpoints as `config` asks, into `folder`."""

    def __init__(self, folder: Path, config: CheckpointConfig) -> None:
        self.writer = CheckpointWriter(folder)
        self.config = config
        self.seconds = 0.0
        """How long the training stood still for checkpoints, in all."""
        self._beginnings: list[dict[str, Any]] = []
        self._begun = self._last = time.monotonic()

    def begin(self, parts: Machinery) -> None:
        """Note how the callbacks are before the first step; start the clock."""
        self._beginnings = note_callbacks(parts.callbacks.callbacks)
        self._begun = self._last = time.monotonic()

    def steps_until_due(self, step: int) -> int:
        """Return how many steps may be taken in one call before one is due by `every_steps`."""
        every = self.config.every_steps
        return sys.maxsize if every is None else every - step % every

    def after_steps(self, parts: Machinery, progress: Progress) -> None:
        """Take one inside an epoch if it is due. An epoch's end has its own."""
        if progress.step == parts.steps_per_epoch:
            return
        every = self.config.every_steps
        if (every is not None and progress.step % every == 0) or self._is_overdue():
            self._save(parts, progress)

    def after_epoch(self, parts: Machinery, progress: Progress) -> None:
        """Take one after an epoch if it is due; the last epoch always has one."""
        is_last = progress.epoch == parts.epochs or parts.trained.stop_training
        if is_last or self._is_due_after(progress.epoch) or self._is_overdue():
            self._save(parts, progress)

    def save_now(self, parts: Machinery, progress: Progress) -> None:
        """Take one and return when it is on the disk. Raises MachineError if the disk is full."""
        self._save(parts, progress)
        self.wait()

    def wait(self) -> None:
        """Return when all is on the disk. Raises MachineError if the disk is full."""
        begun = time.perf_counter()
        self.writer.wait()
        self.seconds += time.perf_counter() - begun

    def close(self) -> None:
        """Let a checkpoint that was begun be written, whatever ended the training."""
        with suppress(DltrainError):
            self.writer.wait()

    def _is_due_after(self, epoch: int) -> bool:
        every = self.config.every_epochs
        if every == "auto":
            return self.seconds <= _LARGEST_SHARE * (time.monotonic() - self._begun)
        return every is not None and epoch % every == 0

    def _is_overdue(self) -> bool:
        every = self.config.every_seconds
        return every is not None and time.monotonic() - self._last >= every

    def _save(self, parts: Machinery, progress: Progress) -> None:
        begun = time.perf_counter()
        self.writer.write(self._take(parts, progress))
        self._last = time.monotonic()
        self.seconds += time.perf_counter() - begun

    def _take(self, parts: Machinery, progress: Progress) -> Checkpoint:
        inside = progress.step > 0
        arrays = take_variables(parts.trained, with_metrics=inside)
        callbacks, callback_arrays = take_callbacks(parts.callbacks.callbacks, self._beginnings)
        random_state, random_arrays = take_random_state()
        best = {f"best/{number:04d}": value for number, value in enumerate(parts.best.values)}
        state = {
            "epoch_logs": progress.epoch_logs,
            "epoch_seconds": progress.epoch_seconds,
            "history": progress.history,
            "best": parts.best.state(),
            "callbacks": callbacks,
            "random": random_state,
            "stop_training": bool(parts.trained.stop_training),
        }
        return Checkpoint(
            progress.epoch,
            progress.step,
            {**arrays, **best, **callback_arrays, **random_arrays},
            # A copy: the history grows while it is written.
            {**state, "history": [dict(row) for row in progress.history]},
        )

    def put_back(self, checkpoint: Checkpoint, parts: Machinery, progress: Progress) -> None:
        """Make the training what it was. Raises RunError if the checkpoint isn't of this model.

        Removes what a write that was killed after its rename has left to be removed.
        """
        state, arrays = checkpoint.state, checkpoint.arrays
        mismatch = put_variables(parts.trained, arrays)
        if mismatch:
            raise RunError(f"Checkpoint {checkpoint.file_name} is of another model: {mismatch}.")
        best = [arrays[name] for name in sorted(arrays) if name.startswith("best/")]
        parts.best.put_state(state["best"], best)
        put_callbacks(parts.callbacks.callbacks, state["callbacks"], arrays)
        put_random_state(state["random"], arrays)
        parts.trained.stop_training = bool(state["stop_training"])
        progress.epoch, progress.step = checkpoint.epoch, checkpoint.step
        progress.epoch_logs = state["epoch_logs"]
        progress.epoch_seconds = float(state["epoch_seconds"])
        progress.history = [dict(row) for row in state["history"]]
        remove_earlier(self.writer.folder, checkpoint)
