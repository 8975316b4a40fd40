"""How is a process that trains killed at a chosen moment, many times, without waiting for imports?

A nursery imports TensorFlow once and forks a child for each command line. That is safe as long as
the nursery itself runs no operation: TensorFlow makes its threads at the first one. A child kills
itself (SIGKILL) at a chosen call of the writing path, or the nursery kills it after some seconds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from killing_points import Point, watch_calls


@dataclass(frozen=True)
class Kill:
    """Say when a child dies: at a call (`point`), or some seconds after its beginning.

    That is its first call into the compiled loop, or the fork if `from_fork`.
    """

    kind: str
    point: Point | None = None
    after_seconds: float | None = None
    from_fork: bool = False


@dataclass(frozen=True)
class Ended:
    """How a child ended: `code` as Python counts it (-9 for SIGKILL), and what it said.

    `steps` counts the training steps that were finished in it, from the start of the run on (0: it
    took none itself); `training_seconds` are those from its first call into the loop to its last.
    """

    code: int
    seconds: float
    out: str
    err: str
    steps: int
    training_seconds: float

    @property
    def was_killed(self) -> bool:
        """Tell whether SIGKILL ended it."""
        return self.code == -9

    @property
    def json(self) -> Any:
        """Return stdout, which must be one JSON document."""
        return json.loads(self.out)


# What would change where a child looks for data and what it prints, in a CI for example.
_NOT_INHERITED = {
    *("DLTRAIN_DATA_DIR", "DLTRAIN_OFFLINE", "CI", "GITHUB_ACTIONS"),
    *("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM"),
}


def make_nursery_environment() -> dict[str, str]:
    """Return the environment of a process that forks those that train."""
    return {
        **{name: value for name, value in os.environ.items() if name not in _NOT_INHERITED},
        "DLTRAIN_NO_REPORT": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "KERAS_BACKEND": "tensorflow",
        "PYTHONWARNINGS": "ignore",
    }


class Nursery:
    """Hold the process that forks; `run` asks it for a child and waits for its end."""

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
        kill: Kill | None = None,
        record: Path | None = None,
        limits: Mapping[str, int] | None = None,
        memory_bytes: int | None = None,
        terminal: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run `dltrain ARGUMENTS` in `folder`, in a process of its own, and wait for its end.

        `record` is a file that gets a line for every call of the writing path below `folder`.
        `limits` are soft limits (`RLIMIT_FSIZE`); `memory_bytes` is what the child may still take.
        `terminal` is a pseudo-terminal's path, for stdin, stdout and stderr; `out` and `err` are
        then empty. `environment` is added to the child's.
        """
        output = Path(self._folder.name)
        order = {
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder),
            "out": str(output / "out"),
            "err": str(output / "err"),
            "steps": str(output / "steps"),
            "point": asdict(kill.point) if kill and kill.point else None,
            "after_seconds": kill.after_seconds if kill else None,
            "from_fork": kill.from_fork if kill else False,
            "record": str(record) if record else None,
            "limits": dict(limits or {}),
            "memory_bytes": memory_bytes,
            "terminal": terminal,
            "environment": dict(environment or {}),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError((output / "stderr").read_text())
        code, seconds = json.loads(answer)
        steps, training_seconds = ((output / "steps").read_text() or "0 0").split()
        return Ended(
            code=code,
            seconds=seconds,
            out=(output / "out").read_text(),
            err=(output / "err").read_text(),
            steps=int(steps),
            training_seconds=float(training_seconds),
        )

    def close(self) -> None:
        """End the process that forks."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._folder.cleanup()


def choose_kills(
    points: Iterable[Point], kinds: Iterable[str], *, reference: Ended, seed: int
) -> list[Kill]:
    """Choose a kill of each of `kinds` from what an undisturbed run, `reference`, did.

    A kind is a point's own, `mid-training` (some time after the first steps) or `any time`. The
    call, or the time, is from the first half of the reference's: a resumed run has less to do.
    """
    generator = random.Random(seed)
    numbers = Counter(point.kind for point in points)
    kills = []
    for kind in kinds:
        share = generator.uniform(0.0, 0.5)
        if kind == "mid-training":
            kills.append(Kill(kind, after_seconds=share * reference.training_seconds))
        elif kind == "any time":
            kills.append(Kill(kind, after_seconds=2 * share * reference.seconds, from_fork=True))
        else:
            kills.append(Kill(kind, Point.of(kind, 1 + int(share * numbers[kind]))))
    return kills


def _serve() -> None:
    """Fork a child for each line of stdin; answer with its code and its seconds."""
    import_all()
    for line in sys.stdin:
        order = json.loads(line)
        # The files are new for each child, whatever the one before it left.
        for name in ("out", "err", "steps"):
            Path(order[name]).write_text("")
        begun = time.perf_counter()
        child = os.fork()
        if child == 0:
            sys.exit(_train(order))
        code = _wait(child, order)
        print(json.dumps([code, time.perf_counter() - begun]), flush=True)


def import_all() -> None:
    """Import what a training imports. None of it may run an operation of TensorFlow."""
    import keras  # noqa: F401
    import sklearn.datasets
    import sklearn.metrics
    import sklearn.model_selection  # noqa: F401
    import tensorflow  # noqa: F401

    import dltrain.cli
    import dltrain.evaluation.saved_model
    import dltrain.training.fit  # noqa: F401


def _wait(child: int, order: Mapping[str, Any]) -> int:
    """Wait for the child's end, or kill it at the time that the order says."""
    deadline = None if order["after_seconds"] is None else time.perf_counter()
    if deadline is not None:
        steps = Path(order["steps"])
        waits_for_steps = not order["from_fork"]
        while waits_for_steps or time.perf_counter() < deadline + order["after_seconds"]:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if waits_for_steps and steps.stat().st_size:
                waits_for_steps, deadline = False, time.perf_counter()
            time.sleep(0.001)
        os.kill(child, 9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _train(order: Mapping[str, Any]) -> int:
    """Be the child: take its files and limits, watch its calls, run the command line."""
    import resource
    import signal

    from dltrain.cli import run

    os.chdir(order["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(order["environment"])
    terminal = order["terminal"]
    for descriptor, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_APPEND
        os.dup2(os.open(terminal or path, os.O_RDWR if terminal else flags), descriptor)
    sys.argv = ["dltrain", *order["arguments"]]
    for name, value in order["limits"].items():
        number = getattr(resource, name)
        resource.setrlimit(number, (value, resource.getrlimit(number)[1]))
    if order["memory_bytes"] is not None:
        limit = virtual_bytes() + order["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    _count_steps(order["steps"])
    if order["point"] or order["record"]:
        watch_calls(
            Path(order["folder"]),
            die_at=Point(**order["point"]) if order["point"] else None,
            record=Path(order["record"]) if order["record"] else None,
        )
    return run(list(order["arguments"]))


def _count_steps(path: str) -> None:
    """Write to `path`, after every call into the compiled loop, the steps and seconds so far."""
    from dltrain.training.steps import TrainingSteps

    descriptor = os.open(path, os.O_WRONLY)
    really_run = TrainingSteps.run
    first: list[float] = []

    def run(self: Any, source: Any, *, epoch: int, start: int, count: int) -> Any:
        stretch = really_run(self, source, epoch=epoch, start=start, count=count)
        if not first:
            first.append(time.perf_counter())
        steps_an_epoch = -(-self.feed.rows // self.feed.batch_size)
        done = epoch * steps_an_epoch + start + stretch.steps
        text = f"{done:>12} {time.perf_counter() - first[0]:>20.6f}"
        os.pwrite(descriptor, text.encode(), 0)
        return stretch

    TrainingSteps.run = run  # type: ignore[method-assign]


def virtual_bytes() -> int:
    """Return how much address space this process has taken."""
    text = Path("/proc/self/statm").read_text()
    return int(text.split()[0]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    _serve()
