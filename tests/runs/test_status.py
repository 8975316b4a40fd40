"""Does status.json come back as written, and is a dead run recognised?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dltrain.errors import RunError
from dltrain.runs.status import (
    begin_status,
    is_stale,
    process_start_time,
    read_status,
    write_status,
)


def test_a_status_comes_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    status = begin_status(epochs_goal=10).progress(3).end("failed", reason="The loss is NaN.")
    write_status(path, status)
    assert read_status(path) == status
    assert json.loads(path.read_text())["format"] == 1
    assert status.ended_at is not None
    assert status.epochs_done == 3


def test_a_run_of_this_process_is_not_stale() -> None:
    assert not is_stale(begin_status(epochs_goal=1))


def test_a_run_whose_process_is_gone_is_stale() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    status = replace(begin_status(epochs_goal=1), pid=process.pid)
    assert is_stale(status)
    assert not is_stale(status.end("finished"))


def test_a_process_id_that_another_process_got_is_stale() -> None:
    status = begin_status(epochs_goal=1)
    assert is_stale(replace(status, process_start_time=1)) == (
        process_start_time(os.getpid()) is not None
    )


def test_a_run_of_another_host_is_believed() -> None:
    status = replace(begin_status(epochs_goal=1), host="elsewhere", process_start_time=1)
    assert not is_stale(status)


def test_the_time_of_a_dead_run_ends_with_its_last_word() -> None:
    status = replace(
        begin_status(epochs_goal=1),
        process_start_time=1,
        pid=2**22 + 1,  # above Linux's largest process id
        started_at="2026-01-01T00:00:00+00:00",
        updated_at="2026-01-01T00:01:30+00:00",
    )
    assert status.elapsed_seconds == 90


def test_a_missing_status_says_whether_the_directory_is_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"status.json is missing\.") as caught:
        read_status(tmp_path / "status.json")
    assert "is not a run directory, or its run was killed" in caught.value.hint
    with pytest.raises(RunError, match=r"status.json is missing\.") as caught:
        read_status(tmp_path / "nowhere" / "status.json")
    assert "There is no directory" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "status.json is damaged: it is not JSON"),
        (b'{"format": 1, "sta', "is damaged: it is not JSON"),
        (b"\xff\xfe\x00", "can't be read"),
        (b"[" * 100_000, "is damaged: it is not JSON"),
        (b"[1]", "expected a JSON object, received list"),
        (b'{"format": 2}', "is of format 2; this dltrain reads 1"),
        (b"{}", "is of format None; this dltrain reads 1"),
        (b'{"format": 1}', "state: expected one of running, finished, failed, interrupted"),
    ],
)
def test_a_damaged_status_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "status.json").write_bytes(content)
    with pytest.raises(RunError, match=message):
        read_status(tmp_path / "status.json")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("state", "done", "state: expected one of .* received 'done'"),
        ("pid", "12", "pid: expected a whole number, received '12'"),
        ("pid", 0, "pid: expected a process id, received 0"),
        ("epochs_done", True, "epochs_done: expected a whole number, received True"),
        ("process_start_time", "x", "process_start_time: expected a whole number or null"),
        ("host", None, "host: expected a string, received None"),
        ("started_at", "yesterday", "started_at: expected a time as ISO 8601 with its zone"),
        ("started_at", None, "started_at: expected a time"),
        ("ended_at", 5, "ended_at: expected a time"),
        ("stopped_by", "me", "stopped_by: expected one of early_stopping, max_seconds, signal"),
        ("data", None, "data: expected one of real, subset, stand-in, received None"),
    ],
)
def test_a_status_with_a_wrong_field_is_refused(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = tmp_path / "status.json"
    write_status(path, begin_status(epochs_goal=1))
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(RunError, match=message):
        read_status(path)


def test_a_status_without_a_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, begin_status(epochs_goal=1))
    record = json.loads(path.read_text())
    for key in record.keys() - {"format"}:
        path.write_text(json.dumps({name: record[name] for name in record if name != key}))
        if key == "process_start_time":
            continue
        if key in ("stopped_by", "data"):  # a run of an earlier version says nothing of these
            assert getattr(read_status(path), key) == {"stopped_by": None, "data": "real"}[key]
            continue
        with pytest.raises(RunError, match=f"{key}: expected"):
            read_status(path)
