"""How does a run stand, and is its process still there?"""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from dltrain.errors import RunError
from dltrain.runs.atomic import write_json
from dltrain.runs.records import read_record

State = Literal["running", "finished", "failed", "interrupted"]
StoppedBy = Literal["early_stopping", "max_seconds", "signal", "pruned"]
DataKind = Literal["real", "subset", "stand-in"]

FORMAT = 1


@dataclass(frozen=True)
class Status:
    """Describe how a run stands. Times are ISO 8601 in UTC.

    `process_start_time` counts clock ticks since boot (Linux; None elsewhere): with it a process
    that got the same id later isn't taken for the run's.
    """

    state: State
    reason: str
    pid: int
    process_start_time: int | None
    host: str
    started_at: str
    updated_at: str
    ended_at: str | None
    epochs_done: int
    epochs_goal: int
    stopped_by: StoppedBy | None = None
    """What ended the training before its goal."""
    data: DataKind = "real"
    """Whether the numbers are of the dataset, of a few of its rows, or of rows made up."""
    repeats_done: int | None = None
    """Of a run with repeats (None: it has none): how many have ended well, of `repeats_goal`.

    Its epochs are then those of all repeats together.
    """
    repeats_goal: int | None = None

    def progress(self, epochs_done: int) -> Status:
        """Return this status after `epochs_done` epochs."""
        return replace(self, epochs_done=epochs_done, updated_at=_now())

    def end(self, state: State, *, reason: str = "", stopped_by: StoppedBy | None = None) -> Status:
        """Return this status, ended now as `state`; `reason` is one sentence for people."""
        now = _now()
        return replace(
            self, state=state, reason=reason, stopped_by=stopped_by, updated_at=now, ended_at=now
        )

    @property
    def elapsed_seconds(self) -> float:
        """Return the seconds from the start to the end, or to now for one that is at work.

        For a run whose process is gone it is the time to its last word.
        """
        start = datetime.fromisoformat(self.started_at)
        if self.ended_at is not None:
            end = datetime.fromisoformat(self.ended_at)
        elif is_stale(self):
            end = datetime.fromisoformat(self.updated_at)
        else:
            end = datetime.now(UTC)
        return max(0.0, (end - start).total_seconds())


def begin_status(*, epochs_goal: int, epochs_done: int = 0, data: DataKind = "real") -> Status:
    """Return the status of a run that this process begins, or goes on with, now."""
    now = _now()
    return Status(
        state="running",
        reason="",
        pid=os.getpid(),
        process_start_time=process_start_time(os.getpid()),
        host=socket.gethostname(),
        started_at=now,
        updated_at=now,
        ended_at=None,
        epochs_done=epochs_done,
        epochs_goal=epochs_goal,
        data=data,
    )


def write_status(path: Path, status: Status) -> None:
    """Replace `path` (a run's status.json) by `status`. Raises MachineError as `atomic` does.

    What is `running` isn't synced to the disk, which may take longer than an epoch. How a run
    ended is, and with it all that was written into its directory before.
    """
    record = asdict(status)
    if status.repeats_goal is None:
        del record["repeats_done"], record["repeats_goal"]
    is_running = status.state == "running"
    write_json(path, {"format": FORMAT, **record}, synced="nothing" if is_running else "entry")


def read_status(path: Path) -> Status:
    """Return what `path` (a run's status.json) says.

    Raises RunError if it is missing, damaged or of another format. A run that says `running` may
    be dead: ask `is_stale`.
    """
    meaning = (
        f"{path.parent} is not a run directory, or its run was killed before it began."
        if path.parent.is_dir()
        else f"There is no directory {path.parent}."
    )
    record = read_record(path, format_number=FORMAT, missing=meaning)
    _check(record, path)
    return Status(**{f.name: record[f.name] for f in fields(Status) if f.name in record})


def is_stale(status: Status) -> bool:
    """Tell whether a run says `running` and its process is gone.

    Only this machine's processes can be looked at: a run of another host is believed.
    """
    if status.state != "running" or status.host != socket.gethostname():
        return False
    if not _is_alive(status.pid):
        return True
    if status.process_start_time is None:
        return False
    now = process_start_time(status.pid)
    return now is not None and now != status.process_start_time


def process_start_time(pid: int) -> int | None:
    """Return when process `pid` began, in clock ticks since boot; None where that isn't known.

    It is field 22 of /proc/PID/stat (proc_pid_stat(5)).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Field 2, the program's name in parentheses, may itself hold spaces and parentheses.
    return int(text.rpartition(")")[2].split()[22 - 3])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and someone else's
        return True
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _check(record: dict[str, Any], path: Path) -> None:
    """Raise RunError unless every field of Status is in `record` with the right type."""

    def refuse(key: str, expected: str) -> RunError:
        return RunError(
            f"{path} is damaged: {key}: expected {expected}, received {record.get(key)!r}."
        )

    if record.get("state") not in get_args(State):
        raise refuse("state", "one of " + ", ".join(get_args(State)))
    # Runs of the first version have neither.
    for key, values in (("stopped_by", (*get_args(StoppedBy), None)), ("data", get_args(DataKind))):
        if key in record and record[key] not in values:
            raise refuse(key, "one of " + ", ".join(str(value) for value in values))
    for key in ("pid", "epochs_done", "epochs_goal"):
        if type(record.get(key)) is not int or record[key] < 0:
            raise refuse(key, "a whole number")
    for key in ("repeats_done", "repeats_goal"):
        if key in record and (type(record[key]) is not int or record[key] < 0):
            raise refuse(key, "a whole number")
    if record["pid"] == 0:
        raise refuse("pid", "a process id")
    if type(record.get("process_start_time")) not in (int, type(None)):
        raise refuse("process_start_time", "a whole number or null")
    for key in ("reason", "host"):
        if not isinstance(record.get(key), str):
            raise refuse(key, "a string")
    for key in ("started_at", "updated_at", "ended_at"):
        if key == "ended_at" and record.get(key, "") is None:
            continue
        if not _is_time(record.get(key)):
            raise refuse(key, "a time as ISO 8601 with its zone")


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
