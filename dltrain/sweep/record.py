"""How does a sweep stand? Its sweep.json and best.yaml are written anew at every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths, write_sweep
from dltrain.sweep.finalists import describe_finalists, find_finalist
from dltrain.sweep.result import describe_sweep, describe_trials, find_front, write_best
from dltrain.sweep.study import Recorded, SweepStudy


class SweepRecord:
    """Write what the study knows into the sweep's folder."""

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        study: SweepStudy,
        *,
        fixed: Mapping[str, Any],
        threads: int | None,
        test: Mapping[str, Any] | None,
    ) -> None:
        """Take what doesn't change (`fixed`: name, study, storage), and a test score had before."""
        self._paths, self._sweep, self._study = paths, sweep, study
        self._fixed, self._threads = fixed, threads
        self.test = test

    def write(self, state: str, reason: str = "") -> dict[str, Any]:
        """Write sweep.json and best.yaml as things stand; return what sweep.json holds."""
        trials = self._study.list_trials()
        front = find_front(trials, self._sweep.objectives)
        retrained = self.describe_finalists()
        best = _choose_best(front, trials, retrained)
        if best is not None:
            finalist = find_finalist(retrained, best.number)
            write_best(self._paths, best, self._sweep, threads=self._threads, finalist=finalist)
        document = {
            "name": self._fixed["name"],
            "state": state,
            "reason": reason,
            **describe_sweep(self._sweep),
            "goal": self._study.goal,
            "study": self._fixed["study"],
            "storage": self._fixed["storage"],
            "threads": self._threads,
            "trials": describe_trials(self._paths, trials),
            "best": None if best is None else best.number,
            "front": [each.number for each in front],
            "test": self.test,
            "retrained": retrained,
        }
        write_sweep(self._paths, document)
        return document

    def describe_finalists(self) -> dict[str, Any] | None:
        """Return how the trials stand that are trained with other seeds; None if not so far."""
        trials = self._study.list_trials()
        return describe_finalists(self._paths, self._sweep, trials, goal=self._study.goal)

    def find_best(self) -> Recorded | None:
        """Return the best trial so far, or the one that won with other seeds."""
        trials = self._study.list_trials()
        front = find_front(trials, self._sweep.objectives)
        return _choose_best(front, trials, self.describe_finalists())


def _choose_best(
    front: Sequence[Recorded], trials: Sequence[Recorded], retrained: Mapping[str, Any] | None
) -> Recorded | None:
    winner = retrained["winner"] if retrained else None
    if winner is not None:
        return next(each for each in trials if each.number == winner)
    return front[0] if front else None
