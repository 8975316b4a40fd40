"""What happens after each step and epoch? The loss is checked, the epoch written, the best kept."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from typing import Any, Literal

import keras  # noqa: TID253  (a class of Keras can't be extended without it)
import numpy as np

from dltrain.errors import TrainingError
from dltrain.runs.atomic import replacing
from dltrain.runs.history import append_history
from dltrain.runs.layout import RunPaths
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import RunOutcome


class StopOnNonFiniteLoss(keras.callbacks.Callback):  # type: ignore[misc]
    """End the training at the step whose loss is NaN or infinite."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0
        self.last_finite: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch (from 0)."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Raise TrainingError if the loss, a mean over the epoch so far, is not finite."""
        loss = float((logs or {}).get("loss", 0.0))
        if math.isfinite(loss):
            self.last_finite = loss
            return
        before = "" if self.last_finite is None else f" (before it: {self.last_finite:.4g})"
        self._refuse(f"The loss became {loss} in epoch {self.epoch + 1}, step {batch + 1}{before}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Raise TrainingError if the validation loss is not finite.

        The last step of an epoch may break the weights; no later step of it shows that.
        """
        loss = float((logs or {}).get("val_loss", 0.0))
        if not math.isfinite(loss):
            self._refuse(f"The validation loss became {loss} after epoch {epoch + 1}")

    def _refuse(self, what: str) -> None:
        rate = float(self.model.optimizer.learning_rate)
        raise TrainingError(
            f"{what}, at a learning rate of {rate:.3g}.",
            hint="Lower optimizer.learning_rate, normalize the inputs, or set optimizer.clipnorm.",
        )


class EndQuiet(keras.callbacks.Callback):  # type: ignore[misc]
    """Close `quiet` after the first step, by which TensorFlow has said all its chatter."""

    def __init__(self, quiet: ExitStack) -> None:
        super().__init__()
        self.quiet = quiet

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Let stderr through again."""
        self.quiet.close()


class KeepBestModel(keras.callbacks.Callback):  # type: ignore[misc]
    """Save `inference_model` whenever the monitored value improves, or after every epoch.

    `weights` holds the values of its variables as they were saved; `epoch` (from 1) says when.
    """

    def __init__(
        self,
        inference_model: Any,
        paths: RunPaths,
        *,
        monitor: str,
        mode: Literal["min", "max"],
        keep_last: bool = False,
    ) -> None:
        super().__init__()
        self.inference_model = inference_model
        self.paths = paths
        self.monitor = monitor
        self.sign = 1.0 if mode == "max" else -1.0
        self.keep_last = keep_last
        self.best = -math.inf
        self.epoch = 0
        self.weights: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save the model if this epoch is the best so far. NaN never is."""
        value = self.sign * float((logs or {})[self.monitor])
        if not (value > self.best or self.keep_last or not self.epoch):
            return
        self.best = value if math.isfinite(value) else self.best
        self.epoch = epoch + 1
        with replacing(self.paths.model) as temporary:
            self.inference_model.save(temporary)
        self.weights = [
            np.array(variable.value.numpy()) for variable in self.inference_model.variables
        ]

    def restore(self) -> None:
        """Put the saved values back into the model."""
        for variable, value in zip(self.inference_model.variables, self.weights, strict=True):
            variable.assign(value)


class RecordEpochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Append each epoch to history.csv, bring status.json up to date, and tell the listener."""

    def __init__(
        self, paths: RunPaths, outcome: RunOutcome, listener: Listener, keeper: KeepBestModel
    ) -> None:
        super().__init__()
        self.paths = paths
        self.outcome = outcome
        self.listener = listener
        self.keeper = keeper
        self.history: list[dict[str, float]] = []
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        self.listener.begin_epoch(epoch + 1, self.params["epochs"], self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass the step on."""
        self.listener.step(batch + 1, float((logs or {}).get("loss", math.nan)))
        self.outcome.raise_if_signalled()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop during the validation too."""
        self.outcome.raise_if_signalled()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch down."""
        seconds = time.perf_counter() - self._started
        values = {name: float(value) for name, value in (logs or {}).items()}
        values.setdefault("learning_rate", float(self.model.optimizer.learning_rate))
        row = {"epoch": epoch + 1, **values, "seconds": round(seconds, 3)}
        self.history.append(row)
        append_history(self.paths.history, row)
        self.outcome.finish_epoch(epoch + 1)
        is_best = self.keeper.epoch == epoch + 1
        self.listener.end_epoch(
            EpochReport(epoch + 1, self.params["epochs"], values, seconds, is_best)
        )
