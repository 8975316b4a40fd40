"""How are the trials of a study shared out among the workers, judged, and ended?"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from dltrain.config.sweep import Sweep
from dltrain.errors import DataError, MachineError
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.crew import Crew, Worker
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.study import SweepStudy, TakenOver
from dltrain.sweep.trials import Trials

# A trial whose worker dies so often, with no epoch between, takes it down by itself.
_DEATHS = 2

# How often an idle worker's process asks a database whether there is a trial to be had.
_LOOK_SECONDS = 1.0


class Searching:
    """Keep the workers busy until every trial of the study is done, here or elsewhere.

    `order` gives what a worker is told of a trial; `is_over` tells whether the time is over.
    """

    def __init__(
        self,
        crew: Crew,
        paths: SweepPaths,
        sweep: Sweep,
        study: SweepStudy,
        trials: Trials,
        *,
        order: Callable[[int], Mapping[str, Any]],
        listener: SweepListener,
        is_over: Callable[[], bool],
    ) -> None:
        self._crew, self._paths, self._sweep = crew, paths, sweep
        self._study, self._trials = study, trials
        self._order, self._listener, self._is_over = order, listener, is_over
        self._deaths: dict[int, int] = {}
        self._heard_any = False
        self._told_waiting = False
        self._next_look = 0.0

    def run(self) -> None:
        """Return when nothing is left to train, or the sweep's time is over.

        Raises MachineError if no worker can train, and what a trial raised that isn't its own
        fault: DataError, MachineError.
        """
        while True:
            self._trials.refresh()
            for worker in self._crew.find_idle():
                trial = self._take_trial()
                if trial is None:
                    break
                self._give(worker, trial)
            if not self._crew.busy and not self._is_to_wait():
                return
            for worker, message in self._crew.hear(seconds=1.0):
                if message is None:
                    self._bury(worker)
                else:
                    self._heard_any = True
                    try:
                        self._hear(worker, message)
                    except TakenOver:  # the other process's result is the one that counts
                        continue

    def _take_trial(self) -> int | None:
        """Return the next trial to train, or None if there is none, or no time."""
        if self._trials.is_shared and time.monotonic() < self._next_look:
            return None
        while not self._is_over():
            found = self._trials.find_next()
            if found is None:
                break
            with contextlib.suppress(TakenOver):
                if self._trials.prepare(*found):
                    return found[0]
        self._next_look = time.monotonic() + _LOOK_SECONDS
        return None

    def _is_to_wait(self) -> bool:
        """Tell whether trials of other processes are to be waited for: those may be killed."""
        if not self._trials.is_shared or self._is_over():
            return False
        left = self._trials.list_elsewhere()
        if left and not self._told_waiting:
            self._told_waiting = True
            trials = "trial" if len(left) == 1 else "trials"
            numbers = ", ".join(map(str, left))
            self._listener.note(f"Waiting for {trials} {numbers} of other processes.")
        return self._trials.count_done() < self._study.goal

    def _give(self, worker: Worker, trial: int) -> None:
        config = str(self._paths.trial_config(trial))
        self._crew.give(worker, trial, {"do": "train", "config": config, **self._order(trial)})

    def _hear(self, worker: Worker, message: Mapping[str, Any]) -> None:
        trial = worker.trial
        assert trial is not None
        if message["said"] == "epoch":
            go = self._judge(trial, message["epoch"], message["values"])
            if self._order(trial)["waits"]:
                worker.channel.send({"go": go})
            return
        worker.trial = None
        if not self._trials.leave_off(trial) or message["said"] == "paused":
            return
        if message["said"] == "finished":
            self._trials.finish(trial)
        elif message["said"] == "pruned":
            self._trials.prune(trial)
        elif message["kind"] in ("DataError", "MachineError"):  # it isn't the trial's own
            error = DataError if message["kind"] == "DataError" else MachineError
            raise error(message["reason"], hint=message["hint"])
        else:
            self._trials.fail(trial, message["reason"])

    def _judge(self, trial: int, epoch: int, values: Mapping[str, float]) -> str:
        """Return what a trial is to do after an epoch: go on, or stop."""
        if trial in self._trials.lost:
            return "pause"
        self._deaths.pop(trial, None)
        value = values[self._sweep.objectives[0].metric]
        epochs = self._trials.epochs[trial]
        self._listener.end_epoch(trial, epoch, epochs, value)
        if len(self._sweep.objectives) == 1:
            try:
                self._study.report(trial, epoch, value)
                prunes = self._sweep.pruner["type"] != "none"
                if prunes and self._study.must_stop(trial, goal=epochs):
                    return "prune"
            except TakenOver:
                self._trials.lost.add(trial)
                return "pause"
        return "pause" if self._is_over() and epoch < epochs else "on"

    def _bury(self, worker: Worker) -> None:
        """Let another worker go on with what a dead one did, unless it is the trial's fault."""
        code, trial = worker.process.returncode, worker.trial
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        if trial is None or not self._trials.leave_off(trial):
            return
        self._deaths[trial] = self._deaths.get(trial, 0) + 1
        if self._deaths[trial] < _DEATHS:
            self._listener.note(f"The worker of trial {trial} {how}; another goes on with it.")
            self._trials.put_back(trial)
            self._next_look = 0.0
            return
        if not self._heard_any:
            raise MachineError(
                f"The workers can't train: two of them {how} before the first epoch.",
                hint=f"What they said is in {self._crew.log_of(worker)}.",
            )
        memory = ": memory may have run out" if code == -signal.SIGKILL else ""
        with contextlib.suppress(TakenOver):
            self._trials.fail(trial, f"its worker {how}, {_DEATHS} times{memory}")
