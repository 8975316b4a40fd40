"""What does `dltrain sweep` do? It asks for trials, gives them to workers, and keeps the best.

Several of these processes may share a study, on several machines: `claims.py` says how.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dltrain import __version__
from dltrain.config.load import LoadedConfig
from dltrain.config.sweep import Sweep
from dltrain.errors import DltrainError, MachineError, RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run
from dltrain.runs.sweeps import SweepPaths, read_sweep_record
from dltrain.sweep.claims import Shared, make_member
from dltrain.sweep.crew import Crew, choose_threads
from dltrain.sweep.finalists import list_left
from dltrain.sweep.folder import describe_shared, take_folder
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.places import Places
from dltrain.sweep.record import Head, SweepRecord
from dltrain.sweep.result import find_row
from dltrain.sweep.retraining import Retraining
from dltrain.sweep.samplers import refuse_missing
from dltrain.sweep.searching import Searching
from dltrain.sweep.storage import explaining_storage, hide_password
from dltrain.sweep.study import SweepStudy
from dltrain.sweep.trials import Trials
from dltrain.sweep.winner import score_shared, score_test
from dltrain.training.outcome import Interrupted
from dltrain.training.signals import Signals, Terminated, listening


@dataclass(frozen=True)
class SweepOptions:
    """How the trials are trained."""

    workers: int
    data_dir: Path
    offline: bool
    device: str
    command_line: Sequence[str]


def run_sweep(
    loaded: LoadedConfig,
    *,
    runs_root: Path,
    options: SweepOptions,
    storage: str | None = None,
    resume: bool = False,
    join: str | None = None,
    listener: SweepListener | None = None,
) -> tuple[SweepPaths, dict[str, Any]]:
    """Train the trials of a config with `sweep:`, which `check_space` has found right.

    Return the sweep, and what its sweep.json holds. `resume` goes on with the latest of that name,
    `join` is the name of a study in `storage` that another process began. Raises RunError if there
    is none or it is another config's, MachineError if the storage doesn't answer, DataError and
    MachineError from the trials, TrainingError if not one trial ended well.
    """
    assert loaded.sweep is not None
    refuse_missing(loaded.sweep.method)
    paths = take_folder(loaded, runs_root, resume=resume)
    listener = listener or SweepListener()
    try:
        try:
            with explaining_storage(storage):
                conductor = _Conductor(
                    loaded, loaded.sweep, paths, options, storage, join, listener
                )
        except BaseException:
            if not resume:  # nothing was trained, and the next --resume must not find it
                shutil.rmtree(paths.root, ignore_errors=True)
            raise
        return paths, conductor.run()
    finally:
        release_run(RunPaths(paths.root))


class _Conductor:
    """Keep the workers busy until every trial is done."""

    def __init__(
        self,
        loaded: LoadedConfig,
        sweep: Sweep,
        paths: SweepPaths,
        options: SweepOptions,
        storage: str | None,
        join: str | None,
        listener: SweepListener,
    ) -> None:
        self._sweep, self._paths, self._options = sweep, paths, options
        self._storage, self._joined, self._listener = storage, join is not None, listener
        self._threads = choose_threads(options.workers)
        before = read_sweep_record(paths) if paths.record.is_file() else {}
        if before and storage is not None and before.get("storage") is None:
            raise RunError(
                f"{paths.root} keeps its study in {paths.journal.name}.",
                hint="Leave --storage out.",
            )
        if before.get("storage") and storage is None:
            raise RunError(
                f"{paths.root} keeps its study in {before['storage']}.",
                hint="Give its URL with --storage, which isn't written down: it may hold a "
                "password.",
            )
        # Hyperband shares trials out by the study's name: a journal's must not be drawn.
        token = f"/{paths.root.name}/{secrets.token_hex(4)}" if storage else ""
        self._name = join or before.get("study") or f"{loaded.config.name}{token}"
        member = None
        if storage:
            member = make_member(before.get("member") or secrets.token_hex(4), paths.root)
        self._study = SweepStudy(
            paths,
            sweep,
            loaded.document,
            epochs=loaded.config.training.epochs,
            name=self._name,
            url=storage,
            member=member,
            must_exist=bool(before),
        )
        self._study.forget_half_made()
        if storage and join is None:
            self._study.share(describe_shared(loaded), version=__version__)
        test = before.get("test")
        head = Head(
            name=loaded.config.name,
            study=self._name,
            storage=hide_password(storage) if storage else None,
            member=member.id if member else None,
            threads=self._threads,
        )
        mine = replace(sweep, retrain=None) if join else sweep
        self._record = SweepRecord(
            paths, mine, self._study, head=head, test=test, tested=before.get("best")
        )
        self._places = Places(paths, self._study.claims)
        self._trials = Trials(paths, sweep, self._study, self._places, self._record, listener)
        self._deadline = None
        if sweep.max_seconds is not None:
            self._deadline = time.monotonic() + sweep.max_seconds

    def run(self) -> dict[str, Any]:
        again = "the same command" if self._joined else "the same command with --resume"
        hint = f"Nothing is lost. When the database is back, go on with {again}."
        try:
            flag = "--join" if self._joined else "--storage"
            with explaining_storage(self._storage, flag=flag, hint=hint):
                return self._run(again)
        except Interrupted:
            raise
        except DltrainError as error:
            with contextlib.suppress(DltrainError):  # a full disk takes no record either
                self._record.write("failed", error.message, anew=False)
            if isinstance(error, MachineError) and again not in error.hint:
                error.hint = f"{error.hint} Go on with it: {again}.".lstrip()
            raise
        finally:
            self._listener.close()
            # A database that is gone sees soon that nobody is there.
            with contextlib.suppress(MachineError), explaining_storage(self._storage):
                self._study.claims.leave()

    def _run(self, again: str) -> dict[str, Any]:
        self._listener.begin(self._paths, goal=self._study.goal, done=self._trials.count_done())
        if self._storage and not self._joined:
            url = hide_password(self._storage)
            self._listener.note(
                f"Others join it: dltrain sweep --join {shlex.quote(url)} --study {self._name}"
            )
        self._record.write("running")
        size, threads, signals = self._options.workers, self._threads, Signals()
        try:
            with (
                listening(signals, on_second=lambda _: None),
                signals.deferred(),
                Crew(self._paths, size=size, threads=threads, signals=signals) as crew,
            ):
                try:
                    self._search(crew)
                    self._train_finalists(crew)
                    self._score_winner(crew)
                except (KeyboardInterrupt, Terminated):
                    self._listener.note("Stopping: the running trials write a checkpoint.")
                    raise
        except (KeyboardInterrupt, Terminated) as error:
            number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
            raise self._interrupt(number, again) from None
        left = self._describe_left()
        reason = f"stopped by max_seconds, with {left} left" if left else ""
        return self._record.write("interrupted" if left else "finished", reason)

    def _search(self, crew: Crew) -> None:
        Searching(
            crew,
            self._paths,
            self._sweep,
            self._study,
            self._trials,
            order=self._describe_order,
            listener=self._listener,
            is_over=self._is_over,
        ).run()

    def _is_over(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _describe_order(self, trial: int) -> dict[str, Any]:
        return {
            "directory": str(self._places.run_of(trial).root),
            "data_dir": str(self._options.data_dir),
            "offline": self._options.offline,
            "device": self._options.device,
            "command_line": list(self._options.command_line),
            "waits": self._answers,
        }

    @property
    def _answers(self) -> bool:
        """Tell whether a worker that reports an epoch may have to stop.

        Where it never has to, it doesn't wait for this process, which may be at work.
        """
        prunes = self._sweep.pruner["type"] != "none"
        return prunes or self._deadline is not None or self._trials.is_shared

    def _train_finalists(self, crew: Crew) -> None:
        """Train the best trials with other seeds, if the sweep asks for it and is so far."""
        if self._sweep.retrain is None or self._trials.count_done() < self._study.goal:
            return
        if self._leaves_the_end:
            self._listener.note("The process that began the sweep trains the best ones again.")
            return
        Retraining(
            crew,
            self._paths,
            self._sweep,
            order=self._describe_order(0),
            restore=self._study.restore,
            listener=self._listener,
            write=lambda: self._record.write("running"),
            is_over=self._is_over,
            on_wait=self._trials.refresh,
        ).run()

    @property
    def _leaves_the_end(self) -> bool:
        """Tell whether the winner is found, and scored, by the process that began the sweep.

        Trainings with other seeds lie in its folder, and all others would train them again.
        """
        return self._sweep.retrain is not None and self._joined

    def _describe_left(self) -> str:
        """Return `2 trials`, or the trainings with other seeds; "" when all are done."""
        left = self._study.goal - self._trials.count_done()
        if left:
            return "1 trial" if left == 1 else f"{left} trials"
        again = len(list_left(self._record.describe_finalists()))
        return f"{again} training{'' if again == 1 else 's'} with other seeds" if again else ""

    def _score_winner(self, crew: Crew) -> None:
        """Score the test rows, once, by the model of the best trial of a sweep that is done."""
        best = self._record.find_best()
        if best is None or self._describe_left() or self._leaves_the_end:
            return
        trial, claims = best.number, self._study.claims

        def score() -> Mapping[str, Any]:
            order, wait = self._describe_order(trial), self._trials.refresh
            return score_test(crew, order, listener=self._listener, on_wait=wait)

        def wait() -> bool:
            self._trials.refresh()
            crew.hear(seconds=1.0)
            return not self._is_over()

        if isinstance(claims, Shared):
            self._record.test = score_shared(
                self._study, claims, self._places, trial, score=score, wait=wait
            )
        elif self._record.test is None or self._record.tested != trial:
            self._record.test = score()
        self._record.tested = trial

    def _interrupt(self, number: int, again: str) -> Interrupted:
        word = "terminated" if number == signal.SIGTERM else "interrupted"
        done, goal = self._trials.count_done(), self._study.goal
        reached = f"{word}: {done} of {goal} trials are done"
        if left := len(list_left(self._record.describe_finalists())):
            reached += f", {left} training{'' if left == 1 else 's'} with other seeds are left"
        self._record.write("interrupted", reached)
        return Interrupted(
            f"The sweep was {reached}.",
            signal_number=number,
            hint=f"Go on with it: {again}.",
        )


__all__ = ["SweepListener", "SweepOptions", "find_row", "run_sweep"]
