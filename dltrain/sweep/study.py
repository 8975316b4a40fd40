"""What does Optuna keep of a sweep? Its trials: asked for, reported on, ended, found again.

A study in a database may be open in several processes; `Claims` says whose each trial is.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from dltrain.config.sweep import Sweep
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.claims import Alone, Member, Shared, make_member
from dltrain.sweep.journal import open_journal
from dltrain.sweep.samplers import NUMBER, label_choices, make_pruner, make_sampler, suggest
from dltrain.sweep.space import Point, choose_point, walk_points
from dltrain.sweep.storage import explaining_storage, find_study, open_database

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial
    from optuna.trial import TrialState as State

    from dltrain.config.document import Document

TrialState = Literal["running", "finished", "pruned", "failed"]

# Attributes of a trial in the storage: its values as dltrain has them (a trial without them was
# killed while it was made, and counts for nothing), why it failed, what the pruner said last.
_VALUES, _REASON, _JUDGED = "dltrain:values", "dltrain:reason", "dltrain:judged"
_EPOCHS = "dltrain:epochs"

# Attributes of a study in a database: what another machine needs to join it, and what the winner
# gave on the test rows.
CONFIG, GOAL, VERSION = "dltrain:config", "dltrain:goal", "dltrain:version"
_TEST = "dltrain:test"


class TakenOver(Exception):
    """A trial is another process's: this one had given no sign for long, and counted as gone."""


@dataclass(frozen=True)
class Recorded:
    """A trial as the storage has it; `results` are the objectives', in their order.

    `epochs` is how many are known to be done: of one that runs with several objectives, 0.
    """

    number: int
    values: Mapping[str, Any]
    state: TrialState
    reason: str
    results: tuple[float, ...] | None
    epochs: int


