"""Is every run listed as what it is, damaged ones too?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dltrain.errors import RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.listing import list_runs
from dltrain.runs.metrics import find_headline, read_metrics, write_metrics
from dltrain.runs.status import Status, begin_status, write_status

SCORES = {"headline": "accuracy", "accuracy": {"value": 0.98, "low": 0.97, "high": 0.99}}


def make_run(folder: Path, status: Status) -> RunPaths:
    folder.mkdir(parents=True)
    paths = RunPaths(folder)
    write_status(paths.status, status)
    return paths


def at(minute: int) -> Status:
    started = f"2026-01-01T00:{minute:02d}:00+00:00"
    return replace(begin_status(epochs_goal=5), started_at=started)


def test_runs_are_listed_newest_first_with_their_headline(tmp_path: Path) -> None:
    first = make_run(tmp_path / "mnist" / "0001", at(1).progress(5).end("finished"))
    write_metrics(first.metrics, {"validation": SCORES, "test": SCORES | {"rows": 3}})
    make_run(tmp_path / "mnist" / "0002", at(3))
    make_run(tmp_path / "by-hand", at(2).end("failed", reason="The loss is NaN."))
    runs = list_runs(tmp_path)
    assert [run.label for run in runs] == ["mnist/0002", "by-hand", "mnist/0001"]
    assert [run.state for run in runs] == ["running", "failed", "finished"]
    assert (runs[2].split, runs[2].metric, runs[2].value) == ("test", "accuracy", 0.98)
    assert (runs[2].epochs_done, runs[2].epochs_goal) == (5, 5)
    assert runs[1].reason == "The loss is NaN."


def test_runs_of_the_same_second_come_by_number(tmp_path: Path) -> None:
    for number in ("0009", "0010"):
        make_run(tmp_path / "mnist" / number, at(1))
    assert [run.number for run in list_runs(tmp_path)] == [10, 9]


def test_a_run_whose_process_is_gone_is_killed(tmp_path: Path) -> None:
    make_run(tmp_path / "mnist" / "0001", replace(at(1), pid=2**22 + 1))
    (run,) = list_runs(tmp_path)
    assert run.state == "killed"
    assert "gone without a word" in run.reason


def test_damaged_files_are_named_and_do_not_stop_the_listing(tmp_path: Path) -> None:
    make_run(tmp_path / "mnist" / "0001", at(1).end("finished"))  # no metrics.json
    torn = make_run(tmp_path / "mnist" / "0002", at(2).end("finished"))
    torn.metrics.write_text('{"format": 1, "spl')
    broken = make_run(tmp_path / "mnist" / "0003", at(3))
    broken.status.write_text("")
    (tmp_path / "mnist" / "0004").mkdir()
    runs = {run.number: run for run in list_runs(tmp_path)}
    assert {run.state for run in runs.values()} == {"damaged"}
    assert "metrics.json is missing" in runs[1].reason
    assert "metrics.json is damaged" in runs[2].reason
    assert "status.json is damaged" in runs[3].reason
    assert "status.json is missing" in runs[4].reason


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "mnist" / "pictures").mkdir(parents=True)
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "nowhere") == []


def test_metrics_without_a_test_split_give_the_validation_number() -> None:
    assert find_headline({"train": SCORES, "validation": SCORES}) == (
        "validation",
        "accuracy",
        0.98,
    )
    assert find_headline({}) is None
    assert find_headline({"test": {"headline": "r2", "r2": {"value": None}}}) is None


def test_metrics_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"format": 1, "splits": [1]}')
    with pytest.raises(RunError, match=r"metrics\.json is damaged: splits: expected a mapping"):
        read_metrics(path)
