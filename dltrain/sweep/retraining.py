"""How are the finalists of a sweep trained again? Shared out to its workers, each a run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

from dltrain.config.dump import dump_config
from dltrain.config.sweep import Sweep
from dltrain.errors import DataError, MachineError
from dltrain.runs.atomic import write_text
from dltrain.runs.status import read_status, write_status
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.crew import Crew, Worker
from dltrain.sweep.finalists import list_left
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.places import write_trial_config
from dltrain.sweep.space import Point

# A training whose worker dies so often, with no epoch between, takes it down by itself.
_DEATHS = 2


class Retraining:
    """Train what is left of the finalists; `order` is what each order to a worker shares.

    `restore` returns the config of a trial, `write` writes sweep.json anew and returns what it
    holds, and `on_wait` is called again and again. Raises DataError and MachineError from the
    trainings.
    """

    def __init__(
        self,
        crew: Crew,
        paths: SweepPaths,
        sweep: Sweep,
        *,
        order: Mapping[str, Any],
        restore: Callable[[int], Point],
        listener: SweepListener,
        write: Callable[[], dict[str, Any]],
        is_over: Callable[[], bool],
        on_wait: Callable[[], None],
    ) -> None:
        self._crew, self._paths, self._sweep = crew, paths, sweep
        self._order, self._restore, self._listener = order, restore, listener
        self._write, self._is_over, self._on_wait = write, is_over, on_wait
        self._deaths: dict[tuple[int, int], int] = {}
        self._at_work: dict[int, tuple[int, int]] = {}
        self._epochs: dict[int, int] = {}

    def run(self) -> None:
        """Keep the workers busy until none is left, or the sweep's time is over."""
        document = self._write()
        values = {row["trial"]: row["values"] for row in document["trials"]}
        waiting = list_left(document["retrained"])
        while True:
            self._on_wait()
            if waiting and not self._is_over():
                for worker in self._crew.find_idle():
                    trial, seed = waiting.pop(0)
                    self._listener.begin_retraining(trial, seed, values[trial])
                    self._give(worker, trial, seed)
                    if not waiting:
                        break
            if not self._crew.busy:
                return
            for worker, message in self._crew.hear(seconds=1.0):
                if worker.trial is None:
                    continue  # one that waited has died
                job = self._at_work[worker.number]
                if message is not None:
                    self._hear(worker, *job, message)
                elif self._is_lost(worker, *job):
                    self._end(*job)
                else:
                    waiting.insert(0, job)

    def _give(self, worker: Worker, trial: int, seed: int) -> None:
        self._at_work[worker.number] = (trial, seed)
        config = write_trial_config(self._paths, trial, self._restore(trial)).config
        self._epochs[trial] = config.training.epochs
        place = self._paths.retrained_config(trial, seed)
        if not place.is_file():
            write_text(place, dump_config(config.model_copy(update={"seed": seed})))
        directory = str(self._paths.retrained(trial, seed).root)
        order = {"do": "train", "config": str(place), **self._order, "directory": directory}
        self._crew.give(worker, trial, order)

    def _hear(self, worker: Worker, trial: int, seed: int, message: Mapping[str, Any]) -> None:
        if message["said"] == "epoch":
            self._deaths.pop((trial, seed), None)
            epoch, epochs = message["epoch"], self._epochs[trial]
            value = message["values"][self._sweep.objectives[0].metric]
            self._listener.end_retraining_epoch(trial, seed, epoch, epochs, value)
            pauses = epoch < epochs and self._is_over()
            if self._order["waits"]:
                worker.channel.send({"go": "pause" if pauses else "on"})
            return
        worker.trial = None
        if message["said"] == "paused":
            return
        if message.get("kind") in ("DataError", "MachineError"):
            error = DataError if message["kind"] == "DataError" else MachineError
            raise error(message["reason"], hint=message["hint"])
        if message["said"] == "failed":
            self._note_failure(trial, seed, message["reason"])
        self._end(trial, seed)

    def _is_lost(self, worker: Worker, trial: int, seed: int) -> bool:
        """Tell whether a training took its worker down too often, which is noted then."""
        code = worker.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        name = f"trial {trial} with seed {seed}"
        deaths = self._deaths[trial, seed] = self._deaths.get((trial, seed), 0) + 1
        if deaths < _DEATHS:
            self._listener.note(f"The worker of {name} {how}; another goes on with it.")
            return False
        memory = ": memory may have run out" if code == -signal.SIGKILL else ""
        self._note_failure(trial, seed, f"its worker {how}, {_DEATHS} times{memory}")
        return True

    def _note_failure(self, trial: int, seed: int, reason: str) -> None:
        """Write into the run's status.json that it failed, unless the training has done so."""
        run = self._paths.retrained(trial, seed)
        if not run.status.is_file():
            raise MachineError(f"Trial {trial} can't be trained with seed {seed}: {reason}")
        status = read_status(run.status)
        if status.state != "failed":
            write_status(run.status, status.end("failed", reason=reason))

    def _end(self, trial: int, seed: int) -> None:
        self._listener.end_retraining(self._write(), trial, seed)
