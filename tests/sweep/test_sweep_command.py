"""Does `dltrain sweep` train, prune, survive, and keep a best that can be trained again?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from processes import run_dltrain, start_dltrain
from tiny_runs import REGRESSION, change

SWEEP = Path("runs/line/sweep-0001")

RANDOM: dict[str, Any] = {
    "method": "random",
    "trials": 4,
    "space": {
        "optimizer.learning_rate": {"log_uniform": [1e-3, 0.1]},
        "training.batch_size": {"choice": [5, 10, 20]},
    },
}


def write(folder: Path, sweep: dict[str, Any], **changes: Any) -> None:
    folder.mkdir(exist_ok=True)
    config = change(REGRESSION, sweep=sweep, **changes)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def essence(document: dict[str, Any]) -> list[Any]:
    """Return what the trials are and gave."""
    return [(row["trial"], row["values"], row["results"]) for row in document["trials"]]


def test_a_sweep_finds_the_best_on_validation_and_scores_test_once(tmp_path: Path) -> None:
    write(tmp_path, RANDOM)
    result = run_dltrain("sweep", "config.yaml", "--json", folder=tmp_path)
    assert result.code == 0, result.err
    document = result.json
    sweep = tmp_path / SWEEP
    assert document == {"sweep": str(SWEEP), **read_plain(sweep), "report": None}
    assert (document["state"], document["goal"], len(document["trials"])) == ("finished", 4, 4)
    for row in document["trials"]:
        run = sweep / row["run"]
        lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
        assert row["results"] == [min(line["val_loss"] for line in lines)]
        assert list(read(run / "metrics.json")["splits"]) == ["validation"]
    best = min(document["trials"], key=lambda row: row["results"][0])
    assert document["best"] == best["trial"]
    scored = [path.parent.name for path in sweep.glob("*/evaluation-test.json")]
    assert scored == [best["run"]]
    test = read(sweep / best["run"] / "evaluation-test.json")
    assert document["test"]["value"] in [
        each["value"] for each in find_numbers(test) if each["value"] is not None
    ]

    # The last trial of its worker, and the best, as processes of their own train them.
    for config, run in (("configs/0004.yaml", "0004"), ("best.yaml", best["run"])):
        fresh = tmp_path / f"fresh-{Path(config).stem}"
        command = ["fit", str(SWEEP / config), "--quiet", "--no-report", "--run-dir", fresh.name]
        again = run_dltrain(*command, folder=tmp_path)
        assert again.code == 0, again.err
        one, other = (path / "history.jsonl" for path in (sweep / run, fresh))
        assert without_seconds(one) == without_seconds(other)
        assert read_weights(sweep / run) == read_weights(fresh)

    shown = run_dltrain("sweep", "show", "line", folder=tmp_path)
    assert f"best: trial {best['trial']}, val_loss {best['results'][0]:.4f}; test" in shown.out
    listed = run_dltrain("show", f"line/sweep-0001/{best['run']}", "--json", folder=tmp_path)
    assert listed.json["name"] == "line"

    finished = run_dltrain("sweep", "config.yaml", "--resume", "--json", folder=tmp_path)
    assert finished.json == document
    write(tmp_path, RANDOM, training__batch_size=7)
    refused = run_dltrain("sweep", "config.yaml", "--resume", folder=tmp_path)
    assert refused.code == 2
    assert refused.err.endswith(
        f"error: {SWEEP} belongs to another config; different are: training.batch_size.\n"
        "When a sweep goes on, sweep.trials, sweep.max_seconds and sweep.retrain may change. Leave "
        "--resume out to begin a new one.\n"
    )


def read_weights(run: Path) -> bytes:
    """Return the file of weights inside a run's model."""
    with zipfile.ZipFile(run / "model.keras") as model:
        return model.read("model.weights.h5")


def read_plain(sweep: Path) -> dict[str, Any]:
    document: dict[str, Any] = read(sweep / "sweep.json")
    assert document.pop("format") == 1
    return document


def find_numbers(value: Any) -> list[dict[str, Any]]:
    """Return all numbers with an interval in a document of scores."""
    if not isinstance(value, dict):
        return []
    here = [value] if "value" in value else []
    return [*here, *(number for each in value.values() for number in find_numbers(each))]


