"""How are a sweep's worker processes started, given work, replaced and ended?"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.errors import MachineError
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.channel import Channel, Message
from dltrain.training.signals import Signals

# A worker that hears that the sweep is over ends after its step, and writes a checkpoint.
_ENDING_SECONDS = 60.0

_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


@dataclass
class Worker:
    """A process, and the trial that it trains (None: it waits; 0: it scores the test rows)."""

    number: int
    process: subprocess.Popen[bytes]
    channel: Channel
    trial: int | None = None


class Crew:
    """The workers of a sweep; use it in a `with` block, at whose end they end.

    `signals` are heeded while `hear` waits, and only there: elsewhere a database may be locked.
    """

    def __init__(
        self, paths: SweepPaths, *, size: int, threads: int | None, signals: Signals
    ) -> None:
        self._paths, self._threads, self._signals = paths, threads, signals
        self._selector = selectors.DefaultSelector()
        self.size = size
        self.workers: dict[int, Worker] = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            # Not only hung up: the worker's reader must see the end, though a child may hold it.
            with contextlib.suppress(OSError):
                worker.channel.socket.shutdown(socket.SHUT_RDWR)
            worker.channel.close()
        deadline = time.monotonic() + _ENDING_SECONDS
        for worker in self.workers.values():
            try:
                worker.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._selector.close()

    def find_idle(self) -> Iterator[Worker]:
        """Yield the workers that wait, one that begins in each free place included."""
        for number in range(1, self.size + 1):
            if number not in self.workers:
                self.workers[number] = self._start(number)
            if self.workers[number].trial is None:
                yield self.workers[number]

    @property
    def busy(self) -> list[Worker]:
        """Return the workers at work."""
        return [worker for worker in self.workers.values() if worker.trial is not None]

    def give(self, worker: Worker, trial: int, order: Mapping[str, Any]) -> None:
        """Give a worker its work; one that has died is noticed by `hear`."""
        worker.trial = trial
        worker.channel.send(order)

    def hear(self, *, seconds: float) -> list[tuple[Worker, Message | None]]:
        """Wait for reports; None is that of a worker that died, and whose place is free now.

        Raises KeyboardInterrupt or Terminated when SIGINT or SIGTERM arrives, or came before.
        """
        heard: list[tuple[Worker, Message | None]] = []
        with self._signals.heeded():
            ready = self._selector.select(seconds)
        for key, _ in ready:
            worker: Worker = key.data
            message = worker.channel.receive()
            if message is None:
                self._selector.unregister(worker.channel.socket)
                worker.channel.close()
                worker.process.wait()
                del self.workers[worker.number]
            heard.append((worker, message))
        return heard

    def log_of(self, worker: Worker) -> str:
        """Return where a worker's output is."""
        return str(self._paths.workers / f"{worker.number}.log")

    def _start(self, number: int) -> Worker:
        ours, theirs = socket.socketpair()
        environment = dict(os.environ)
        if self._threads is not None:
            environment = {name: str(self._threads) for name in _THREADS} | environment
        path = self._paths.workers / f"{number}.log"
        with _explaining_start(), explaining_disk(path), path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dltrain.sweep.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=[theirs.fileno()],
                # Ctrl-C goes to the sweep's own process alone, which tells the workers.
                start_new_session=True,
            )
        theirs.close()
        worker = Worker(number, process, Channel(ours))
        self._selector.register(ours, selectors.EVENT_READ, worker)
        return worker


@contextlib.contextmanager
def _explaining_start() -> Iterator[None]:
    """Raise MachineError where the system starts no further process."""
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"A worker can't be started: {error.strerror}.",
            hint="Free some memory, or take fewer --workers.",
        ) from error


def choose_threads(workers: int) -> int | None:
    """Return how many threads each of several workers may take, so that they don't fight.

    None for a single one: it trains as `dltrain fit` does.
    """
    if workers == 1:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // workers)
