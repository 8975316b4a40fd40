"""Does `dltrain runs` show the runs in 80 columns and as JSON?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dltrain.commands.runs import format_seconds, runs
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.runs.status import begin_status, write_status

app = typer.Typer()
app.command()(runs)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a finished run, a killed one, and a damaged one with a long name."""
    finished = RunPaths(tmp_path / "mnist" / "0001")
    killed = RunPaths(tmp_path / "mnist" / "0002")
    damaged = RunPaths(tmp_path / f"imdb-{'very-' * 8}long" / "0001")
    for paths in (finished, killed, damaged):
        paths.root.mkdir(parents=True)
    status = begin_status(epochs_goal=100).progress(100)
    write_status(finished.status, status.end("finished", reason="stopped early"))
    scores = {"headline": "accuracy", "accuracy": {"value": 0.98765}}
    write_metrics(finished.metrics, {"validation": scores})
    write_status(killed.status, replace(status, pid=2**22 + 1))
    return tmp_path


def test_the_table_fits_80_columns_and_says_why_a_run_is_not_well(root: Path) -> None:
    result = CliRunner().invoke(app, ["--runs-dir", str(root)])
    assert result.exit_code == 0
    table = result.output.partition("mnist/0002 killed: ")[0].splitlines()[:-1]
    assert len(table) >= 5
    assert max(len(line) for line in table) <= 80
    assert "accuracy 0.9877" in result.output
    assert "(validation)" in result.output
    assert "mnist/0002 killed: its process" in result.output
    assert "status.json is missing" in result.output
    assert "stopped early" not in result.output


def test_json_is_a_list_with_whole_numbers(root: Path) -> None:
    result = CliRunner().invoke(app, ["--runs-dir", str(root), "--json"])
    listed = {run["run"]: run for run in json.loads(result.stdout)}
    assert len(listed) == 3
    assert listed["mnist/0001"]["value"] == 0.98765
    assert listed["mnist/0001"]["status"] == "finished"
    assert listed["mnist/0002"]["status"] == "killed"


def test_no_runs_say_what_to_do_and_leave_stdout_empty(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--runs-dir", str(tmp_path / "runs")])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "Train one with `dltrain fit CONFIG`" in result.stderr
    result = CliRunner().invoke(app, ["--runs-dir", str(tmp_path / "runs"), "--json"])
    assert json.loads(result.stdout) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7.4, "7s"), (59.6, "1m00s"), (200, "3m20s"), (7500, "2h05m")],
)
def test_durations_are_in_two_units(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
