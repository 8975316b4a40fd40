"""How are a sweep's own process and its workers killed at a chosen moment, without many imports?

A nursery imports TensorFlow and Optuna once, and forks a child for each `dltrain sweep`. Where the
sweep starts a worker, that is forked too, instead of started as a new Python: with the files, the
environment and the signals that `subprocess.Popen` would have given it. Each process kills itself
(SIGKILL) at a chosen call of the writing path or of the talk between the two, or after some time.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from killing import Kill, import_all, make_nursery_environment, virtual_bytes
from killing_points import Point, Watcher, die, watch_calls

SWEEP = 0
"""The number of the sweep's own process; its workers are counted from 1 as they are started."""


@dataclass(frozen=True)
class Act:
    """Say what becomes of process `process`: it dies as `kill` says, or its disk or memory is full.

    `signals` are sent instead of SIGKILL where `kill` is at a message. From the write `fill_at` on
    the kernel lets the process write no larger file, and none larger than `file_bytes` from its
    beginning on. `memory_bytes` is what it may still take.
    """

    process: int
    kill: Kill | None = None
    signals: Sequence[int] = (signal.SIGKILL,)
    fill_at: Point | None = None
    file_bytes: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class SweepEnded:
    """How a sweep's process ended: `code` as Python counts it (-9 for SIGKILL), what it said.

    `orphans` are the codes of workers that outlived it; `orphans_seconds` is how long they did.
    """

    code: int
    out: str
    err: str
    orphans: Sequence[int]
    orphans_seconds: float

    @property
    def was_killed(self) -> bool:
        """Tell whether SIGKILL ended the sweep's own process."""
        return self.code == -signal.SIGKILL

    @property
    def json(self) -> Any:
        """Return stdout, which must be one JSON document."""
        return json.loads(self.out)


class SweepNursery:
    """Hold the process that forks; `run` asks it for a sweep and waits for its end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(Path(self._folder.name) / "stderr").open("w"),
            text=True,
            env=make_nursery_environment(),
        )

    def run(
        self,
        *arguments: object,
        folder: Path,
        acts: Iterable[Act] = (),
        record: Path | None = None,
        wait_for_orphans: bool = True,
    ) -> SweepEnded:
        """Run `dltrain ARGUMENTS` in `folder`, and wait for its end, and for its workers'.

        `record` is a folder that gets a file for each process, 0, 1, …, with a line for each call
        that can be a point. Without `wait_for_orphans` workers that live on are left alone.
        """
        output = Path(self._folder.name)
        order = {
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder),
            "out": str(output / "out"),
            "err": str(output / "err"),
            "acts": [asdict(act) for act in acts],
            "record": str(record) if record else None,
            "wait_for_orphans": wait_for_orphans,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError((output / "stderr").read_text())
        code, orphans, orphans_seconds = json.loads(answer)
        return SweepEnded(
            code=code,
            out=(output / "out").read_text(),
            err=(output / "err").read_text(),
            orphans=orphans,
            orphans_seconds=orphans_seconds,
        )

    def close(self) -> None:
        """End the process that forks."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._folder.cleanup()


_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def _serve() -> None:
    """Fork a sweep for each line of stdin; answer with its code, and its orphans'."""
    import_all()
    import optuna
    import sqlalchemy  # noqa: F401

    import dltrain.commands.sweep_view
    import dltrain.sweep.run
    import dltrain.training.evaluate  # noqa: F401

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # Workers that outlive their sweep become children of this process, which sees their end.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        order = json.loads(line)
        for name in ("out", "err"):
            Path(order[name]).write_text("")
        child = os.fork()
        if child == 0:
            # No `finally` of the nursery's own may run in the child.
            try:
                code = _sweep(order)
            except BaseException:
                import traceback

                traceback.print_exc()
                code = 1
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            os._exit(code)
        while True:  # workers that were left alone earlier may end now
            ended, status = os.wait()
            if ended == child:
                break
        orphans, seconds = _await_orphans() if order["wait_for_orphans"] else ([], 0.0)
        print(json.dumps([os.waitstatus_to_exitcode(status), orphans, seconds]), flush=True)


def _await_orphans() -> tuple[list[int], float]:
    begun = time.perf_counter()
    codes = []
    while time.perf_counter() - begun < 120:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return codes, time.perf_counter() - begun
        if ended:
            codes.append(os.waitstatus_to_exitcode(status))
        else:
            time.sleep(0.005)
    raise AssertionError("workers live on, 120 s after their sweep")


