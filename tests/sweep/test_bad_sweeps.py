"""What is said of a sweep that can't be: its command line, its storage, its files?"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from processes import run_dltrain
from tiny_runs import REGRESSION, Result, change

Cli = Callable[..., Result]

PLACE = Path("runs/line/sweep-0001")
SPACE: dict[str, Any] = {"optimizer.learning_rate": {"log_uniform": [1e-3, 0.1]}}
# So short that no trial begins: what is refused is refused before any would.
SWEEP: dict[str, Any] = {"method": "random", "trials": 4, "max_seconds": 1e-9, "space": SPACE}
BEGIN = ("sweep", "config.yaml", "--quiet")
RESUME = (*BEGIN, "--resume")
NOT_OURS = (
    "dltrain never leaves it so: something else wrote it, or the disk failed. The trials beside it "
    "are whole; put back a copy of it, or begin a new sweep.\n"
)
UNANSWERED = "Is the database running, and the URL right? Nothing was trained.\n"


def write(folder: Path, **sweep: Any) -> None:
    config = change(REGRESSION, sweep={**SWEEP, **sweep})
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sweep that was begun, and has all its trials before it."""
    folder = tmp_path_factory.mktemp("begun")
    write(folder)
    result = run_dltrain(*BEGIN, folder=folder)
    assert result.code == 0, result.err
    assert json.loads((folder / PLACE / "sweep.json").read_text())["state"] == "interrupted"
    return folder


@pytest.fixture
def sweep(begun: Path, workplace: Path) -> Path:
    """Return a copy of that sweep in the workplace, with its config."""
    shutil.copytree(begun / "runs", "runs")
    write(workplace)
    return PLACE


def check_refused(result: Result, code: int, message: str) -> None:
    assert (result.code, result.err) == (code, message)


def test_no_workers_are_refused(dltrain: Cli, workplace: Path) -> None:
    write(workplace)
    result = dltrain(*BEGIN, "--workers", 0)
    assert result.code == 2
    assert result.err.splitlines()[-1] == (
        "Error: Invalid value for '--workers': Input should be greater than or equal to 1"
    )
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("override", "varies"),
    [
        ("optimizer.learning_rate=0.3", "optimizer.learning_rate"),
        ("model.layers[0].units=1", "model.layers[0]"),
    ],
)
def test_a_set_that_the_sweep_would_overwrite_is_refused(
    dltrain: Cli, workplace: Path, override: str, varies: str
) -> None:
    write(
        workplace, space={**SPACE, "model.layers[0]": {"choice": [{"type": "dense", "units": 1}]}}
    )
    check_refused(
        dltrain(*BEGIN, "--set", override),
        2,
        f"error: --set {override} has no effect: the sweep varies '{varies}'.\n"
        "Leave it out, or take that path out of sweep.space.\n",
    )


def test_a_place_that_cannot_be_written_is_told(dltrain: Cli, workplace: Path) -> None:
    write(workplace)
    # Nobody may make a folder there, root neither.
    result = dltrain(*BEGIN, "--runs-dir", "/sys/dltrain")
    assert result.code == 6
    assert re.fullmatch(
        r"error: /sys/dltrain/line can't be written: (Operation not permitted|Permission denied|"
        r"Read-only file system)\.\nCheck who owns the folder, or choose another with "
        r"--runs-dir\.\n",
        result.err,
    )


def test_a_corrupt_database_is_told(dltrain: Cli, workplace: Path) -> None:
    write(workplace)
    Path("study.db").write_bytes(b"no database at all " * 100)
    check_refused(
        dltrain(*BEGIN, "--storage", "sqlite:///study.db"),
        6,
        "error: --storage sqlite:///study.db doesn't answer: file is not a database\n" + UNANSWERED,
    )
    assert list(Path("runs/line").iterdir()) == []


def test_a_locked_database_is_told(dltrain: Cli, workplace: Path) -> None:
    write(workplace)
    holder = sqlite3.connect("study.db")
    holder.execute("create table mine (held)")
    holder.commit()
    holder.execute("begin exclusive")
    check_refused(
        dltrain(*BEGIN, "--storage", "sqlite:///study.db?timeout=1"),
        6,
        "error: --storage sqlite:///study.db?timeout=1 doesn't answer: database is locked\n"
        + UNANSWERED,
    )
    holder.close()