class SweepStudy:
    """One study of Optuna, as one process uses it."""

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        document: Document,
        *,
        epochs: int,
        name: str,
        url: str | None,
        member: Member | None = None,
        must_exist: bool = False,
    ) -> None:
        """Open the study, or make it unless it `must_exist`.

        `member` is what this process is called in a database. Raises MachineError if the storage
        doesn't answer, RunError if it is damaged, or if what must exist doesn't.
        """
        import optuna
        from optuna.storages import JournalStorage

        optuna.logging.set_verbosity(logging.ERROR)
        self._sweep, self._document = sweep, document
        self._grid: list[Mapping[str, Any]] | None = None
        if sweep.method == "grid":
            points = walk_points(document, sweep.dimensions, lambda each: each.points or ())
            self._grid = [point.values for point in points]
        self.claims: Alone = Alone()
        with explaining_storage(url):
            storage = open_journal(paths.journal) if url is None else open_database(url)
            if must_exist:
                find_study(storage, paths, name, url)
            self._study: Study = optuna.create_study(
                study_name=name,
                storage=storage,
                directions=[each.direction for each in sweep.objectives],
                pruner=make_pruner(sweep.pruner, epochs=epochs),
                load_if_exists=True,
            )
            self._ids: dict[int, int] = {}
            self._reported: dict[int, set[int]] = {}
            self._find_known()
            if not isinstance(storage, JournalStorage):
                member = member or make_member(secrets.token_hex(4), paths.root)
                claims = Shared(storage.engine, name, member)
                claims.adopt(self._ids)
                self.claims = claims

    @property
    def goal(self) -> int:
        """Return how many trials the sweep has in all."""
        return len(self._grid) if self._grid is not None else self._sweep.trials or 0

    def forget_half_made(self) -> None:
        """End the trials that were killed while they were made, unless another makes one now."""
        from optuna.trial import TrialState as State

        if isinstance(self.claims, Shared) and not self.claims.is_alone():
            return
        for each in self._study.get_trials(deepcopy=False, states=(State.RUNNING, State.WAITING)):
            if _VALUES not in each.user_attrs:
                self._study.tell(each.number, state=State.FAIL)

    def share(self, config: str, *, version: str) -> None:
        """Keep what another machine needs to join; `config` is YAML text with its `sweep:`."""
        self._study.set_user_attr(VERSION, version)
        self._study.set_user_attr(GOAL, self.goal)
        self._study.set_user_attr(CONFIG, config)

    def list_trials(self) -> list[Recorded]:
        """Return the trials in their order."""
        known = self._find_known()
        return [_record(known[number]) for number in sorted(known)]

    def list_own(self) -> list[int]:
        """Return the trials of this process that aren't done: it was stopped while they ran."""
        known = self._find_known()
        done = {number for number, each in known.items() if each.state.is_finished()}
        return [each for each in self.claims.list_own(known) if each not in done]

    def begin_trial(self) -> tuple[int, Point] | None:
        """Begin the next trial; return its number and its config, or None if all have begun."""
        number = self.claims.claim(self.goal, known=self._find_known())
        return None if number is None else (number, self._make_trial(number))

    def _make_trial(self, number: int) -> Point:
        """Ask for the values of a trial that was claimed. Raises TakenOver."""
        from optuna.trial import Trial, create_trial
        from optuna.trial import TrialState as State

        fixed = None
        if self._grid is not None:
            fixed = self._label(self._grid[number - 1])
        self._study.sampler = make_sampler(self._sweep, trial=number, fixed=fixed)
        # As `ask` does, but with its number from the first: see `samplers.NUMBER`.
        self._study._thread_local.cached_all_trials = None
        template = create_trial(state=State.RUNNING, user_attrs={NUMBER: number})
        storage = self._study._storage
        trial = Trial(self._study, storage.create_new_trial(self._study._study_id, template))
        if not self.claims.attach(number, trial._trial_id):
            self._forget(trial._trial_id)
            raise TakenOver
        point = choose_point(
            self._document, self._sweep.dimensions, lambda each: suggest(trial, each)
        )
        with _noticing():
            trial.set_user_attr(_VALUES, dict(point.values))
        self._ids[number] = trial._trial_id
        return point

    def restore(self, number: int) -> Point:
        """Return the config of a trial that was begun before; make it if that was cut short.

        Raises TakenOver.
        """
        if number not in self._ids and number not in self._find_known():
            half_made = self.claims.trial_id(number)
            if half_made is not None:
                self._forget(half_made)
            return self._make_trial(number)
        values = self._frozen(number).user_attrs[_VALUES]
        return choose_point(self._document, self._sweep.dimensions, lambda each: values[each.key])

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the objective's value after an epoch, once; tell whether it is new.

        Raises TakenOver.
        """
        if number not in self._reported:  # asked once: in a database it takes half a dozen queries
            self._reported[number] = set(self._frozen(number).intermediate_values)
        if epoch in self._reported[number]:
            return False
        with _noticing():
            self._study._storage.set_trial_intermediate_value(self._ids[number], epoch, value)
        self._reported[number].add(epoch)
        return True

    def must_stop(self, number: int, *, goal: int) -> bool:
        """Ask the pruner whether the trial, at the last epoch reported, is to be stopped.

        Not at its last epoch, `goal`. What the pruner said of an epoch counts, whatever is killed
        after it: its own notes on the trial (the rungs of successive halving) are written after
        the judgement, and written again if the judgement is all that was. Raises TakenOver.
        """
        trial = self._frozen(number)
        epoch = trial.last_step
        if epoch is None or epoch >= goal:
            return False
        storage = self._study._storage
        judged = trial.user_attrs.get(_JUDGED)
        with _noticing():
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

    def finish(self, number: int, results: tuple[float, ...], *, epochs: int = 0) -> None:
        """Note that a trial ended well. Raises TakenOver, as do the others that end it."""
        self._end(number, epochs=epochs, results=list(results))

    def prune(self, number: int, *, epochs: int = 0) -> None:
        """Note that a trial was stopped by the pruner."""
        from optuna.trial import TrialState as State

        self._end(number, epochs=epochs, state=State.PRUNED)

    def fail(self, number: int, reason: str, *, epochs: int = 0) -> None:
        """Note that a trial failed, and why."""
        from optuna.trial import TrialState as State

        self._end(number, epochs=epochs, state=State.FAIL, reason=reason)

    @property
    def test(self) -> Mapping[str, Any] | None:
        """What a trial gave on the test rows: {trial, metric, value}, once it was scored."""
        found: Mapping[str, Any] | None = self._study.user_attrs.get(_TEST)
        return found

    def keep_test(self, number: int, score: Mapping[str, Any]) -> None:
        """Note what a trial gave on the test rows."""
        self._study.set_user_attr(_TEST, {"trial": number, **score})

    def _end(
        self,
        number: int,
        *,
        epochs: int,
        results: list[float] | None = None,
        state: State | None = None,
        reason: str = "",
    ) -> None:
        trial = self._frozen(number)
        if trial.state.is_finished():
            raise TakenOver
        with _noticing():
            self._study._storage.set_trial_user_attr(self._ids[number], _EPOCHS, epochs)
            if reason:
                self._study._storage.set_trial_user_attr(self._ids[number], _REASON, reason)
            try:
                self._study.tell(trial.number, results, state=state)
            except ValueError:  # Optuna's word for a trial that has just ended
                if self._frozen(number).state.is_finished():
                    raise TakenOver from None
                raise

    def _forget(self, trial_id: int) -> None:
        """End a trial of Optuna's that was never made whole."""
        from optuna.trial import TrialState as State

        with contextlib.suppress(TakenOver), _noticing():
            self._study._storage.set_trial_state_values(trial_id, State.FAIL)

    def _label(self, values: Mapping[str, Any]) -> dict[str, Any]:
        dimensions = {each.key: each for each in self._sweep.dimensions}
        found = dict(values)
        for key, value in values.items():
            if dimensions[key].kind == "choice":
                choices = dimensions[key].choices
                found[key] = label_choices(dimensions[key])[choices.index(value)]
        return found

    def _find_known(self) -> dict[int, FrozenTrial]:
        """Return the trials that are whole, by number; notes their ids."""
        found: dict[int, FrozenTrial] = {}
        for each in self._study.get_trials(deepcopy=False):
            if _VALUES not in each.user_attrs:
                continue
            number = int(each.user_attrs[NUMBER])
            # Two of a number: whoever made one had lost it to another meanwhile.
            if number in found and self.claims.trial_id(number) != each._trial_id:
                continue
            found[number] = each
        self._ids |= {number: each._trial_id for number, each in found.items()}
        return found

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study._storage.get_trial(self._ids[number])