def _sweep(order: Mapping[str, Any]) -> int:
    """Be the sweep's own process: take its files, watch its calls, run the command line."""
    os.chdir(order["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _take_files(order["out"], order["err"])
    sys.argv = ["dltrain", *order["arguments"]]
    watcher = watch_calls(Path(order["folder"]))
    _watch_talk(watcher)
    _begin(watcher, order, SWEEP)
    numbers = itertools.count(SWEEP + 1)
    really_start: Any = subprocess.Popen

    def start(arguments: Sequence[str], *others: Any, **options: Any) -> Any:
        if list(arguments[1:3]) != ["-m", "dltrain.sweep.worker"]:
            return really_start(arguments, *others, **options)
        number = next(numbers)
        return _Forked(arguments, before=lambda: _begin(watcher, order, number), **options)

    subprocess.Popen = start  # type: ignore[assignment, misc]
    from dltrain.cli import run

    return run(list(order["arguments"]))


def _begin(watcher: Watcher, order: Mapping[str, Any], process: int) -> None:
    """Watch and limit this process, which is number `process`, as the order says."""
    import resource

    record = None if order["record"] is None else Path(order["record"]) / str(process)
    acts = [act for act in order["acts"] if act["process"] == process]
    act = acts[0] if acts else asdict(Act(process))
    _signals[:] = act["signals"]
    point = act["kill"] and act["kill"]["point"]
    watcher.restart(
        die_at=Point(**point) if point else None,
        fill_at=Point(**act["fill_at"]) if act["fill_at"] else None,
        record=record,
    )
    if act["kill"] and act["kill"]["after_seconds"] is not None:
        timer = threading.Timer(act["kill"]["after_seconds"], die)
        timer.daemon = True
        timer.start()
    if act["file_bytes"] is not None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (act["file_bytes"], hard))
        print("What a library has to say goes into the log.")
    if act["memory_bytes"] is not None:
        limit = virtual_bytes() + act["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


class _Forked:
    """A worker that was forked; it has what is used of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        before: Callable[[], None],
        stdout: Any,
        stderr: Any,
        env: Mapping[str, str],
        pass_fds: Sequence[int],
        stdin: int,
        start_new_session: bool,
    ) -> None:
        assert (stdin, start_new_session) == (subprocess.DEVNULL, True)
        self.args, self.returncode = arguments, None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                _take_files(stdout.fileno(), stderr.fileno())
                _close_others(pass_fds)
                before()
                code = _work(arguments, env)
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:
                import traceback

                traceback.print_exc()
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            os._exit(code)

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(0.002)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _work(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Be a worker, as a new Python would be one: no lock, no handler of the sweep's is its own."""
    from dltrain.runs import lock

    lock._held.clear()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(arguments[2:])
    runpy.run_module("dltrain.sweep.worker", run_name="__main__", alter_sys=True)
    return 0


def _take_files(out: str | int, err: str | int) -> None:
    for descriptor, given in ((0, os.devnull), (1, out), (2, err)):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_APPEND
        os.dup2(given if isinstance(given, int) else os.open(given, flags), descriptor)


def _close_others(kept: Iterable[int]) -> None:
    """Close what a new program would not inherit: the sweep's lock, other workers' sockets."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


_signals: list[int] = [signal.SIGKILL]


def _strike() -> None:
    for number in _signals:
        os.kill(os.getpid(), number)


def _watch_talk(watcher: Watcher) -> None:
    """Make a point before and after each message that is sent, and after each that arrives."""
    from dltrain.sweep.channel import Channel

    really_send, really_receive = Channel.send, Channel.receive

    def name(message: Mapping[str, Any]) -> str:
        return str(message.get("said") or message.get("do") or message.get("go"))

    def send(self: Channel, message: Mapping[str, Any]) -> bool:
        if watcher.meets("before", "send", name(message)):
            _strike()
        result = really_send(self, message)
        if watcher.meets("after", "send", name(message)):
            _strike()
        return result

    def receive(self: Channel) -> Any:
        message = really_receive(self)
        if message is not None and watcher.meets("after", "receive", name(message)):
            _strike()
        return message

    Channel.send = send  # type: ignore[method-assign]
    Channel.receive = receive  # type: ignore[method-assign]


if __name__ == "__main__":
    _serve()
