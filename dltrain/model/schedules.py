"""Which learning-rate schedules does dltrain add to Keras's? One-cycle."""

from __future__ import annotations

import math
from typing import Any

import keras  # noqa: TID253  (a class of Keras can't be extended without it)
from keras import ops  # noqa: TID253


@keras.saving.register_keras_serializable(package="dltrain")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Raise the learning rate to a maximum, then anneal it to almost nothing, both by a cosine.

    Smith and Topin 2018, "Super-Convergence", arXiv:1708.07120; the shape and the defaults are
    those of torch.optim.lr_scheduler.OneCycleLR. The rate starts at `max_learning_rate /
    initial_divisor`, peaks after `warmup_fraction` of `total_steps` (optimizer steps), and ends at
    the start divided by `final_divisor`.
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.3,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
    ) -> None:
        super().__init__()
        self.max_learning_rate = max_learning_rate
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor

    def __call__(self, step: Any) -> Any:
        """Return the learning rate, a float32 scalar, of optimizer step `step` (from 0)."""
        step = ops.cast(step, "float32")
        first = self.max_learning_rate / self.initial_divisor
        final = first / self.final_divisor
        peak = max(1.0, self.warmup_fraction * self.total_steps - 1)
        tail = max(1.0, self.total_steps - 1 - peak)
        rising = _anneal(first, self.max_learning_rate, ops.minimum(step / peak, 1.0))
        falling = _anneal(self.max_learning_rate, final, ops.clip((step - peak) / tail, 0.0, 1.0))
        return ops.where(step <= peak, rising, falling)

    def get_config(self) -> dict[str, float]:
        """Return the arguments, so that a saved optimizer can be made again."""
        return {
            "max_learning_rate": self.max_learning_rate,
            "total_steps": self.total_steps,
            "warmup_fraction": self.warmup_fraction,
            "initial_divisor": self.initial_divisor,
            "final_divisor": self.final_divisor,
        }


def _anneal(start: float, end: float, share: Any) -> Any:
    return end + (start - end) / 2.0 * (1.0 + ops.cos(math.pi * share))