def without_seconds(path: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_pruning_saves_epochs_and_a_diverging_trial_fails_alone(tmp_path: Path) -> None:
    rates = [0.05, 0.04, 0.03, 0.06, 0.07, 1e-6, 1e30, 1e-7]
    sweep = {
        "method": "grid",
        "pruner": "median",
        "space": {"optimizer.learning_rate": {"choice": rates}},
    }
    write(tmp_path, sweep, training__epochs=6)
    result = run_dltrain("sweep", "config.yaml", folder=tmp_path)
    assert result.code == 0, result.err
    rows = read(tmp_path / SWEEP / "sweep.json")["trials"]
    states = [row["state"] for row in rows]
    assert states == [*["finished"] * 5, "pruned", "failed", "pruned"]
    # Median pruning begins with the sixth trial, and judges after every epoch.
    assert [row["epochs"] for row in rows] == [6, 6, 6, 6, 6, 1, 0, 1]
    assert rows[6]["reason"].startswith("The loss became inf in epoch 1")
    status = read(tmp_path / SWEEP / "0006/status.json")
    assert (status["state"], status["stopped_by"], status["reason"]) == (
        "interrupted",
        "pruned",
        "pruned after 1 of 6 epochs",
    )
    assert "trial     7/8  failed (The loss became inf" in result.err


def wait_for_rows(process: subprocess.Popen[str], history: Path) -> None:
    """Wait until the trial has 60 epochs behind it."""
    deadline = time.monotonic() + 150
    while not history.is_file() or history.read_bytes().count(b"\n") < 60:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def find_children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def is_at_work(pid: int) -> bool:
    """Tell whether a process is there, and no zombie that nobody has asked for."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux lists children in /proc")
def test_killed_workers_and_a_killed_sweep_lose_nothing(tmp_path: Path) -> None:
    long = {"training__epochs": 150, "training__checkpoint": {"every_epochs": 20}}
    three = {**RANDOM, "trials": 3}
    write(tmp_path / "whole", three, **long)
    assert run_dltrain("sweep", "config.yaml", "--quiet", folder=tmp_path / "whole").code == 0

    torn = tmp_path / "torn"
    write(torn, three, **long)
    flags = ("sweep", "config.yaml", "--workers", 2, "--quiet")
    process = start_dltrain(*flags, folder=torn)
    wait_for_rows(process, torn / SWEEP / "0001/history.jsonl")
    for child in find_children(process.pid):
        os.kill(child, signal.SIGKILL)
    wait_for_rows(process, torn / SWEEP / "0003/history.jsonl")
    children = find_children(process.pid)
    assert len(children) == 2
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while any(map(is_at_work, children)):
        assert time.monotonic() < deadline, "a worker outlives its sweep"
        time.sleep(0.05)
    before = read(torn / SWEEP / "sweep.json")
    assert before["state"] == "running"
    resumed = run_dltrain(*flags, "--resume", folder=torn)
    assert resumed.code == 0, resumed.err
    one, other = (read(folder / SWEEP / "sweep.json") for folder in (torn, tmp_path / "whole"))
    assert one["state"] == "finished"
    assert essence(one) == essence(other)
    assert [row["epochs"] for row in one["trials"]] == [150] * 3
    # Each went on from a checkpoint, instead of being trained anew.
    environment = read(torn / SWEEP / "0001/environment.json")
    assert environment["resumed"][0]["epoch"] > 0


def test_ctrl_c_ends_a_sweep_and_says_how_to_go_on(tmp_path: Path) -> None:
    write(tmp_path, RANDOM, training__epochs=100_000)
    process = start_dltrain("sweep", "config.yaml", "--quiet", folder=tmp_path)
    wait_for_rows(process, tmp_path / SWEEP / "0001/history.jsonl")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert err == (
        "error: The sweep was interrupted: 0 of 4 trials are done.\n"
        "Go on with it: the same command with --resume.\n"
    )
    assert read(tmp_path / SWEEP / "sweep.json")["state"] == "interrupted"
    assert read(tmp_path / SWEEP / "0001/status.json")["state"] == "interrupted"


def test_what_cannot_be_a_sweep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(REGRESSION))
    nothing = run_dltrain("sweep", "config.yaml", folder=tmp_path)
    assert nothing.code == 2
    assert nothing.err == (
        "error: config.yaml has no `sweep:`, so nothing varies.\n"
        "For example `sweep: {space: {optimizer.learning_rate: {log_uniform: [1e-4, 1e-1]}}}`.\n"
    )
    write(tmp_path, RANDOM)
    absent = run_dltrain("sweep", "config.yaml", "--resume", folder=tmp_path)
    assert absent.code == 2
    assert absent.err.endswith(
        "error: There is no sweep of 'line' in runs to go on with.\n"
        "Leave --resume out to begin one.\n"
    )


def test_a_sweep_whose_storage_does_not_answer_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path, RANDOM)
    url = "sqlite:////absent/folder/study.db"
    result = run_dltrain("sweep", "config.yaml", "--storage", url, folder=tmp_path)
    assert result.code == 6
    assert result.err.endswith(
        f"error: --storage {url} doesn't answer: unable to open database file\n"
        "Is the database running, and the URL right? Nothing was trained.\n"
    )
    assert list((tmp_path / "runs/line").iterdir()) == []


def test_a_sweep_whose_time_is_over_stops_after_an_epoch_and_goes_on(tmp_path: Path) -> None:
    # Long enough that no machine ends one trial in the time, short enough to end in the second go.
    sweep = {**RANDOM, "trials": 2, "max_seconds": 0.5}
    write(tmp_path, sweep, training__epochs=20)
    cut = run_dltrain("sweep", "config.yaml", "--json", folder=tmp_path)
    assert cut.code == 0, cut.err
    assert (cut.json["state"], cut.json["reason"], cut.json["test"]) == (
        "interrupted",
        "stopped by max_seconds, with 2 trials left",
        None,
    )
    assert [(row["state"], row["epochs"]) for row in cut.json["trials"]] == [("running", 1)]
    status = read(tmp_path / SWEEP / "0001/status.json")
    assert status["reason"] == "the sweep's time was over after 1 of 20 epochs"
    write(tmp_path, {**sweep, "max_seconds": 1000}, training__epochs=20)
    done = run_dltrain("sweep", "config.yaml", "--resume", "--json", folder=tmp_path)
    assert done.code == 0, done.err
    assert [(row["state"], row["epochs"]) for row in done.json["trials"]] == [("finished", 20)] * 2
