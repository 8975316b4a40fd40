"""Which trial comes next, and what became of it? As one process of a study sees its trials."""

from __future__ import annotations

import contextlib

from dltrain.config.sweep import Sweep
from dltrain.errors import ConfigError
from dltrain.runs.history import read_history
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.claims import Shared
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.places import Places, write_trial_config
from dltrain.sweep.record import SweepRecord
from dltrain.sweep.result import count_epochs, holding_run, note_pruned, read_results
from dltrain.sweep.space import Point
from dltrain.sweep.study import SweepStudy, TakenOver


class Trials:
    """The trials of a sweep; those of other processes of the same study are heard of only."""

    def __init__(
        self,
        paths: SweepPaths,
        sweep: Sweep,
        study: SweepStudy,
        places: Places,
        record: SweepRecord,
        listener: SweepListener,
    ) -> None:
        self._paths, self._sweep, self._study = paths, sweep, study
        self._places, self._record, self._listener = places, record, listener
        self._waiting = study.list_own()
        self._told = {each.number for each in study.list_trials() if each.state != "running"}
        self.epochs: dict[int, int] = {}
        """How many epochs each trial that was begun here is to have."""
        self._at_work: set[int] = set()
        self.lost: set[int] = set()
        """Trials that a worker here still trains, though another process has taken them."""

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes may have trials of the study."""
        return self._study.claims.is_shared

    def count_done(self) -> int:
        """Return how many trials have ended, here and elsewhere."""
        return sum(each.state != "running" for each in self._study.list_trials())

    def find_next(self) -> tuple[int, Point] | None:
        """Return a trial to train: one that was interrupted, or a new one; None if there is none.

        What another process left behind is taken over.
        """
        while True:
            try:
                if self._waiting:
                    trial = self._waiting.pop(0)
                elif (orphan := self._take_orphan()) is not None:
                    trial = orphan
                else:
                    return self._study.begin_trial()
                return trial, self._study.restore(trial)
            except TakenOver:  # while this process was held up
                continue

    def prepare(self, trial: int, point: Point) -> bool:
        """Write a trial's config; tell whether anything is left to be trained."""
        try:
            loaded = write_trial_config(self._paths, trial, point)
        except ConfigError as error:
            self.fail(trial, "; ".join(each.message for each in error.problems))
            return False
        self.epochs[trial] = loaded.config.training.epochs
        if self._close(trial):
            return False
        self._at_work.add(trial)
        self._listener.begin_trial(trial, point.values)
        self._record.write("running")
        return True

    def _close(self, trial: int) -> bool:
        """End a trial that was killed between its end and the note of it; tell whether it is so."""
        run = self._places.run_of(trial)
        if not run.root.is_dir():
            return False
        with holding_run(run):
            if read_results(run, self._sweep.objectives) is not None:
                self.finish(trial)
            elif self._catch_up(trial):
                note_pruned(run)
                self.prune(trial)
            else:
                return False
        return True

    def _catch_up(self, trial: int) -> bool:
        """Note the epochs that were trained and not noted; tell whether the pruner stops there."""
        goal, objectives = self.epochs[trial], self._sweep.objectives
        stops = self._study.must_stop(trial, goal=goal)
        run = self._places.run_of(trial)
        rows = read_history(run.history) if len(objectives) == 1 else []
        for row in rows:
            epoch, value = int(row["epoch"]), row[objectives[0].metric]
            if not stops and self._study.report(trial, epoch, value):
                stops = self._study.must_stop(trial, goal=goal)
        return stops

    def leave_off(self, trial: int) -> bool:
        """Note that no worker here is at a trial any more; tell whether it is still this one's."""
        self._at_work.discard(trial)
        kept = trial not in self.lost
        self.lost.discard(trial)
        return kept

    def put_back(self, trial: int) -> None:
        """Let a trial be the next."""
        self._waiting.insert(0, trial)

    def finish(self, trial: int) -> None:
        """Note that a trial's run has ended well. Raises TakenOver, as all that end one."""
        run = self._places.run_of(trial)
        results = read_results(run, self._sweep.objectives)
        assert results is not None
        self._study.finish(trial, results, epochs=count_epochs(run))
        self._tell(trial)

    def prune(self, trial: int) -> None:
        """Note that the pruner stopped a trial."""
        self._study.prune(trial, epochs=count_epochs(self._places.run_of(trial)))
        self._tell(trial)

    def fail(self, trial: int, reason: str) -> None:
        """Note that a trial failed, and why."""
        self._study.fail(trial, reason, epochs=count_epochs(self._places.run_of(trial)))
        self._tell(trial)

    def refresh(self) -> None:
        """Give a sign of life, and hear what the other processes have done. Cheap to call often."""
        lost = self._study.claims.refresh()
        if lost is None:
            return
        for trial in sorted(lost):
            if trial in self._waiting:
                self._waiting.remove(trial)
        self.lost |= lost & self._at_work
        for each in self._study.list_trials():
            if each.state != "running" and each.number not in self._told:
                self._hear_of(each.number)

    def list_elsewhere(self) -> list[int]:
        """Return the trials that other processes are at."""
        own = set(self._study.list_own())
        return [
            each.number
            for each in self._study.list_trials()
            if each.state == "running" and each.number not in own
        ]

    def _take_orphan(self) -> int | None:
        claims = self._study.claims
        if not isinstance(claims, Shared):
            return None
        orphans = claims.list_orphans()
        if not orphans:
            return None
        done = {each.number for each in self._study.list_trials() if each.state != "running"}
        for trial in orphans:
            if trial in done or trial in self.lost:
                continue
            host = claims.host_of(trial)
            place = self._places.choose(trial)
            if claims.take_over(trial, place=place):
                how = "begins anew" if place == claims.me.id else "goes on"
                self._listener.note(f"Trial {trial}, whose process on {host} is gone, {how} here.")
                return trial
        return None

    def _hear_of(self, trial: int) -> None:
        """Take a trial that ended elsewhere: its config is kept here too, as those of all are."""
        with contextlib.suppress(ConfigError):  # which is what it failed of
            write_trial_config(self._paths, trial, self._study.restore(trial))
        self._tell(trial)

    def _tell(self, trial: int) -> None:
        self._told.add(trial)
        self._listener.end_trial(self._record.write("running"), trial)
