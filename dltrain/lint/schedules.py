"""Does a learning-rate schedule end when the training does?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from dltrain.config.load import LoadedConfig
from dltrain.config.paths import Path
from dltrain.config.phases import list_phases
from dltrain.config.schema import Spec
from dltrain.lint.finding import Note
from dltrain.lint.schedule_ends import (
    Training,
    count_steps,
    find_course,
    inner_optimizer,
    measure_training,
)

# Shares of the training. A schedule that rests at (almost) nothing before the first has ended too
# early, one that rests above before the second, and one that rests after the third too late: a
# cosine of 1.25 times the training is at a tenth of its peak when it is cut off.
_EARLY, _EARLY_ABOVE_ZERO, _LATE = 0.8, 0.5, 1.25

# A rate that keeps this share until the last step has not been lowered to speak of.
_HARDLY_LOWERED = 0.9
_MOST_FALLS = 1e9  # keeps a power within a float


def find_early_end(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a schedule that has come to rest long before training ends."""
    rate, training, path = _schedule(loaded)
    course = find_course(rate, training) if rate else None
    if course is None:
        return
    is_nothing = course.rest <= 0.01 * course.peak
    if course.end >= (_EARLY if is_nothing else _EARLY_ABOVE_ZERO) * training.total:
        return
    left = training.epochs - course.end / training.steps
    endless = rate["type"] == "exponential_decay"
    fix = _fill_training(course.argument, course.before, training)
    if endless:
        power = count_steps(rate["decay_steps"], training) / training.total
        fix = f"Write `decay_rate: {0.01**power:.3g}`, which ends at a hundredth."
    yield Note(
        (*path, course.argument),
        f"the schedule has run its course after {_epochs(course.end, training)} of "
        f"{training.epochs}: for the last {left:.3g} the learning rate is {course.rest:.2g}"
        f"{' or less' if endless else ''}, and "
        + ("next to nothing is learnt." if is_nothing else "falls no further."),
        fix,
    )


def find_late_end(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a schedule that is far from its end when training stops."""
    rate, training, path = _schedule(loaded)
    if not rate:
        return
    kind = rate["type"]
    if kind == "piecewise_constant_decay":
        yield from _find_late_boundaries(rate, training, path)
    elif kind in ("cosine_decay", "polynomial_decay", "cosine_decay_restarts"):
        yield from _find_late_course(rate, training, path)
    elif kind in ("exponential_decay", "inverse_time_decay"):
        yield from _find_slow_decay(rate, training, path)


def _schedule(loaded: LoadedConfig) -> tuple[Spec, Training, Path]:
    """Return the schedule (empty where the rate is a number), the training, and the path."""
    optimizer, path = inner_optimizer(loaded)
    rate = optimizer.get("learning_rate")
    training = measure_training(loaded, optimizer)
    if loaded.config.training.phases:  # each that has no rate of its own begins it anew
        phases = list_phases(loaded.config)
        epochs = [each.epochs for each in phases if each.optimizer == loaded.config.optimizer]
        training = dataclasses.replace(training, epochs=max(epochs, default=1))
        rate = rate if epochs else None
    return (rate if isinstance(rate, dict) else {}), training, (*path, "learning_rate")


def _find_late_boundaries(rate: Spec, training: Training, path: Path) -> Iterator[Note]:
    for index, boundary in enumerate(rate["boundaries"]):
        steps = count_steps(boundary, training)
        if steps < training.total:
            continue
        spread = max(1, training.epochs * (index + 1) // len(rate["values"]))
        yield Note(
            (*path, "boundaries", index),
            f"{_stops(training)}, and this boundary only comes after {_epochs(steps, training)}: "
            f"the learning rate {rate['values'][index + 1]:g} is never reached.",
            f"Write `{{epochs: {spread}}}`, or train longer.",
        )


def _find_late_course(rate: Spec, training: Training, path: Path) -> Iterator[Note]:
    course = find_course(rate, training)
    argument, before = (course.argument, course.before) if course else ("first_decay_steps", 0.0)
    if argument not in rate:  # polynomial_decay that cycles
        return
    end = course.end if course else count_steps(rate[argument], training)
    if end > _LATE * training.total:
        yield Note(
            (*path, argument),
            f"{_stops(training)}, and the schedule only ends after {_epochs(end, training)}: "
            "the learning rate is still high when the weights should settle.",
            _fill_training(argument, before, training),
        )


def _find_slow_decay(rate: Spec, training: Training, path: Path) -> Iterator[Note]:
    scale = count_steps(rate["decay_steps"], training)
    falls: float = min(training.total / scale, _MOST_FALLS) if scale else _MOST_FALLS
    if rate.get("staircase"):
        falls = math.floor(falls)
    if rate["type"] == "inverse_time_decay":
        left = 1 / (1 + rate["decay_rate"] * falls)
    elif rate["decay_rate"] <= 1:
        left = rate["decay_rate"] ** falls
    else:
        return
    if left >= _HARDLY_LOWERED:
        yield Note(
            (*path, "decay_steps"),
            f"{_stops(training)}, after which the learning rate is still {left:.0%} of the first: "
            f"the schedule counts in {_epochs(scale, training)}, and changes next to nothing.",
            f"Write `decay_steps: {{epochs: {max(1, training.epochs // 10)}}}`.",
        )


def _stops(training: Training) -> str:
    return f"training stops after {_count(training.epochs)}"


def _epochs(steps: float, training: Training) -> str:
    return _count(steps / training.steps)


def _count(epochs: float) -> str:
    text = f"{epochs:.3g}" if epochs < 1000 else f"{epochs:,.0f}"
    return f"{text} epoch{'' if text == '1' else 's'}"


def _fill_training(argument: str, before: float, training: Training) -> str:
    """Propose the value with which a schedule ends together with the training."""
    left = training.epochs - before / training.steps
    if left <= 0:
        return "Make the warm-up shorter, or train longer."
    return f"Write `{argument}: {{epochs: {left:.4g}}}`."