def test_a_database_whose_driver_is_missing_is_told_without_its_password(
    dltrain: Cli, workplace: Path
) -> None:
    write(workplace)
    check_refused(
        dltrain(*BEGIN, "--storage", "postgresql+pg8000://me:secret@127.0.0.1:1/studies"),
        6,
        "error: --storage postgresql+pg8000://me:***@127.0.0.1:1/studies needs a package that "
        "isn't installed: No module named 'pg8000'.\nInstall the database's driver.\n",
    )


def test_a_sweep_goes_on_in_the_storage_it_was_begun_with(dltrain: Cli, sweep: Path) -> None:
    check_refused(
        dltrain(*RESUME, "--storage", "sqlite:///other.db"),
        2,
        f"error: {sweep} keeps its study in study.journal.\nLeave --storage out.\n",
    )
    assert not Path("other.db").exists()
    shutil.rmtree("runs")
    assert dltrain(*BEGIN, "--storage", "sqlite:///study.db").code == 0
    check_refused(
        dltrain(*RESUME),
        2,
        f"error: {sweep} keeps its study in sqlite:///study.db.\n"
        "Give its URL with --storage, which isn't written down: it may hold a password.\n",
    )
    study = json.loads((sweep / "sweep.json").read_text())["study"]
    check_refused(
        dltrain(*RESUME, "--storage", "sqlite:///other.db"),
        2,
        f"error: The database holds no study '{study}', of which {sweep}/sweep.json tells.\n"
        "Give --storage the URL that the sweep was begun with.\n",
    )


@pytest.mark.parametrize(
    ("changes", "different"),
    [
        ({"space": {"optimizer.learning_rate": {"log_uniform": [1e-3, 0.2]}}}, "sweep.space"),
        ({"method": "bayesian", "seed": 9}, "sweep.method, sweep.seed"),
        ({"pruner": "median", "direction": "maximize"}, "sweep.pruner, sweep.metric"),
    ],
)
def test_a_sweep_of_another_search_is_refused(
    dltrain: Cli, sweep: Path, changes: dict[str, Any], different: str
) -> None:
    write(Path(), **changes)
    check_refused(
        dltrain(*RESUME),
        2,
        f"error: {sweep} belongs to another config; different are: {different}.\n"
        "When a sweep goes on, sweep.trials, sweep.max_seconds and sweep.retrain may change. Leave "
        "--resume out to begin a new one.\n",
    )


def test_a_sweep_in_use_is_refused(dltrain: Cli, sweep: Path) -> None:
    descriptor = os.open(sweep / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.write(descriptor, b"4711 on a-machine\n")
    check_refused(
        dltrain(*RESUME),
        2,
        f"error: {sweep} is in use by process 4711 on a-machine.\n"
        "Wait until it ends, or choose another directory with --runs-dir.\n",
    )
    os.close(descriptor)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"gar\x00bage", "line 2 is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[1]", "line 2 is none of Optuna's records"),
        (b'{"op_code": 6, "worker_id": "a"}', "KeyError: 'trial_id'"),
    ],
)
def test_a_journal_that_is_damaged_in_the_middle_is_told_and_kept(
    dltrain: Cli, sweep: Path, line: bytes, reason: str
) -> None:
    journal = sweep / "study.journal"
    damaged = journal.read_bytes() + line + b"\n" + journal.read_bytes()
    journal.write_bytes(damaged)
    check_refused(dltrain(*RESUME), 2, f"error: {journal} is damaged: {reason}.\n{NOT_OURS}")
    assert journal.read_bytes() == damaged


def test_a_journal_that_is_gone_is_told(dltrain: Cli, sweep: Path) -> None:
    (sweep / "study.journal").unlink()
    check_refused(
        dltrain(*RESUME),
        2,
        f"error: {sweep}/study.journal holds no study 'line', of which sweep.json tells.\n"
        "Put the file back, or leave --resume out to begin a new sweep.\n",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"format": 1, "tri',
            "it is not JSON (Unterminated string starting at: line 1 column 15 (char 14)).\n"
            "dltrain never leaves a file so: something else wrote it, or the disk failed.",
        ),
        ('{"format": 1, "trials": 3}', "it lists no trials."),
        ('{"format": 1, "goal": 4, "trials": [{"trial": 1}]}', "trials[0] is no trial."),
    ],
)
def test_a_record_that_is_damaged_is_told(
    dltrain: Cli, sweep: Path, text: str, reason: str
) -> None:
    (sweep / "sweep.json").write_text(text)
    message = f"error: {sweep}/sweep.json is damaged: {reason}\n"
    check_refused(dltrain(*RESUME), 2, message)
    check_refused(dltrain("sweep", "show", "line"), 2, message)
    assert (sweep / "sweep.json").read_text() == text
