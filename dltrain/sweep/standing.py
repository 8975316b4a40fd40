"""How does a sweep stand at this moment, and how long will it still take?

A `Standing` is never changed: each thing that is heard of the sweep makes a new one, so that a
thread may draw one while the next is made. Times are those of `time.monotonic`, in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from dltrain.sweep.finalists import count_trainings, list_left

_ENDED = ("finished", "pruned", "failed")


@dataclass(frozen=True)
class Running:
    """A training at work: `trial`, with another `seed` if it is a finalist's.

    `epoch` is the last that ended, 0 before the first; `value` the first objective after it.
    """

    trial: int
    seed: int | None
    values: Mapping[str, Any]
    began: float
    epoch: int = 0
    epochs: int | None = None
    value: float | None = None


@dataclass(frozen=True)
class Standing:
    """What is known of a sweep that runs.

    `goal` counts the trials, `finalists` the trainings that follow them with other seeds.
    `elsewhere` are the trials at work in other processes of the study. `took`
    and `finalists_took` are the seconds of each that this process saw from its beginning to its
    end. `deadline` is that of max_seconds.
    """

    goal: int
    workers: int
    began: float
    finalists: int = 0
    deadline: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    finalists_done: int = 0
    best: Mapping[str, Any] | None = None
    front: int = 0
    running: tuple[Running, ...] = ()
    elsewhere: int = 0
    took: tuple[float, ...] = ()
    finalists_took: tuple[float, ...] = ()

    @property
    def done(self) -> int:
        """Return how many trials have ended, however."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class TimeLeft:
    """Seconds that are left; `limited`: max_seconds comes first, or is all there is to go by."""

    seconds: float
    limited: bool


def read_document(standing: Standing, document: Mapping[str, Any]) -> Standing:
    """Return the standing with the counts and the best of what sweep.json holds."""
    rows = document["trials"]
    states = [row["state"] for row in rows]
    best, retrained = document["best"], document["retrained"]
    row = next((row for row in rows if row["trial"] == best), None)
    return replace(
        standing,
        goal=document["goal"],
        counts={state: states.count(state) for state in _ENDED},
        best=row,
        front=len(document["front"]),
        elsewhere=sum(row["at"] is not None for row in rows if row["state"] == "running"),
        finalists=count_trainings(retrained) if retrained else standing.finalists,
        finalists_done=count_trainings(retrained) - len(list_left(retrained)),
    )


def begin_training(
    standing: Standing,
    trial: int,
    values: Mapping[str, Any],
    *,
    now: float,
    seed: int | None = None,
) -> Standing:
    """Return the standing in which that training is at work, from its first epoch or a later."""
    begun = Running(trial, seed, values, now)
    return replace(standing, running=(*_leave_out(standing, trial, seed), begun))


def end_epoch(
    standing: Standing,
    trial: int,
    *,
    epoch: int,
    epochs: int,
    value: float,
    seed: int | None = None,
) -> Standing:
    """Return the standing in which that training has an epoch behind it."""
    running = tuple(
        replace(each, epoch=epoch, epochs=epochs, value=value)
        if (each.trial, each.seed) == (trial, seed)
        else each
        for each in standing.running
    )
    return replace(standing, running=running)


def end_training(
    standing: Standing, trial: int, *, now: float, seed: int | None = None
) -> Standing:
    """Return the standing in which that training has ended, and how long it took is noted."""
    ended = [each for each in standing.running if (each.trial, each.seed) == (trial, seed)]
    standing = replace(standing, running=_leave_out(standing, trial, seed))
    took = tuple(now - each.began for each in ended)
    if seed is None:
        return replace(standing, took=(*standing.took, *took))
    return replace(
        standing,
        finalists_took=(*standing.finalists_took, *took),
    )


def estimate_time_left(standing: Standing, now: float) -> TimeLeft | None:
    """Return how long the sweep still takes, or None where nothing tells.

    Each trial is taken to need what those that ended took on average, pruned ones included, and
    the workers to share them out evenly. A worker's first also imports TensorFlow: the first ones
    are left out as soon as others have ended. max_seconds is a limit, whatever else is known.
    """
    limit = None
    if standing.deadline is not None:
        limit = max(0.0, standing.deadline - now)
    seconds = _estimate(standing, now)
    if limit is not None and (seconds is None or limit < seconds):
        return TimeLeft(limit, limited=True)
    return None if seconds is None else TimeLeft(seconds, limited=False)


def _estimate(standing: Standing, now: float) -> float | None:
    took = standing.took[standing.workers :] or standing.took
    again = standing.finalists_took or took
    trials = [each for each in standing.running if each.seed is None]
    finalists = [each for each in standing.running if each.seed is not None]
    waiting = standing.goal - standing.done - len(trials) - standing.elsewhere
    later = standing.finalists - standing.finalists_done - len(finalists)
    seconds = 0.0
    others = standing.elsewhere
    for kind, away, count, sample in (
        (trials, others, waiting, took),
        (finalists, 0, later, again),
    ):
        if not kind and not away and count <= 0:
            continue
        if not sample:
            return None
        mean = fmean(sample)
        left = [*(_left_of(each, mean, now) for each in kind), *[mean] * away]
        seconds += _share_out(left, max(0, count), mean, standing.workers + away)
    return seconds


def _left_of(running: Running, mean: float, now: float) -> float:
    """Return what is left of a training: of the mean, or by its own pace if it takes longer."""
    elapsed = now - running.began
    if elapsed < mean or not running.epoch or running.epochs is None:
        return max(0.0, mean - elapsed)
    return elapsed / running.epoch * (running.epochs - running.epoch)


def _share_out(left: list[float], waiting: int, mean: float, workers: int) -> float:
    """Return when the last of `waiting` trainings of `mean` seconds ends.

    The workers are free again after `left` seconds; those that have nothing to do are free now.
    Each takes as many as the other, and the first to be free one more.
    """
    workers = max(workers, len(left), 1)
    free = sorted([*left, *[0.0] * (workers - len(left))])
    rounds, rest = divmod(waiting, workers)
    return max(
        seconds + mean * (rounds + (place < rest)) if rounds or place < rest else seconds
        for place, seconds in enumerate(free)
    )


def _leave_out(standing: Standing, trial: int, seed: int | None) -> tuple[Running, ...]:
    return tuple(each for each in standing.running if (each.trial, each.seed) != (trial, seed))
