"""When has a learning-rate schedule run its course? In optimizer steps, and in epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.config.paths import Path
from dltrain.config.rules import count_training_rows
from dltrain.config.schema import Spec


@dataclass(frozen=True)
class Training:
    """How many optimizer steps an epoch takes, and how many epochs there are."""

    steps: float
    epochs: int

    @property
    def total(self) -> float:
        """Return the optimizer steps of the whole training."""
        return self.steps * self.epochs


@dataclass(frozen=True)
class Course:
    """A schedule that falls from `peak` to `rest` within `end` steps and stays there.

    `argument` is the one to change; `before` are the steps that pass before it counts.
    """

    argument: str
    end: float
    peak: float
    rest: float
    before: float = 0.0


def inner_optimizer(loaded: LoadedConfig) -> tuple[Spec, Path]:
    """Return the optimizer that has the learning rate: loss_scale_optimizer wraps one."""
    spec: Spec = loaded.config.optimizer
    path: Path = ("optimizer",)
    while isinstance(spec.get("inner_optimizer"), dict):
        spec, path = spec["inner_optimizer"], (*path, "inner_optimizer")
    return spec, path


def measure_training(loaded: LoadedConfig, optimizer: Spec) -> Training:
    """Count the steps of an epoch: batches, over the batches that one update gathers."""
    rows = count_training_rows(loaded.config, loaded.info)
    batch = loaded.config.training.batch_size
    batches = 1 if batch == "full" else math.ceil(rows / batch)
    gathered = optimizer.get("gradient_accumulation_steps") or 1
    return Training(batches / gathered, loaded.config.training.epochs)


def count_steps(value: Any, training: Training) -> float:
    """Return the steps that a number, or `{epochs: N}`, stands for."""
    return value["epochs"] * training.steps if isinstance(value, dict) else float(value)


def peak_rate(rate: Any) -> float:
    """Return the largest learning rate of a number or a schedule."""
    if not isinstance(rate, dict):
        return float(rate)
    if rate["type"] == "piecewise_constant_decay":
        return float(max(rate["values"]))
    names = ("initial_learning_rate", "warmup_target", "max_learning_rate", "end_learning_rate")
    return float(max(rate.get(name) or 0.0 for name in names))


def find_course(rate: Spec, training: Training) -> Course | None:
    """Return the course of a schedule that comes to rest, None for one that never does."""
    kind = rate["type"]
    peak = peak_rate(rate)
    if kind == "cosine_decay":
        warmup = rate.get("warmup_steps", 0) if rate.get("warmup_target") is not None else 0
        before = count_steps(warmup, training)
        end = before + count_steps(rate["decay_steps"], training)
        return Course("decay_steps", end, peak, peak * rate.get("alpha", 0.0), before)
    if kind == "polynomial_decay" and not rate.get("cycle"):
        end = count_steps(rate["decay_steps"], training)
        return Course("decay_steps", end, peak, rate.get("end_learning_rate", 1e-4))
    if kind == "exponential_decay" and rate["decay_rate"] < 1:
        # It never rests; after a thousandth of the first rate it might as well.
        scale = count_steps(rate["decay_steps"], training)
        end = scale * math.log(1e-3) / math.log(rate["decay_rate"])
        return Course("decay_steps", end, peak, peak * 1e-3)
    return None