def count_done(trials: Sequence[FrozenTrial]) -> int:
    """Return how many of Optuna's trials are a sweep's, and have ended."""
    return sum(each.state.is_finished() and _VALUES in each.user_attrs for each in trials)


def _record(trial: FrozenTrial) -> Recorded:
    from optuna.trial import TrialState as State

    states: dict[State, TrialState] = {
        State.COMPLETE: "finished",
        State.PRUNED: "pruned",
        State.FAIL: "failed",
    }
    finished = trial.state == State.COMPLETE
    return Recorded(
        number=int(trial.user_attrs[NUMBER]),
        values=trial.user_attrs[_VALUES],
        state=states.get(trial.state, "running"),
        reason=trial.user_attrs.get(_REASON, ""),
        results=tuple(trial.values) if finished and trial.values else None,
        epochs=trial.user_attrs.get(_EPOCHS) or len(trial.intermediate_values),
    )


class _Noting:
    """A storage that keeps what a pruner notes on a trial, instead of writing it."""

    def __init__(self, storage: BaseStorage, notes: dict[str, Any]) -> None:
        self._storage, self._notes = storage, notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._notes[key] = value


@contextlib.contextmanager
def _noticing() -> Iterator[None]:
    """Turn Optuna's refusal to change a trial that has ended into TakenOver."""
    from optuna.exceptions import UpdateFinishedTrialError

    try:
        yield
    except UpdateFinishedTrialError:
        raise TakenOver from None
