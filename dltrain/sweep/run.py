"""What does `dltrain sweep` do? It asks for trials, gives them to workers, and keeps the best."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dltrain.config.document import join_sources
from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig, check_document, load_config
from dltrain.config.sweep import Sweep
from dltrain.errors import ConfigError, DataError, DltrainError, MachineError, RunError
from dltrain.runs.atomic import remove_leftovers, write_text
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.sweeps import (
    SweepPaths,
    create_sweep,
    find_sweeps,
    make_folders,
    read_sweep_record,
    write_sweep,
)
from dltrain.shapes.infer import infer_shapes
from dltrain.sweep.crew import Crew, Worker, choose_threads
from dltrain.sweep.result import (
    describe_sweep,
    describe_trials,
    find_front,
    find_row,
    read_results,
    write_best,
)
from dltrain.sweep.samplers import refuse_missing
from dltrain.sweep.space import Point
from dltrain.sweep.study import SweepStudy
from dltrain.training.outcome import Interrupted
from dltrain.training.resume import list_differences
from dltrain.training.signals import Signals, Terminated, listening

# A trial whose worker dies so often, with no epoch between, takes it down by itself.
_DEATHS = 2


class SweepListener:
    """Ignore everything that is heard of a sweep; override what is of interest."""

    def begin(self, paths: SweepPaths, *, goal: int, done: int) -> None:
        """Take where the sweep is, how many trials it has, and how many are done."""

    def begin_trial(self, trial: int, values: Mapping[str, Any]) -> None:
        """Take that a trial begins, or goes on."""

    def end_epoch(self, trial: int, epoch: int, epochs: int, value: float) -> None:
        """Take the first objective after an epoch."""

    def end_trial(self, document: Mapping[str, Any], trial: int) -> None:
        """Take what sweep.json holds now that the trial has ended."""

    def note(self, text: str) -> None:
        """Take a sentence."""

    def close(self) -> None:
        """Clear what is shown of running trials."""


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
    paths = _take(loaded, runs_root, resume=resume)
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


def _take(loaded: LoadedConfig, root: Path, *, resume: bool) -> SweepPaths:
    """Return the sweep's folder, held by this process."""
    name = loaded.config.name
    if not resume:
        paths = create_sweep(name, root=root)
        write_text(paths.source, join_sources(loaded.document))
    else:
        found = find_sweeps(name, root=root)
        if not found:
            raise RunError(
                f"There is no sweep of '{name}' in {root} to go on with.",
                hint="Leave --resume out to begin one.",
            )
        paths = found[-1]
        hold_run(RunPaths(paths.root))
        remove_leftovers(paths.root)
        make_folders(paths)
        if paths.config.is_file():
            try:
                _refuse_another(paths, loaded)
            except BaseException:
                release_run(RunPaths(paths.root))
                raise
    text = dump_config(loaded.config, sweep=loaded.document.data["sweep"])
    write_text(paths.config, text)
    return paths


def _refuse_another(paths: SweepPaths, loaded: LoadedConfig) -> None:
    """Raise RunError if the sweep was begun with another config or space."""
    recorded = load_config(paths.config)
    differences = [key for key, _, _ in list_differences(recorded.config, loaded.config)]
    assert loaded.sweep is not None
    if recorded.sweep is None or _essence(recorded.sweep) != _essence(loaded.sweep):
        differences.append("sweep")
    if differences:
        raise RunError(
            f"{paths.root} belongs to another config; different are: {', '.join(differences)}.",
            hint="When a sweep goes on, sweep.trials and sweep.max_seconds may change. Leave "
            "--resume out to begin a new one.",
        )


def _essence(sweep: Sweep) -> Sweep:
    return replace(sweep, trials=None, max_seconds=None)


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
        self._name = before.get("study") or f"{loaded.config.name}{token}"
        self._storage = _without_password(storage) if storage else None
        self._test = before.get("test")
        self._tested = before.get("best") if self._test else None
        self._study = SweepStudy(
            paths,
            sweep,
            loaded.document,
            epochs=loaded.config.training.epochs,
            name=self._name,
            url=storage,
        )
        self._study.forget_half_made()
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
        self._write("running")
        try:
            with (
                listening(Signals(), on_second=lambda _: None),
                Crew(self._paths, size=self._options.workers, threads=self._threads) as crew,
            ):
                self._train(crew)
                self._score_winner(crew)
        except (KeyboardInterrupt, Terminated) as error:
            number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
            raise self._interrupt(number) from None
        except DltrainError as error:
            self._write("failed", error.message)
            raise
        finally:
            self._listener.close()
        left = self._study.goal - self._count_done()
        trials = "1 trial" if left == 1 else f"{left} trials"
        reason = f"stopped by max_seconds, with {trials} left" if left else ""
        return self._write("interrupted" if left else "finished", reason)

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
                self._write("running")
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
        if self._sweep.pruner["type"] != "none" and self._study.must_stop(trial):
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
        document = self._write("running")
        self._listener.end_trial(document, trial)

    def _score_winner(self, crew: Crew) -> None:
        """Score the test rows, once, by the model of the best trial of a sweep that is done."""
        front = find_front(self._study.list_trials(), self._sweep.objectives)
        if not front or self._count_done() < self._study.goal:
            return
        best = front[0].number
        if self._tested == best:
            return
        for attempt in range(_DEATHS):
            worker = next(crew.find_idle())
            crew.give(worker, 0, {"do": "test", **self._describe_order(best)})
            message = None
            while worker.trial is not None:
                for heard, said in crew.hear(seconds=1.0):
                    if heard is worker:
                        message, worker.trial = said, None
            if message is not None:
                break
            self._listener.note(f"The worker that scored the test rows died, {attempt + 1} times.")
        if message is None or message["said"] != "tested":
            raise MachineError(f"The test rows can't be scored: {(message or {}).get('reason')}")
        self._test = {"metric": message["metric"], "value": message["value"]}

    def _count_done(self) -> int:
        return sum(each.state != "running" for each in self._study.list_trials())

    def _write(self, state: str, reason: str = "") -> dict[str, Any]:
        """Write sweep.json and best.yaml as things stand; return what sweep.json holds."""
        trials = self._study.list_trials()
        front = find_front(trials, self._sweep.objectives)
        if front:
            write_best(self._paths, front[0], self._sweep, threads=self._threads)
        document = {
            "name": self._loaded.config.name,
            "state": state,
            "reason": reason,
            **describe_sweep(self._sweep),
            "goal": self._study.goal,
            "study": self._name,
            "storage": self._storage,
            "threads": self._threads,
            "trials": describe_trials(self._paths, trials),
            "best": front[0].number if front else None,
            "front": [each.number for each in front],
            "test": self._test,
        }
        write_sweep(self._paths, document)
        return document

    def _interrupt(self, number: int) -> Interrupted:
        word = "terminated" if number == signal.SIGTERM else "interrupted"
        reached = f"{word}: {self._count_done()} of {self._study.goal} trials are done"
        self._write("interrupted", reached)
        return Interrupted(
            f"The sweep was {reached}.",
            signal_number=number,
            hint="Go on with it: the same command with --resume.",
        )


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "a URL that can't be read"  # which opening the study refuses


__all__ = ["SweepListener", "SweepOptions", "find_row", "run_sweep"]
