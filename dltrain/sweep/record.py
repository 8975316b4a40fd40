"""How does a sweep stand? Its sweep.json and best.yaml are written anew at every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths, write_sweep
from dltrain.sweep.finalists import describe_finalists, find_finalist
from dltrain.sweep.places import write_trial_config
from dltrain.sweep.result import describe_sweep, describe_trials, find_front, write_best
from dltrain.sweep.study import Recorded, SweepStudy


@dataclass(frozen=True)
class Head:
    """What sweep.json says of a sweep as a whole, and doesn't change."""

    name: str
    study: str
    storage: str | None
    member: str | None
    threads: int | None


class SweepRecord:
    """Write what the study knows into the sweep's folder."""

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        study: SweepStudy,
        *,
        head: Head,
        test: Mapping[str, Any] | None,
        tested: int | None,
    ) -> None:
        """Take what stays as it is, and the test score that trial `tested` had before."""
        self._paths, self._sweep, self._study, self._head = paths, sweep, study, head
        self._trials: Sequence[Recorded] = ()
        self.test, self.tested = test, tested

    def write(self, state: str, reason: str = "", *, anew: bool = True) -> dict[str, Any]:
        """Write sweep.json and best.yaml as things stand; return what sweep.json holds.

        Not `anew`, the storage isn't asked: the trials are those of the last time.
        """
        if anew:
            self._trials = self._study.list_trials()
            self._study.claims.look()
        places = {each.number: self._study.claims.place_of(each.number) for each in self._trials}
        front = find_front(self._trials, self._sweep.objectives)
        retrained = self._describe_finalists(self._trials)
        best = _choose_best(front, self._trials, retrained)
        if best is not None:
            if anew and not self._paths.trial_config(best.number).is_file():
                write_trial_config(self._paths, best.number, self._study.restore(best.number))
            write_best(
                self._paths,
                best,
                self._sweep,
                threads=self._head.threads,
                place=places[best.number],
                finalist=find_finalist(retrained, best.number),
            )
        document = {
            "name": self._head.name,
            "state": state,
            "reason": reason,
            **describe_sweep(self._sweep),
            "goal": self._study.goal,
            "study": self._head.study,
            "storage": self._head.storage,
            "member": self._head.member,
            "threads": self._head.threads,
            "trials": describe_trials(self._paths, self._trials, places=places),
            "best": None if best is None else best.number,
            "front": [each.number for each in front],
            # Of another trial it says nothing: a sweep that went on has a new best one.
            "test": self.test if best is not None and best.number == self.tested else None,
            "retrained": retrained,
        }
        write_sweep(self._paths, document)
        return document

    def describe_finalists(self) -> dict[str, Any] | None:
        """Return how the trials stand that are trained with other seeds; None if not so far."""
        return self._describe_finalists(self._study.list_trials())

    def find_best(self) -> Recorded | None:
        """Return the best trial so far, or the one that won with other seeds."""
        trials = self._study.list_trials()
        front = find_front(trials, self._sweep.objectives)
        return _choose_best(front, trials, self._describe_finalists(trials))

    def _describe_finalists(self, trials: Sequence[Recorded]) -> dict[str, Any] | None:
        return describe_finalists(self._paths, self._sweep, trials, goal=self._study.goal)


def _choose_best(
    front: Sequence[Recorded], trials: Sequence[Recorded], retrained: Mapping[str, Any] | None
) -> Recorded | None:
    winner = retrained["winner"] if retrained else None
    if winner is not None:
        return next(each for each in trials if each.number == winner)
    return front[0] if front else None
