"""What does Optuna keep of a sweep? Its trials: asked for, reported on, ended, found again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.samplers import label_choices, make_pruner, make_sampler, suggest
from dltrain.sweep.space import Point, choose_point, walk_points
from dltrain.sweep.storage import explaining_storage, open_storage

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from dltrain.config.document import Document

TrialState = Literal["running", "finished", "pruned", "failed"]

# Attributes of a trial in the storage: its number from 1, and its values as dltrain has them. A
# trial without them was killed while it was made, and counts for nothing.
_NUMBER, _VALUES, _REASON = "dltrain:trial", "dltrain:values", "dltrain:reason"


@dataclass(frozen=True)
class Recorded:
    """A trial as the storage has it; `results` are the objectives', in their order."""

    number: int
    values: Mapping[str, Any]
    state: TrialState
    reason: str
    results: tuple[float, ...] | None


class SweepStudy:
    """One study of Optuna, used by one process."""

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        document: Document,
        *,
        epochs: int,
        name: str,
        url: str | None,
    ) -> None:
        """Open the study, or make it. Raises MachineError if the storage doesn't answer."""
        import optuna

        optuna.logging.set_verbosity(logging.ERROR)
        self._sweep, self._document = sweep, document
        self._grid: list[Mapping[str, Any]] | None = None
        if sweep.method == "grid":
            points = walk_points(document, sweep.dimensions, lambda each: each.points or ())
            self._grid = [point.values for point in points]
        with explaining_storage(url):
            self._study: Study = optuna.create_study(
                study_name=name,
                storage=open_storage(paths, url),
                directions=[each.direction for each in sweep.objectives],
                pruner=make_pruner(sweep.pruner, epochs=epochs),
                load_if_exists=True,
            )
        self._ids = {_number(each): each._trial_id for each in self._known()}

    @property
    def goal(self) -> int:
        """Return how many trials the sweep has in all."""
        return len(self._grid) if self._grid is not None else self._sweep.trials or 0

    def forget_half_made(self) -> None:
        """End the trials that were killed while they were made; call it as the only process."""
        from optuna.trial import TrialState as State

        for each in self._study.get_trials(deepcopy=False, states=(State.RUNNING, State.WAITING)):
            if _VALUES not in each.user_attrs:
                self._study.tell(each.number, state=State.FAIL)

    def list_trials(self) -> list[Recorded]:
        """Return the trials in their order."""
        return [_record(each) for each in sorted(self._known(), key=_number)]

    def begin_trial(self) -> tuple[int, Point]:
        """Begin the next trial; return its number, and its config."""
        number = max((_number(each) for each in self._known()), default=0) + 1
        fixed = None
        if self._grid is not None:
            fixed = self._label(self._grid[number - 1])
        self._study.sampler = make_sampler(self._sweep, trial=number, fixed=fixed)
        trial = self._study.ask()
        point = choose_point(
            self._document, self._sweep.dimensions, lambda each: suggest(trial, each)
        )
        trial.set_user_attr(_NUMBER, number)
        trial.set_user_attr(_VALUES, dict(point.values))
        self._ids[number] = trial._trial_id
        return number, point

    def restore(self, number: int) -> Point:
        """Return the config of a trial that was begun before."""
        values = self._frozen(number).user_attrs[_VALUES]
        return choose_point(self._document, self._sweep.dimensions, lambda each: values[each.key])

    def report(self, number: int, epoch: int, value: float) -> None:
        """Note the objective's value after an epoch, once."""
        if epoch not in self._frozen(number).intermediate_values:
            self._study._storage.set_trial_intermediate_value(self._ids[number], epoch, value)

    def must_stop(self, number: int) -> bool:
        """Ask the pruner whether the trial, at the last epoch reported, is to be stopped."""
        trial = self._frozen(number)
        return bool(trial.intermediate_values) and self._study.pruner.prune(self._study, trial)

    def finish(self, number: int, results: tuple[float, ...]) -> None:
        """Note that a trial ended well."""
        self._study.tell(self._frozen(number).number, list(results))

    def prune(self, number: int) -> None:
        """Note that a trial was stopped by the pruner."""
        from optuna.trial import TrialState as State

        self._study.tell(self._frozen(number).number, state=State.PRUNED)

    def fail(self, number: int, reason: str) -> None:
        """Note that a trial failed, and why."""
        from optuna.trial import TrialState as State

        self._study._storage.set_trial_user_attr(self._ids[number], _REASON, reason)
        self._study.tell(self._frozen(number).number, state=State.FAIL)

    def _label(self, values: Mapping[str, Any]) -> dict[str, Any]:
        dimensions = {each.key: each for each in self._sweep.dimensions}
        found = dict(values)
        for key, value in values.items():
            if dimensions[key].kind == "choice":
                choices = dimensions[key].choices
                found[key] = label_choices(dimensions[key])[choices.index(value)]
        return found

    def _known(self) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False)
        return [each for each in trials if _VALUES in each.user_attrs]

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study._storage.get_trial(self._ids[number])


def _number(trial: FrozenTrial) -> int:
    return int(trial.user_attrs[_NUMBER])


def _record(trial: FrozenTrial) -> Recorded:
    from optuna.trial import TrialState as State

    states: dict[State, TrialState] = {
        State.COMPLETE: "finished",
        State.PRUNED: "pruned",
        State.FAIL: "failed",
    }
    finished = trial.state == State.COMPLETE
    return Recorded(
        number=_number(trial),
        values=trial.user_attrs[_VALUES],
        state=states.get(trial.state, "running"),
        reason=trial.user_attrs.get(_REASON, ""),
        results=tuple(trial.values) if finished and trial.values else None,
    )
