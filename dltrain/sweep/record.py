"""How does a sweep stand? Its sweep.json and best.yaml are written anew at every change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths, write_sweep
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
        if front:
            write_best(self._paths, front[0], self._sweep, threads=self._threads)
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
            "best": front[0].number if front else None,
            "front": [each.number for each in front],
            "test": self.test,
        }
        write_sweep(self._paths, document)
        return document

    def find_best(self) -> Recorded | None:
        """Return the best trial so far."""
        front = find_front(self._study.list_trials(), self._sweep.objectives)
        return front[0] if front else None
