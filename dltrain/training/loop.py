"""How does a training run, from its first step or from a checkpoint, to its last?

Epochs of compiled stretches of steps, a validation after each, callbacks, checkpoints. It stops
early for a callback, for a signal (after the running stretch, with a checkpoint) or a deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.data.batches import count_steps
from dltrain.evaluation.predict import PREDICTION_BATCH_SIZE
from dltrain.runs.checkpoint import Checkpoint
from dltrain.training.averaging import averaged_weights
from dltrain.training.best import BestModel
from dltrain.training.checkpoints import Checkpoints
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import Stopped
from dltrain.training.steps import Stretch, TrainingSteps, ValidationSteps

StoppedBy = Literal["early_stopping", "max_seconds", "signal"]

# A call into TensorFlow lasts about this long: the progress bar and Ctrl-C wait for its end.
_SECONDS_PER_CALL = 0.2


@dataclass
class Progress:
    """Where a training stands: finished epochs, finished steps of the next, and what they gave.

    `epoch_logs` holds the training's own numbers of an epoch whose steps are all done and whose
    validation is not. Seconds are those of training and validating, with the tracing of both,
    resumed parts included.
    """

    epoch: int = 0
    step: int = 0
    epoch_seconds: float = 0.0
    epoch_logs: dict[str, float] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    stopped_by: StoppedBy | None = None

    @property
    def train_seconds(self) -> float:
        """Return the seconds of all epochs, that of an unfinished one included."""
        return sum(row["seconds"] for row in self.history) + self.epoch_seconds


@dataclass(frozen=True)
class Machinery:
    """What a training consists of; see `dltrain.training.assemble`."""

    trained: Any
    steps: TrainingSteps
    validation: ValidationSteps | None
    callbacks: Any
    best: BestModel
    checkpoints: Checkpoints
    order: Callable[[int], npt.NDArray[np.int64]]
    epochs: int
    steps_per_epoch: int
    single_steps: bool
    """Whether callbacks want to hear of every step."""
    enter: Callable[[int], Machinery] | None = None
    """What gives the machinery of an epoch (from 0), where phases follow each other."""


class Loop:
    """Train until an end is reached. `signalled` and `out_of_time` are asked after each call."""

    def __init__(
        self,
        machinery: Machinery,
        *,
        listener: Listener,
        record_epoch: Callable[[Mapping[str, float]], None],
        refuse: Callable[[Progress, Stretch, npt.NDArray[np.int64] | None], None],
        signalled: Callable[[], bool],
        out_of_time: Callable[[float], bool],
        after_first_call: Callable[[], None],
    ) -> None:
        self.parts = machinery
        self.progress = Progress()
        self._listener = listener
        self._record_epoch = record_epoch
        self._refuse = refuse
        self._signalled = signalled
        self._out_of_time = out_of_time
        self._after_first_call = after_first_call
        self._calls = 0
        self._is_traced = False
        self._steps_per_second = 0.0

    def run(self, resumed: Checkpoint | None) -> Progress:
        """Train; return where it ended, while its last checkpoint is still being written.

        A stop on the way leaves a checkpoint of that very step on the disk.
        """
        parts, progress = self.parts, self.progress
        parts.trained.stop_training = False
        parts.callbacks.on_train_begin()
        parts.checkpoints.begin(parts)
        if resumed is not None:
            parts.checkpoints.put_back(resumed, parts, progress)
        if parts.validation is not None:
            begun = time.perf_counter()
            parts.validation.trace()
            # Like the tracing of the step, and that of a later phase, it is the first epoch's.
            progress.epoch_seconds += time.perf_counter() - begun
        while progress.epoch < parts.epochs and not self.parts.trained.stop_training:
            try:
                is_whole = self._run_epoch(inside=resumed is not None and progress.step > 0)
            except Stopped as stop:
                if stop.stopped_by == "signal":  # it is to go on, though its epoch's wasn't due
                    self.parts.checkpoints.save_now(self.parts, progress)
                raise
            if not is_whole:
                parts = self.parts
                parts.checkpoints.save_now(parts, progress)
                return progress
        if progress.epoch < parts.epochs:
            progress.stopped_by = "early_stopping"
        parts.callbacks.on_train_end()
        return progress

    def _run_epoch(self, *, inside: bool) -> bool:
        """Finish the epoch that `progress` stands in; return whether it was finished."""
        parts, progress = self.parts, self.progress
        epoch = progress.epoch
        self._listener.begin_epoch(epoch + 1, parts.epochs, parts.steps_per_epoch)
        if not inside:
            parts.steps.counts.reset()
            parts.callbacks.on_epoch_begin(epoch)
        begun, before = time.perf_counter(), progress.epoch_seconds

        def tick() -> None:
            progress.epoch_seconds = before + time.perf_counter() - begun

        if progress.epoch_logs is None and not self._take_steps(tick):
            return False
        if progress.epoch_logs is None:
            progress.epoch_logs = parts.steps.counts.read()
        logs = dict(progress.epoch_logs)
        with averaged_weights(parts.trained):
            if parts.validation is not None:
                results = self._validate(parts.validation)
                if results is None:
                    tick()
                    return False
                logs |= {f"val_{name}": value for name, value in results.items()}
            tick()
            is_best = self._judge_epoch(logs)
        self._end_epoch(logs, is_best=is_best)
        return True

    def _judge_epoch(self, logs: dict[str, float]) -> bool:
        """Tell the callbacks what the epoch gave, and keep it if it is the best so far."""
        parts, epoch = self.parts, self.progress.epoch
        self._refuse_broken(logs)
        parts.callbacks.on_epoch_end(epoch, logs)
        logs.setdefault("learning_rate", float(parts.trained.optimizer.learning_rate))
        return parts.best.consider(epoch + 1, logs)

    def _end_epoch(self, logs: dict[str, float], *, is_best: bool) -> None:
        parts, progress = self.parts, self.progress
        epoch = progress.epoch
        row = {"epoch": epoch + 1, **logs, "seconds": round(progress.epoch_seconds, 3)}
        progress.history.append(row)
        self._record_epoch(row)
        report = EpochReport(epoch + 1, parts.epochs, logs, progress.epoch_seconds, is_best)
        progress.epoch, progress.step = epoch + 1, 0
        progress.epoch_seconds, progress.epoch_logs = 0.0, None
        parts = self._enter_phase()
        parts.checkpoints.after_epoch(parts, progress)
        self._listener.end_epoch(report)

    def _enter_phase(self) -> Machinery:
        """Go over to the phase of the next epoch; a checkpoint after the last one is of it."""
        before, parts = self.parts, self.parts
        if parts.enter is not None:
            parts = self.parts = parts.enter(self.progress.epoch)
        if parts is not before:
            parts.trained.stop_training = before.trained.stop_training
            parts.callbacks.set_model(parts.trained)
            self._is_traced, self._steps_per_second = False, 0.0
        return parts

    def _take_steps(self, tick: Callable[[], None]) -> bool:
        """Take the steps that are left of the epoch; return whether all were taken."""
        parts, progress = self.parts, self.progress
        feed = parts.steps.feed
        order = parts.order(progress.epoch)
        source = feed.begin(order, step=progress.step)
        while progress.step < parts.steps_per_epoch:
            if self._must_stop():
                return False
            room = parts.steps_per_epoch - progress.step
            count = min(self._calls_steps(), room, parts.checkpoints.steps_until_due(progress.step))
            parts.callbacks.on_train_batch_begin(progress.step)
            begun = time.perf_counter()
            stretch = parts.steps.run(
                source, epoch=progress.epoch, start=progress.step, count=count
            )
            self._measure(stretch.steps, time.perf_counter() - begun)
            tick()
            if not stretch.healthy:
                self._refuse(progress, stretch, order)
            progress.step += stretch.steps
            mean = stretch.mean_loss
            logs = parts.steps.counts.read() if parts.single_steps else {"loss": mean}
            parts.callbacks.on_train_batch_end(progress.step - 1, logs)
            self._listener.step(progress.step, mean)
            if parts.trained.stop_training:
                return True
            parts.checkpoints.after_steps(parts, progress)
        return True

    def _validate(self, validation: ValidationSteps) -> dict[str, float] | None:
        """Count the validation rows; return what the metrics give, or None if not all were."""
        parts = self.parts
        parts.steps.counts.reset()
        parts.callbacks.on_test_begin()
        rows = validation.feed.rows
        source = validation.feed.begin(np.arange(rows, dtype=np.int64), step=0)
        step, steps = 0, count_steps(rows, PREDICTION_BATCH_SIZE)
        count = 1
        while step < steps:
            count = min(count, steps - step)
            begun = time.perf_counter()
            validation.run(source, start=step, count=count)
            step += count
            if self._must_stop():
                parts.callbacks.on_test_end()
                return None
            share = _SECONDS_PER_CALL / max(time.perf_counter() - begun, 1e-6)
            count = max(1, min(4 * count, int(count * share)))
        results = parts.steps.counts.read()
        parts.callbacks.on_test_end(results)
        return results

    def _must_stop(self) -> bool:
        if self._signalled():
            self.progress.stopped_by = "signal"
        elif self._out_of_time(self._steps_per_second * self.parts.steps.feed.batch_size):
            self.progress.stopped_by = "max_seconds"
        return self.progress.stopped_by is not None

    def _calls_steps(self) -> int:
        """Return how many steps the next call takes."""
        if self.parts.single_steps or not self._steps_per_second:
            return 1
        return max(1, int(self._steps_per_second * _SECONDS_PER_CALL))

    def _measure(self, steps: int, seconds: float) -> None:
        self._calls += 1
        if self._calls == 1:
            self._after_first_call()
        if self._is_traced:
            self._steps_per_second = steps / max(seconds, 1e-6)
        self._is_traced = True  # and compiled, in a phase's first call

    def _refuse_broken(self, logs: Mapping[str, float]) -> None:
        """Stop where the validation loss shows that the epoch's last step broke the weights."""
        loss = logs.get("val_loss", 0.0)
        if not np.isfinite(loss):
            stretch = Stretch(0, loss, logs["loss"], healthy=False, mean_loss=logs["loss"])
            self._refuse(self.progress, stretch, None)
