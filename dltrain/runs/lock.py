"""Which process works on a run directory?

The kernel's file lock (flock) on `.lock` says so: it ends with the process, however that dies,
so that no lock is ever left behind to be broken by hand. The file's text is only for people.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.layout import RunPaths

# The locks of this process: run directory → open file. A lock lasts while its file is open.
_held: dict[Path, int] = {}


def hold_run(paths: RunPaths) -> None:
    """Make this process the only one that works on the run, until it ends or lets go.

    Writes `.lock`. Raises RunError if another process (or this one, earlier) holds the run, and
    MachineError if the directory can't be written.
    """
    root = paths.root.absolute()
    while root not in _held:
        with explaining_disk(paths.lock):
            descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(descriptor, paths)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_still(paths.lock, descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} on {socket.gethostname()}\n".encode())
            _held[root] = descriptor
            return
        os.close(descriptor)  # its last holder removed the file just now: take the next one
    raise _refusal(paths, "this process")


def wait_for_run(paths: RunPaths, *, seconds: float) -> None:
    """Hold the run as `hold_run` does, as soon as the process that holds it lets go.

    Raises RunError if it doesn't within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            hold_run(paths)
        except RunError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def release_run(paths: RunPaths) -> None:
    """Let go of the run, and remove `.lock`. Does nothing if this process doesn't hold it."""
    descriptor = _held.pop(paths.root.absolute(), None)
    if descriptor is None:
        return
    with contextlib.suppress(OSError):
        paths.lock.unlink()
    os.close(descriptor)


def _lock(descriptor: int, paths: RunPaths) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            owner = os.read(descriptor, 200).decode(errors="replace").strip()
            raise _refusal(paths, f"process {owner}" if owner else "another process") from None
        # Some network and overlay file systems have no locks: mkdir alone guards new runs there.
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise


def _is_still(path: Path, descriptor: int) -> bool:
    """Tell whether `path` still names the open file, not a later one or none."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _refusal(paths: RunPaths, owner: str) -> RunError:
    return RunError(
        f"{paths.root} is in use by {owner}.",
        hint="Wait until it ends, or choose another directory with --run-dir.",
    )
