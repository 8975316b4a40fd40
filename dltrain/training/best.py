"""Which epoch was the best, and when is its model written to model.keras?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.runs.atomic import replacing
from dltrain.runs.layout import RunPaths

# Writing a model takes longer than many an epoch: while the training goes on, model.keras is
# brought up to date this often, so that a killed run has one. At the end it is always the best.
_SECONDS_BETWEEN_WRITES = 60.0


class BestModel:
    """Keep the values of `model`'s variables whenever the monitored value improves.

    With `keep_last` every epoch counts as an improvement. `epoch` (from 1; 0: none yet) says when.
    The model is saved within `as_built`, so that what is frozen at the moment leaves no trace.
    """

    def __init__(
        self,
        model: Any,
        paths: RunPaths,
        *,
        monitor: str,
        mode: Literal["min", "max"],
        keep_last: bool = False,
        as_built: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.model = model
        self.paths = paths
        self.monitor = monitor
        self.sign = 1.0 if mode == "max" else -1.0
        self.keep_last = keep_last
        self._as_built = as_built
        self.best = -math.inf
        self.epoch = 0
        self.values: list[npt.NDArray[Any]] = []
        self._written_epoch = -1
        self._written_at = time.monotonic()

    def consider(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Keep epoch `epoch` (from 1) if it is the best so far; NaN never is. Tell whether it is.

        May write model.keras.
        """
        value = self.sign * float(logs[self.monitor])
        if not (value > self.best or self.keep_last or not self.epoch):
            return False
        self.best = value if math.isfinite(value) else self.best
        self.keep(epoch)
        if time.monotonic() - self._written_at >= _SECONDS_BETWEEN_WRITES:
            self._write()
        return True

    def keep(self, epoch: int) -> None:
        """Keep the variables as they are now, as those of `epoch`."""
        self.epoch = epoch
        self.values = [np.array(variable.value.numpy()) for variable in self.model.variables]

    def finish(self) -> None:
        """Put the best values into the model, and write model.keras if they aren't in it yet."""
        for variable, value in zip(self.model.variables, self.values, strict=True):
            variable.assign(value)
        if self._written_epoch != self.epoch:
            self._write_current()

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside `values`."""
        return {"epoch": self.epoch, "best": self.best if math.isfinite(self.best) else None}

    def put_state(self, state: Mapping[str, Any], values: list[npt.NDArray[Any]]) -> None:
        """Go on from what a checkpoint kept."""
        self.epoch = int(state["epoch"])
        self.best = -math.inf if state["best"] is None else float(state["best"])
        self.values = values

    def write_on_the_way(self) -> None:
        """Write the best model of a training that stops before its end; it may go on later."""
        if self.epoch and self._written_epoch != self.epoch:
            self._write()

    def _write(self) -> None:
        """Write the best values, with the model's own put back afterwards."""
        variables = self.model.variables
        current = [np.array(variable.value.numpy()) for variable in variables]
        for variable, value in zip(variables, self.values, strict=True):
            variable.assign(value)
        try:
            self._write_current()
        finally:
            for variable, value in zip(variables, current, strict=True):
                variable.assign(value)

    def _write_current(self) -> None:
        with replacing(self.paths.model) as temporary, self._as_built():
            self.model.save(temporary)
        self._written_epoch = self.epoch
        self._written_at = time.monotonic()
