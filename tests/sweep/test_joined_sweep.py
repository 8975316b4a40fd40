"""Do processes that join a sweep finish it together, whoever of them is killed?"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgresql import PASSWORD, Server
from processes import run_dltrain, start_dltrain
from sqlalchemy import create_engine, text
from tiny_runs import REGRESSION, change

from dltrain.config.load import load_config
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.study import SweepStudy

SWEEP = Path("runs/line/sweep-0001")

RANDOM: dict[str, Any] = {
    "method": "random",
    "space": {
        "optimizer.learning_rate": {"log_uniform": [1e-3, 0.1]},
        "training.batch_size": {"choice": [5, 10, 20]},
    },
}

# At work now: whose each trial is that has some epochs behind it, a checkpoint, and no end.
AT_WORK = """
SELECT c.owner, c.number FROM dltrain_claims c JOIN trials t ON t.trial_id = c.trial_id
WHERE t.state = 'RUNNING' AND EXISTS (
    SELECT 1 FROM trial_intermediate_values v WHERE v.trial_id = t.trial_id AND v.step > 30)
"""


# A `dltrain` to which SIGTERM comes between the claim of its first trial and the commit.
TERMINATED_WHILE_CLAIMING = """
import os, signal, sys
from sqlalchemy import Engine, event
from dltrain.cli import run

@event.listens_for(Engine, "after_cursor_execute")
def strike(connection, cursor, statement, *_):
    if statement.startswith("INSERT INTO dltrain_claims"):
        os.kill(os.getpid(), signal.SIGTERM)

sys.exit(run(sys.argv[1:]))
"""


def write(folder: Path, *, trials: int, epochs: int) -> None:
    folder.mkdir(exist_ok=True)
    config = change(
        REGRESSION,
        sweep={**RANDOM, "trials": trials},
        training__epochs=epochs,
        training__checkpoint={"every_epochs": 10},
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def read(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / SWEEP / "sweep.json").read_text())
    return document


def wait_until(is_so: Callable[[], object], *processes: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 200
    while not is_so():
        for process in processes:
            assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_begun(folder: Path) -> bool:
    """Tell whether a sweep's study is there, and its folder says what it is called in it."""
    return (folder / SWEEP / "sweep.json").is_file()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and its workers, as a machine that loses its power does."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
    process.communicate(timeout=60)


