"""How are a sweep's own process and its workers killed at a chosen moment, without many imports?

A nursery (sweep_forking.py) forks a child for each `dltrain sweep`, and its workers. Each process
kills itself (SIGKILL) at a chosen call of the writing path or of the talk between the two, or after
some time.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from killing import Kill, make_nursery_environment
from killing_points import Point

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
            [sys.executable, str(Path(__file__).resolve().with_name("sweep_forking.py"))],
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
