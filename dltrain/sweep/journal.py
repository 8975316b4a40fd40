"""How is the file opened that a study lies in, and what is said of one that is damaged?

It is Optuna's journal: a JSON object a line, which says what was done, and is synced before the
next. A killed process leaves at most its last line torn.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dltrain.errors import DltrainError, RunError
from dltrain.runs.atomic import explaining_disk

if TYPE_CHECKING:
    from optuna.storages import JournalStorage


def open_journal(path: Path) -> JournalStorage:
    """Return the storage in `path`, made if it is missing; a torn last line is cut off.

    Call it while holding the sweep. Raises RunError if another line is damaged, MachineError if
    the disk is full.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    class Backend(JournalFileBackend):
        """Say of a full disk that the journal can't be written."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            with explaining_disk(path):
                super().append_logs(logs)

    with explaining_disk(path):
        _drop_torn_line(path)
    _check_lines(path)
    try:
        with explaining_disk(path):
            return JournalStorage(Backend(str(path), lock_obj=cast(Any, _Held())))
    except DltrainError:
        raise
    except Exception as error:  # whole lines that don't follow from each other
        raise _describe_damage(path, f"{type(error).__name__}: {error}") from error


class _Held:
    """Lock nothing: this process holds the whole sweep, by a lock that dies with it.

    Optuna's own locks stay behind when a process is killed, and hold up the next for 30 s.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


def _drop_torn_line(path: Path) -> None:
    """Cut off a last line that a killed process, or a full disk, left half written."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def _check_lines(path: Path) -> None:
    if not path.is_file():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _describe_damage(path, f"line {number} is not JSON: {error}") from None
        if not isinstance(record, dict) or not {"op_code", "worker_id"} <= record.keys():
            raise _describe_damage(path, f"line {number} is none of Optuna's records")


def _describe_damage(path: Path, reason: str) -> RunError:
    return RunError(
        f"{path} is damaged: {reason.rstrip('.')}.",
        hint="dltrain never leaves it so: something else wrote it, or the disk failed. The trials "
        "beside it are whole; put back a copy of it, or begin a new sweep.",
    )
