"""What does the process do that forks sweeps and their workers, and kills them? See sweep_killing.

It imports TensorFlow and Optuna once. Where a sweep starts a worker, that is forked too, instead of
started as a new Python: with the files, the environment and the signals that `subprocess.Popen`
would have given it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from killing import import_all, virtual_bytes
from killing_points import Point, Watcher, die, watch_calls
from sweep_killing import SWEEP, Act

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
        # Pipes: no limit on the size of files is one on them.
        pipes = {name: _make_pipe() for name in ("out", "err")}
        child = os.fork()
        if child == 0:
            _take_files(pipes["out"][1], pipes["err"][1])
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
        for _, end in pipes.values():
            os.close(end)
        while True:  # workers that were left alone earlier may end now
            ended, status = os.wait()
            if ended == child:
                break
        for name, (end, _) in pipes.items():
            with os.fdopen(end, "rb") as pipe:
                Path(order[name]).write_bytes(pipe.read())
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


def _make_pipe() -> tuple[int, int]:
    """Return the ends of a pipe that holds all that a sweep has to say."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 2**20)
    return ends


def _take_files(out: int, err: int) -> None:
    for descriptor, given in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
        os.dup2(given, descriptor)


def _close_others(kept: Iterable[int]) -> None:
    """Close what a new program would not inherit: the sweep's lock, other workers' sockets."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


_signals: list[int] = [signal.SIGKILL]


def _strike() -> None:
    """Send this process its signals, and go on when all have arrived.

    Not at once: the kernel doesn't count signals, and two that come before the process runs again
    are one. They come from a thread that no handler's exception ends.
    """

    def send() -> None:
        for number in _signals:
            os.kill(os.getpid(), number)
            time.sleep(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()


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