def suggest_alone(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return the values that one process would try."""
    loaded = load_config(folder / "config.yaml")
    assert loaded.sweep is not None
    scratch = folder / "alone"
    scratch.mkdir()
    study = SweepStudy(
        SweepPaths(scratch), loaded.sweep, loaded.document, epochs=1, name="line", url=None
    )
    begun = [study.begin_trial() for _ in range(count)]
    return [dict(each[1].values) for each in begun if each is not None]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux lists children in /proc")
@pytest.mark.timeout(600)
def test_two_of_four_on_postgresql_are_killed_and_every_trial_is_done_once(
    tmp_path: Path, postgresql: Server
) -> None:
    url, trials, epochs = postgresql.make_database("killed"), 12, 200
    folders = [tmp_path / name for name in ("first", "second", "third", "fourth")]
    first = folders[0]
    for folder in folders:
        folder.mkdir()
    write(first, trials=trials, epochs=epochs)
    # Long enough that a loaded machine's pause isn't taken for a death.
    changes = {"DLTRAIN_SWEEP_STALE_SECONDS": "12"}
    running = {
        first: start_dltrain(
            "sweep", "config.yaml", "--storage", url, "--quiet", folder=first, changes=changes
        )
    }
    wait_until(lambda: has_begun(first), running[first])
    for folder in folders[1:]:
        running[folder] = start_dltrain(
            "sweep", "--join", url, "--quiet", folder=folder, changes=changes
        )
    wait_until(lambda: all(map(has_begun, folders)), *running.values())
    names = {read(folder)["member"]: folder for folder in folders}
    assert len(names) == 4

    def find_at_work() -> dict[Path, int]:
        lines = (line.split("|") for line in postgresql.ask("killed", AT_WORK))
        return {names[owner]: int(number) for owner, number in lines}

    # Each has a checkpoint by then: its trial's tenth epoch is behind it.
    wait_until(lambda: len(find_at_work()) == 4, *running.values())
    killed = [first, folders[2]]
    for folder in killed:
        kill(running.pop(folder))
    left_behind = {folder: find_at_work()[folder] for folder in killed}
    for process in running.values():
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert f"{trials} of {trials} trials ({trials} finished)" in out

    states = "SELECT state, count(*) FROM trials GROUP BY state"
    assert postgresql.ask("killed", states) == [f"COMPLETE|{trials}"]
    one, other = (read(folder) for folder in running)
    expected = suggest_alone(first, trials)
    for document in (one, other):
        assert document["state"] == "finished"
        rows = document["trials"]
        assert [row["trial"] for row in rows] == list(range(1, trials + 1))
        assert [row["values"] for row in rows] == expected
        assert [(row["state"], row["epochs"]) for row in rows] == [("finished", epochs)] * trials
        assert document["best"] == min(rows, key=lambda row: row["results"][0])["trial"]
        assert document["test"]["metric"] == "r2"
    assert [row["results"] for row in one["trials"]] == [row["results"] for row in other["trials"]]
    assert (one["best"], one["test"]) == (other["best"], other["test"])
    # The dead's trials went on in place, from their checkpoints, as their folders are at hand.
    for folder, trial in left_behind.items():
        run = folder / SWEEP / f"{trial:04}"
        assert json.loads((run / "status.json").read_text())["state"] == "finished"
        assert json.loads((run / "environment.json").read_text())["resumed"][0]["epoch"] > 0
    for trial in range(1, trials + 1):
        trained = [each for each in folders if (each / SWEEP / f"{trial:04}/metrics.json").exists()]
        assert len(trained) == 1
    scored = list(tmp_path.glob("*/runs/line/sweep-0001/*/evaluation-test.json"))
    assert [path.parent.name for path in scored] == [f"{one['best']:04}"]
    for folder in running:
        best = load_config(folder / SWEEP / "best.yaml").config
        rate = best.optimizer["learning_rate"]
        assert rate == expected[one["best"] - 1]["optimizer.learning_rate"]
    # Wherever a command line is kept, it is without the password.
    for path in tmp_path.glob("**/*.json"):
        assert PASSWORD not in path.read_text()
        assert "geheim" not in path.read_text()


@pytest.mark.timeout(600)
def test_who_is_stopped_hands_its_trial_over_at_once_and_its_resume_finds_all_done(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    # Long ones: two that begin with seconds between them must both be at work at one moment.
    write(first, trials=4, epochs=400)
    # So that silence alone wouldn't do.
    changes = {"DLTRAIN_SWEEP_STALE_SECONDS": "3600"}
    flags = ("sweep", "config.yaml", "--storage", url)
    begun = start_dltrain(*flags, folder=first, changes=changes)
    wait_until(lambda: has_begun(first), begun)
    joined = start_dltrain("sweep", "--join", url, folder=second, changes=changes)
    engine = create_engine(url)

    def are_both_at_work() -> bool:
        with engine.connect() as connection:
            return len({owner for owner, _ in connection.execute(text(AT_WORK))}) == 2

    wait_until(are_both_at_work, begun, joined)
    begun.send_signal(signal.SIGTERM)
    _, err = begun.communicate(timeout=100)
    assert begun.returncode == 143
    assert re.search(
        r"error: The sweep was terminated: \d of 4 trials are done.\n"
        r"Go on with it: the same command with --resume.\n\Z",
        err,
    )
    assert f"Others join it: dltrain sweep --join {url} --study line/sweep-0001/" in err
    out, err = joined.communicate(timeout=250)
    assert joined.returncode == 0, err
    host = os.uname().nodename
    (taken,) = re.findall(rf"Trial (\d), whose process on {host} is gone, goes on here.\n", err)
    environment = first / SWEEP / f"000{taken}/environment.json"
    assert json.loads(environment.read_text())["resumed"][0]["epoch"] > 0
    assert re.search(rf"trained on {host}, in {first / SWEEP}: .*{taken}", out)

    resumed = run_dltrain(*flags, "--resume", "--json", folder=first, changes=changes)
    assert resumed.code == 0, resumed.err
    one, other = resumed.json, read(second)
    assert one["state"] == "finished"
    assert [row["results"] for row in one["trials"]] == [row["results"] for row in other["trials"]]
    assert one["test"] == other["test"]
    # Each run lies in one of the two folders, and both say so.
    for here, there in zip(one["trials"], other["trials"], strict=True):
        assert (here["at"] is None) != (there["at"] is None)
    again = run_dltrain("sweep", "--join", url, folder=second)
    assert (again.code, again.err) == (
        2,
        f"error: {url} holds no sweep that isn't finished.\n"
        "Begin one with `dltrain sweep CONFIG --storage URL`.\n",
    )


def test_a_signal_amid_a_transaction_waits_for_its_end(tmp_path: Path) -> None:
    # What was half done would keep a lock, for which SQLite waits a minute at the end.
    url = f"sqlite:///{tmp_path}/study.db"
    write(tmp_path, trials=3, epochs=120)
    changes = {"DLTRAIN_SWEEP_STALE_SECONDS": "3600"}
    flags = ("sweep", "config.yaml", "--storage", url, "--quiet")
    ended = run_dltrain(*flags, folder=tmp_path, changes=changes, program=TERMINATED_WHILE_CLAIMING)
    assert ended.code == 143, ended.err
    with create_engine(url).connect() as connection:
        claims = connection.execute(text("SELECT number FROM dltrain_claims")).all()
    assert claims == [(1,)]


@pytest.mark.timeout(600)
def test_a_database_that_goes_away_loses_nothing(tmp_path: Path, postgresql: Server) -> None:
    url = postgresql.make_database("away")
    write(tmp_path, trials=2, epochs=120)
    flags = ("sweep", "config.yaml", "--storage", url, "--quiet")
    process = start_dltrain(*flags, folder=tmp_path)
    history = tmp_path / SWEEP / "0001/history.jsonl"
    wait_until(lambda: history.is_file() and history.read_bytes().count(b"\n") > 12, process)
    postgresql.stop()
    try:
        _, err = process.communicate(timeout=100)
    finally:
        postgresql.start()
    assert process.returncode == 6, err
    shown = url.replace("geheim%7B7%7D%25", "***")
    message, hint = err.splitlines()[-2:]
    assert message.startswith(f"error: --storage {shown} doesn't answer: ")
    assert hint == (
        "Nothing is lost. When the database is back, go on with the same command with --resume."
    )
    stopped_after = history.read_bytes().count(b"\n")
    failed = read(tmp_path)
    assert failed["state"] == "failed"
    assert failed["reason"] == message.removeprefix("error: ")
    assert [row["trial"] for row in failed["trials"]] == [1]
    resumed = run_dltrain(*flags, "--resume", "--json", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    rows = resumed.json["trials"]
    assert [(row["state"], row["epochs"]) for row in rows] == [("finished", 120)] * 2
    environment = json.loads((tmp_path / SWEEP / "0001/environment.json").read_text())
    # Not the tenth epoch, nor the twentieth: the last, though no checkpoint was due after it.
    lines = history.read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, 121))
    assert environment["resumed"][0]["epoch"] == stopped_after
