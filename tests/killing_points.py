"""At which calls of the writing path can a process be killed? All of them, counted by file.

The calls are the operating system's (replace, fsync, unlink, mkdir) and each write to an open file,
of which half gets through. They are found by patching `os` and `open`, so that nothing of dltrain
has to know; HDF5 writes models into memory, and from there through the same `open`.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import re
import resource
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PARTIAL = re.compile(r"^\.[0-9a-f]{8}\.partial\.")


@dataclass(frozen=True)
class Point:
    """The `number`-th time (from 1) that `operation` is done to a file.

    `when` is `before`, `half` or `after`; `file` a name, or `checkpoint` for all, or `folder`.
    """

    when: str
    operation: str
    file: str
    number: int

    @property
    def kind(self) -> str:
        """Return the point without its number: `half write checkpoint`."""
        return f"{self.when} {self.operation} {self.file}"

    @classmethod
    def of(cls, kind: str, number: int) -> Point:
        """Return the `number`-th point of `kind`."""
        when, operation, file = kind.split(" ", 2)
        return cls(when, operation, file, number)


def read_points(path: Path) -> list[Point]:
    """Return the calls that `watch_calls` recorded, in their order."""
    return [Point(**json.loads(line)) for line in path.read_text().splitlines()]


def watch_calls(
    folder: Path, *, die_at: Point | None = None, record: Path | None = None
) -> Watcher:
    """Count every call that changes something below `folder`; kill this process at `die_at`."""
    watcher = Watcher(folder, die_at, record)
    for name in ("replace", "rename", "unlink", "remove", "mkdir", "fsync"):
        setattr(os, name, watcher.around(name, getattr(os, name)))
    really_open = io.open

    def watched_open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        opened = really_open(file, mode, *arguments, **options)
        name = watcher.name(file) if set(mode) & set("wax+") else None
        return opened if name is None else _WatchedFile(opened, name, watcher)

    builtins.open = watched_open  # type: ignore[assignment]
    io.open = watched_open  # type: ignore[assignment]
    return watcher


class Watcher:
    """Count calls, note them, and say which is the one to die at, or to fill the disk at."""

    def __init__(self, folder: Path, die_at: Point | None, record: Path | None) -> None:
        self.folder = str(folder.absolute())
        self.restart(die_at=die_at, record=record)

    def restart(
        self,
        *,
        die_at: Point | None = None,
        fill_at: Point | None = None,
        record: Path | None = None,
    ) -> None:
        """Count anew, as a forked process does; at `fill_at` no file may grow much any more."""
        self.die_at, self.fill_at = die_at, fill_at
        self.counts: Counter[tuple[str, str, str]] = Counter()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.record = None if record is None else os.open(record, flags)

    def count(self, when: str, operation: str, file: str) -> Point:
        """Count the call, and return it."""
        self.counts[when, operation, file] += 1
        point = Point(when, operation, file, self.counts[when, operation, file])
        if self.record is not None:
            os.write(self.record, json.dumps(asdict(point)).encode() + b"\n")
        return point

    def meets(self, when: str, operation: str, file: str) -> bool:
        """Count the call, and tell whether it is the one to die at."""
        return self.count(when, operation, file) == self.die_at

    def around(self, operation: str, really: Callable[..., Any]) -> Callable[..., Any]:
        """Return `really` with a point before it and one after it."""
        said = "unlink" if operation == "remove" else operation

        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            # A rename is about the name that is taken, everything else about the first argument.
            name = self.name(arguments[0] if operation in ("replace", "rename") else path)
            if name is not None and self.meets("before", said, name):
                die()
            result = really(path, *arguments, **options)
            if name is not None and self.meets("after", said, name):
                die()
            return result

        return call

    def name(self, file: Any) -> str | None:
        """Return what a point calls `file` (a path or a descriptor); None outside the folder."""
        if isinstance(file, int):
            path = str(Path(f"/proc/self/fd/{file}").readlink())
        elif isinstance(file, (str, bytes, os.PathLike)):
            path = os.path.abspath(os.fsdecode(file))  # noqa: PTH100
        else:
            return None
        if not path.startswith(self.folder + os.sep):
            return None
        name = _PARTIAL.sub("", Path(path).name)
        if name.endswith(".npz"):
            return "checkpoint"
        return name if Path(name).suffix or name.startswith(".") else "folder"


class _WatchedFile:
    """Pass everything on to an open file; die half-way through the write that is the point."""

    def __init__(self, opened: Any, name: str, watcher: Watcher) -> None:
        self._opened = opened
        self._name = name
        self._watcher = watcher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def __enter__(self) -> _WatchedFile:
        self._opened.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._opened.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self._opened)

    def write(self, data: Any) -> Any:
        point = self._watcher.count("half", "write", self._name)
        if point == self._watcher.fill_at:
            self._watcher.record = None  # which couldn't grow either
            fill_disk(os.fstat(self._opened.fileno()).st_size)
        if point == self._watcher.die_at:
            whole = data if isinstance(data, str) else bytes(data)
            self._opened.write(whole[: len(whole) // 2])
            self._opened.flush()
            die()
        return self._opened.write(data)


def fill_disk(size: int) -> None:
    """Let this process write no file beyond `size` bytes and a few: the kernel refuses the rest."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, hard))


def die() -> None:
    """Kill this process at once, as the out-of-memory killer or a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
