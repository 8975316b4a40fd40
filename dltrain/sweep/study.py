"""What does Optuna keep of a sweep? Its trials: asked for, reported on, ended, found again."""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.samplers import NUMBER, label_choices, make_pruner, make_sampler, suggest
from dltrain.sweep.space import Point, choose_point, walk_points
from dltrain.sweep.storage import UNANSWERED, explaining_storage, find_study, open_storage

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from dltrain.config.document import Document

P = ParamSpec("P")
R = TypeVar("R")

TrialState = Literal["running", "finished", "pruned", "failed"]

# Attributes of a trial in the storage: its values as dltrain has them (a trial without them was
# killed while it was made, and counts for nothing), why it failed, what the pruner said last.
_VALUES, _REASON, _JUDGED = "dltrain:values", "dltrain:reason", "dltrain:judged"


@dataclass(frozen=True)
class Recorded:
    """A trial as the storage has it; `results` are the objectives', in their order."""

    number: int
    values: Mapping[str, Any]
    state: TrialState
    reason: str
    results: tuple[float, ...] | None


def _explained(
    method: Callable[Concatenate[SweepStudy, P], R],
) -> Callable[Concatenate[SweepStudy, P], R]:
    """Let a method raise MachineError where the storage fails."""

    @functools.wraps(method)
    def call(self: SweepStudy, /, *arguments: P.args, **options: P.kwargs) -> R:
        with explaining_storage(self._paths, self._url):
            return method(self, *arguments, **options)

    return call


class SweepStudy:
    """One study of Optuna, used by one process.

    Every method raises MachineError if the disk is full or the database doesn't answer.
    """

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        document: Document,
        *,
        epochs: int,
        name: str,
        url: str | None,
        must_exist: bool = False,
    ) -> None:
        """Open the study, or make it unless it `must_exist`.

        Raises MachineError if the storage doesn't answer, RunError if it is damaged, or if what
        must exist doesn't.
        """
        import optuna

        optuna.logging.set_verbosity(logging.ERROR)
        self._sweep, self._document = sweep, document
        self._grid: list[Mapping[str, Any]] | None = None
        if sweep.method == "grid":
            points = walk_points(document, sweep.dimensions, lambda each: each.points or ())
            self._grid = [point.values for point in points]
        self._paths, self._url = paths, url
        with explaining_storage(paths, url, hint=UNANSWERED):
            storage = open_storage(paths, url)
            if must_exist:
                find_study(storage, paths, name, url)
            self._study: Study = optuna.create_study(
                study_name=name,
                storage=storage,
                directions=[each.direction for each in sweep.objectives],
                pruner=make_pruner(sweep.pruner, epochs=epochs),
                load_if_exists=True,
            )
        self._ids = {_number(each): each._trial_id for each in self._known()}

    @property
    def goal(self) -> int:
        """Return how many trials the sweep has in all."""
        return len(self._grid) if self._grid is not None else self._sweep.trials or 0

    @_explained
    def forget_half_made(self) -> None:
        """End the trials that were killed while they were made; call it as the only process."""
        from optuna.trial import TrialState as State

        for each in self._study.get_trials(deepcopy=False, states=(State.RUNNING, State.WAITING)):
            if _VALUES not in each.user_attrs:
                self._study.tell(each.number, state=State.FAIL)

    @_explained
    def list_trials(self) -> list[Recorded]:
        """Return the trials in their order."""
        return [_record(each) for each in sorted(self._known(), key=_number)]

    @_explained
    def begin_trial(self) -> tuple[int, Point]:
        """Begin the next trial; return its number, and its config."""
        from optuna.trial import Trial, TrialState, create_trial

        number = max((_number(each) for each in self._known()), default=0) + 1
        fixed = None
        if self._grid is not None:
            fixed = self._label(self._grid[number - 1])
        self._study.sampler = make_sampler(self._sweep, trial=number, fixed=fixed)
        # As `ask` does, but with its number from the first: see `samplers.NUMBER`.
        self._study._thread_local.cached_all_trials = None
        template = create_trial(state=TrialState.RUNNING, user_attrs={NUMBER: number})
        storage = self._study._storage
        trial = Trial(self._study, storage.create_new_trial(self._study._study_id, template))
        point = choose_point(
            self._document, self._sweep.dimensions, lambda each: suggest(trial, each)
        )
        trial.set_user_attr(_VALUES, dict(point.values))
        self._ids[number] = trial._trial_id
        return number, point

    def restore(self, number: int) -> Point:
        """Return the config of a trial that was begun before."""
        values = self._frozen(number).user_attrs[_VALUES]
        return choose_point(self._document, self._sweep.dimensions, lambda each: values[each.key])

    @_explained
    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the objective's value after an epoch, once; tell whether it is new."""
        if epoch in self._frozen(number).intermediate_values:
            return False
        self._study._storage.set_trial_intermediate_value(self._ids[number], epoch, value)
        return True

    @_explained
    def must_stop(self, number: int, *, goal: int) -> bool:
        """Ask the pruner whether the trial, at the last epoch reported, is to be stopped.

        Not at its last epoch, `goal`. What the pruner said of an epoch counts, whatever is killed
        after it: its own notes on the trial (the rungs of successive halving) are written after
        the judgement, and written again if the judgement is all that was.
        """
        trial = self._frozen(number)
        epoch = trial.last_step
        if epoch is None or epoch >= goal:
            return False
        storage = self._study._storage
        judged = trial.user_attrs.get(_JUDGED)
        if judged is None or judged["epoch"] != epoch:
            study, notes = copy.copy(self._study), dict[str, Any]()
            study._storage = cast(Any, _Noting(storage, notes))
            stop = bool(study.pruner.prune(study, trial))
            judged = {"epoch": epoch, "stop": stop, "notes": notes}
            if stop or notes:
                storage.set_trial_user_attr(self._ids[number], _JUDGED, judged)
        for key, value in judged["notes"].items():
            if key not in trial.system_attrs:
                storage.set_trial_system_attr(self._ids[number], key, value)
        return bool(judged["stop"])

    @_explained
    def finish(self, number: int, results: tuple[float, ...]) -> None:
        """Note that a trial ended well."""
        self._study.tell(self._frozen(number).number, list(results))

    @_explained
    def prune(self, number: int) -> None:
        """Note that a trial was stopped by the pruner."""
        from optuna.trial import TrialState as State

        self._study.tell(self._frozen(number).number, state=State.PRUNED)

    @_explained
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
    return int(trial.user_attrs[NUMBER])


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


class _Noting:
    """A storage that keeps what a pruner notes on a trial, instead of writing it."""

    def __init__(self, storage: BaseStorage, notes: dict[str, Any]) -> None:
        self._storage, self._notes = storage, notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._notes[key] = value
