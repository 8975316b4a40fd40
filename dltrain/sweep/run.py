"""What does `dltrain sweep` do? It asks for trials, gives them to workers, and keeps the best."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig, check_document
from dltrain.config.sweep import Sweep
from dltrain.errors import ConfigError, DataError, DltrainError, MachineError, RunError
from dltrain.runs.atomic import write_text
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run
from dltrain.runs.sweeps import SweepPaths, read_sweep_record
from dltrain.shapes.infer import infer_shapes
from dltrain.sweep.crew import Crew, Worker, choose_threads
from dltrain.sweep.finalists import list_left
from dltrain.sweep.folder import take_folder
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.record import SweepRecord
from dltrain.sweep.result import find_row, read_results
from dltrain.sweep.retraining import Retraining
from dltrain.sweep.samplers import refuse_missing
from dltrain.sweep.space import Point
from dltrain.sweep.storage import hide_password
from dltrain.sweep.study import SweepStudy
from dltrain.sweep.winner import score_test
from dltrain.training.outcome import Interrupted
from dltrain.training.signals import Signals, Terminated, listening

# A trial whose worker dies so often, with no epoch between, takes it down by itself.
_DEATHS = 2


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
    listener: SweepListener | None = None,
) -> tuple[SweepPaths, dict[str, Any]]:
    """Train the trials of a config with `sweep:`, which `check_space` has found right.

    Return the sweep, and what its sweep.json holds. `resume` goes on with the latest of that name.
    Raises RunError if there is none or it is another config's, MachineError if the storage doesn't
    answer, DataError and MachineError from the trials, TrainingError if not one trial ended well.
    """
    assert loaded.sweep is not None
    refuse_missing(loaded.sweep.method)
    paths = take_folder(loaded, runs_root, resume=resume)
    try:
        try:
            conductor = _Conductor(loaded, loaded.sweep, paths, options, storage, listener)
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
        listener: SweepListener | None,
    ) -> None:
        self._loaded, self._sweep, self._paths = loaded, sweep, paths
        self._options, self._listener = options, listener or SweepListener()
        self._threads = choose_threads(options.workers)
        before = read_sweep_record(paths) if paths.record.is_file() else {}
        if before.get("storage") and storage is None:
            raise RunError(
                f"{paths.root} keeps its study in {before['storage']}.",
                hint="Give its URL with --storage, which isn't written down: it may hold a "
                "password.",
            )
        # Hyperband shares trials out by the study's name: a journal's must not be drawn.
        token = f"/{paths.root.name}/{secrets.token_hex(4)}" if storage else ""
        name = before.get("study") or f"{loaded.config.name}{token}"
        self._study = SweepStudy(
            paths,
            sweep,
            loaded.document,
            epochs=loaded.config.training.epochs,
            name=name,
            url=storage,
        )
        self._study.forget_half_made()
        self._tested = before.get("best") if before.get("test") else None
        self._record = SweepRecord(
            paths,
            sweep,
            self._study,
            fixed={
                "name": loaded.config.name,
                "study": name,
                "storage": hide_password(storage) if storage else None,
            },
            threads=self._threads,
            test=before.get("test"),
        )
        self._epochs: dict[int, int] = {}
        self._deaths: dict[int, int] = {}
        self._waiting = [
            each.number for each in self._study.list_trials() if each.state == "running"
        ]
        self._heard_any = False
        self._deadline = None
        if sweep.max_seconds is not None:
            self._deadline = time.monotonic() + sweep.max_seconds

    def run(self) -> dict[str, Any]:
        done = [each for each in self._study.list_trials() if each.state != "running"]
        self._listener.begin(self._paths, goal=self._study.goal, done=len(done))
        self._record.write("running")
        try:
            with (
                listening(Signals(), on_second=lambda _: None),
                Crew(self._paths, size=self._options.workers, threads=self._threads) as crew,
            ):
                try:
                    self._train(crew)
                    self._train_finalists(crew)
                    self._score_winner(crew)
                except (KeyboardInterrupt, Terminated):
                    self._listener.note("Stopping: the running trials write a checkpoint.")
                    raise
        except (KeyboardInterrupt, Terminated) as error:
            number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
            raise self._interrupt(number) from None
        except DltrainError as error:
            self._record.write("failed", error.message)
            raise
        finally:
            self._listener.close()
        left = self._describe_left()
        reason = f"stopped by max_seconds, with {left} left" if left else ""
        return self._record.write("interrupted" if left else "finished", reason)

    def _train(self, crew: Crew) -> None:
        while True:
            for worker in crew.find_idle():
                trial = self._take_trial()
                if trial is None:
                    break
                self._give(crew, worker, trial)
            if not crew.busy:
                return
            for worker, message in crew.hear(seconds=1.0):
                if message is None:
                    self._bury(crew, worker)
                else:
                    self._heard_any = True
                    self._hear(worker, message)

    def _take_trial(self) -> int | None:
        """Return the next trial to train, or None if there is none, or no time."""
        while not self._is_over():
            if self._waiting:
                trial = self._waiting.pop(0)
                point = self._study.restore(trial)
            elif len(self._study.list_trials()) < self._study.goal:
                trial, point = self._study.begin_trial()
            else:
                return None
            if self._prepare(trial, point):
                self._listener.begin_trial(trial, point.values)
                self._record.write("running")
                return trial
        return None

    def _is_over(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _prepare(self, trial: int, point: Point) -> bool:
        """Write a trial's config; tell whether anything is left to be trained."""
        try:
            loaded = check_document(point.document)
            infer_shapes(loaded).raise_any()
        except ConfigError as error:
            self._study.fail(trial, "; ".join(each.message for each in error.problems))
            self._end(trial)
            return False
        self._epochs[trial] = loaded.config.training.epochs
        if not self._paths.trial_config(trial).is_file():
            write_text(self._paths.trial_config(trial), dump_config(loaded.config))
        # What was killed between a trial's end and the note of it, or an epoch's and its pruning.
        results = read_results(self._paths.trial(trial), self._sweep.objectives)
        if results is not None:
            self._study.finish(trial, results)
        elif self._study.must_stop(trial):
            self._study.prune(trial)
        else:
            return True
        self._end(trial)
        return False

    def _give(self, crew: Crew, worker: Worker, trial: int) -> None:
        crew.give(
            worker,
            trial,
            {
                "do": "train",
                "config": str(self._paths.trial_config(trial)),
                **self._describe_order(trial),
            },
        )

    def _describe_order(self, trial: int) -> dict[str, Any]:
        return {
            "directory": str(self._paths.trial(trial).root),
            "data_dir": str(self._options.data_dir),
            "offline": self._options.offline,
            "device": self._options.device,
            "command_line": list(self._options.command_line),
        }

    def _hear(self, worker: Worker, message: Mapping[str, Any]) -> None:
        trial = worker.trial
        assert trial is not None
        if message["said"] == "epoch":
            worker.channel.send({"go": self._judge(trial, message["epoch"], message["values"])})
            return
        worker.trial = None
        if message["said"] == "finished":
            results = read_results(self._paths.trial(trial), self._sweep.objectives)
            assert results is not None
            self._study.finish(trial, results)
        elif message["said"] == "pruned":
            self._study.prune(trial)
        elif message["said"] == "paused":
            return
        elif message["kind"] in ("DataError", "MachineError"):  # it isn't the trial's own
            error = DataError if message["kind"] == "DataError" else MachineError
            raise error(message["reason"], hint=message["hint"])
        else:
            self._study.fail(trial, message["reason"])
        self._end(trial)

    def _judge(self, trial: int, epoch: int, values: Mapping[str, float]) -> str:
        """Return what a trial is to do after an epoch: go on, or stop."""
        self._deaths.pop(trial, None)
        value = values[self._sweep.objectives[0].metric]
        epochs = self._epochs[trial]
        self._listener.end_epoch(trial, epoch, epochs, value)
        if len(self._sweep.objectives) == 1:
            self._study.report(trial, epoch, value)
        if epoch == epochs:
            return "on"
        if self._sweep.pruner != "none" and self._study.must_stop(trial):
            return "prune"
        return "pause" if self._is_over() else "on"

    def _bury(self, crew: Crew, worker: Worker) -> None:
        """Let another worker go on with what a dead one did, unless it is the trial's fault."""
        code, trial = worker.process.returncode, worker.trial
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        if trial is None:
            return
        self._deaths[trial] = self._deaths.get(trial, 0) + 1
        if self._deaths[trial] < _DEATHS:
            self._listener.note(f"The worker of trial {trial} {how}; another goes on with it.")
            self._waiting.insert(0, trial)
            return
        if not self._heard_any:
            raise MachineError(
                f"The workers can't train: two of them {how} before the first epoch.",
                hint=f"What they said is in {crew.log_of(worker)}.",
            )
        memory = ": memory may have run out" if code == -signal.SIGKILL else ""
        self._study.fail(trial, f"its worker {how}, {_DEATHS} times{memory}")
        self._end(trial)

    def _end(self, trial: int) -> None:
        document = self._record.write("running")
        self._listener.end_trial(document, trial)

    def _train_finalists(self, crew: Crew) -> None:
        """Train the best trials with other seeds, if the sweep asks for it and is so far."""
        if self._sweep.retrain is None or self._count_done() < self._study.goal:
            return
        Retraining(
            crew,
            self._paths,
            self._sweep,
            order=self._describe_order(0),
            listener=self._listener,
            write=lambda: self._record.write("running"),
            is_over=self._is_over,
        ).run()

    def _describe_left(self) -> str:
        """Return `2 trials`, or the trainings with other seeds; "" when all are done."""
        left = self._study.goal - self._count_done()
        if left:
            return "1 trial" if left == 1 else f"{left} trials"
        again = len(list_left(self._record.describe_finalists()))
        return f"{again} training{'' if again == 1 else 's'} with other seeds" if again else ""

    def _score_winner(self, crew: Crew) -> None:
        """Score the test rows, once, by the model of the best trial of a sweep that is done."""
        best = self._record.find_best()
        if best is None or self._describe_left() or self._tested == best.number:
            return
        order = self._describe_order(best.number)
        self._record.test = score_test(crew, order, listener=self._listener)

    def _count_done(self) -> int:
        return sum(each.state != "running" for each in self._study.list_trials())

    def _interrupt(self, number: int) -> Interrupted:
        word = "terminated" if number == signal.SIGTERM else "interrupted"
        reached = f"{word}: {self._count_done()} of {self._study.goal} trials are done"
        if again := len(list_left(self._record.describe_finalists())):
            reached += f", {again} training{'' if again == 1 else 's'} with other seeds are left"
        self._record.write("interrupted", reached)
        return Interrupted(
            f"The sweep was {reached}.",
            signal_number=number,
            hint="Go on with it: the same command with --resume.",
        )


__all__ = ["SweepListener", "SweepOptions", "find_row", "run_sweep"]
