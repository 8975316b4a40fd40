"""How is a file written so that a reader, or a crash, never sees half of it?

It is written beside its name, synced to the disk, and renamed into place (POSIX rename is
atomic). A failure leaves the previous content as it was.

A sync takes milliseconds, of which a short training has few, so that there is a choice (`Synced`):

nothing  a kill leaves the file whole, a loss of power may not
content  nothing leaves half of it; that there is a new one may be forgotten by a loss of power
entry    the new one is there for good, and with it what was renamed into its directory before

A run writes a dozen small files. Within `syncing_together` their content is synced later, all at
once, before the next `entry`: a run that says how it ended, or has a checkpoint, has them whole.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import json
import math
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from dltrain.errors import DltrainError, MachineError, RunError

Synced = Literal["nothing", "content", "entry"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

# HDF5 and Rust (tokenizers) hide the error number in their text; NumPy gives none when a write
# comes up short.
_FULL_TEXT = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|requested and \d+ written"
)

_PARTIAL = ".partial"

_unsynced: collections.deque[Path] | None = None  # the process's own: a run's threads write too


@contextlib.contextmanager
def replacing(path: Path, *, synced: Synced = "content") -> Iterator[Path]:
    """Yield a path beside `path`, with its suffixes, that takes its place if the block ends well.

    The block must create the file, and close it. It is synced, then renamed. If the block raises,
    the file is removed, `path` stays as it was, and the error goes on; if the disk was full, the
    place can't be written or the directory has gone, it goes on as MachineError or RunError.
    """
    temporary = path.with_name(f".{secrets.token_hex(4)}{_PARTIAL}.{path.name}")
    try:
        with explaining_disk(path):
            yield temporary
            if synced == "entry":
                _sync_unsynced()
            is_later = synced == "content" and _unsynced is not None
            if synced != "nothing" and not is_later:
                _sync(temporary)
            temporary.replace(path)
            if is_later and _unsynced is not None:
                _unsynced.append(path)
            if synced == "entry":
                _sync(path.parent)
    finally:
        # After the rename there is nothing left to remove.
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def syncing_together() -> Iterator[None]:
    """Sync the content of what the process writes in the block before the next `entry`, or its end.

    What has gone by then is left out. Raises as `replacing` does, if the block itself didn't.
    """
    global _unsynced
    if _unsynced is not None:  # within another
        yield
        return
    _unsynced = collections.deque()
    try:
        yield
        _sync_unsynced()
    finally:
        _unsynced = None


def _sync_unsynced() -> None:
    """Sync what waits for it; side by side, as the disk then does much of it in one go."""
    waiting: set[Path] = set()
    while _unsynced:
        waiting.add(_unsynced.popleft())

    def sync(path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            _sync(path)

    if waiting:
        from concurrent.futures import ThreadPoolExecutor  # brings logging along

        with explaining_disk(next(iter(waiting))), ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(sync, waiting))


def write_text(path: Path, text: str, *, synced: Synced = "content") -> None:
    """Make `path` hold `text` (UTF-8), whole or not at all. `synced` and raises as `replacing`."""
    with replacing(path, synced=synced) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, data: Mapping[str, Any], *, synced: Synced = "content") -> None:
    """Make `path` hold `data` as indented JSON. `synced` and raises as `replacing`.

    NumPy numbers and arrays are written as plain ones, paths as strings. NaN and infinities
    become null: JSON has no word for them, and a strict reader refuses the file otherwise.
    """
    write_text(path, to_json(data) + "\n", synced=synced)


def to_json(data: Any) -> str:
    """Return `data` as an indented JSON document, in the form that `write_json` describes."""
    return json.dumps(_plain(data), indent=2, allow_nan=False, ensure_ascii=False)


def remove_leftovers(directory: Path) -> None:
    """Remove what a killed `replacing` left in `directory`. Call it only while holding the run."""
    for leftover in directory.glob(f".*{_PARTIAL}.*"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def explaining_disk(path: Path) -> Iterator[None]:
    """Turn what the operating system says about writing `path` into MachineError or RunError.

    Other errors pass unchanged.
    """
    try:
        yield
    except DltrainError:
        raise
    except Exception as error:
        # Not OSError alone: zipfile and HDF5 raise ValueError or RuntimeError from a full disk.
        explained = _explain(error, path)
        if explained is None:
            raise
        raise explained from error


def _explain(error: BaseException, path: Path) -> DltrainError | None:
    """Return the dltrain error for the first cause in `error`'s chain that is about the disk."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        number = cause.errno if isinstance(cause, OSError) else None
        if number in _FULL or _FULL_TEXT.search(str(cause)):
            return _disk_full(path, os.strerror(number) if number else str(cause))
        if isinstance(cause, OSError) and number in _FORBIDDEN:
            return MachineError(
                f"{path} can't be written: {os.strerror(number)}.",
                hint="Check who owns the folder, or choose another with --run-dir.",
            )
        if number == errno.EIO:
            return MachineError(
                f"The disk reported an error while writing {path}.",
                hint="The system log (dmesg) says more. Choose another disk with --run-dir.",
            )
        if number in (errno.ENOENT, errno.ENOTDIR) and not path.parent.is_dir():
            return RunError(
                f"{path} can't be written: the directory {path.parent} is gone.",
                hint="Something removed it while the run was at work. Start the run again.",
            )
        cause = cause.__cause__ or cause.__context__
    return None


def _disk_full(path: Path, reason: str) -> MachineError:
    kept = "its earlier content is unchanged" if path.exists() else "no part of it was left behind"
    return MachineError(
        f"The disk is full ({reason}) while writing {path}.",
        hint="Free some space, or choose another disk with --run-dir, and start again. "
        f"{path.name} was not written ({kept}); the other files of {path.parent} are whole.",
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: Any) -> Any:
    """Return `value` in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays, without importing NumPy
        return _plain(value.tolist())
    return value
