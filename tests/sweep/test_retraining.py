"""Are a sweep's best trials trained with other seeds, whatever kills it in between?"""

from __future__ import annotations

import json
import signal
import statistics
import time
from pathlib import Path
from typing import Any

import yaml
from processes import run_dltrain, start_dltrain
from tiny_runs import REGRESSION, change

SWEEP = Path("runs/line/sweep-0001")
SPACE = {"optimizer.learning_rate": {"choice": [0.05, 0.03, 0.0001]}}
GRID: dict[str, Any] = {"method": "grid", "space": SPACE}


def write(folder: Path, sweep: dict[str, Any], **changes: Any) -> None:
    config = change(REGRESSION, sweep=sweep, **changes)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_epochs(run: Path) -> list[dict[str, float]]:
    """Return what each epoch gave, but for the time it took."""
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_the_best_are_trained_again_and_the_best_mean_wins(tmp_path: Path) -> None:
    write(tmp_path, {**GRID, "retrain": {"top": 2, "seeds": 2}})
    done = run_dltrain("sweep", "config.yaml", "--workers", 2, "--json", folder=tmp_path)
    assert done.code == 0, done.err
    document, sweep = done.json, tmp_path / SWEEP
    retrained = document["retrained"]
    assert (retrained["top"], retrained["seeds"]) == (2, [4, 5])
    ranked = sorted(document["trials"], key=lambda row: row["results"][0])
    assert [row["trial"] for row in retrained["trials"]] == [row["trial"] for row in ranked[:2]]
    means = {}
    for row in retrained["trials"]:
        found = []
        for run in row["runs"]:
            folder = sweep / run["run"]
            config = yaml.safe_load((folder / "config.yaml").read_text())
            values = document["trials"][row["trial"] - 1]["values"]
            assert config["optimizer"]["learning_rate"] == values["optimizer.learning_rate"]
            assert config["seed"] == run["seed"]
            found.append(min(epoch["val_loss"] for epoch in read_epochs(folder)))
        # Only the other seeds count: not the run of the search.
        assert row["mean"] == [statistics.fmean(found)]
        assert row["std"] == [statistics.stdev(found)]
        means[row["trial"]] = row["mean"][0]
    winner = min(means, key=means.__getitem__)
    assert (retrained["winner"], document["best"]) == (winner, winner)

    # The test rows are scored once, by the model of the winner's own run.
    scored = [path.parent.name for path in sweep.rglob("evaluation-test.json")]
    assert scored == [f"{winner:04d}"]
    best = (sweep / "best.yaml").read_text()
    assert best.splitlines()[1].startswith("# Over 2 other seeds: val_loss 0.")
    assert yaml.safe_load(best)["seed"] == 3

    shown = run_dltrain("sweep", "show", "line", folder=tmp_path)
    assert f"best: trial {winner}, val_loss {means[winner]:.4f} ± 0." in shown.out
    assert " over 2 other seeds; test r2 " in shown.out
    one = f"line/sweep-0001/retrained/trial-{winner:04d}/0004"
    assert run_dltrain("show", one, "--json", folder=tmp_path).json["name"] == "line"

    # One with a seed more goes on from what is there, and no trial is trained again.
    write(tmp_path, {**GRID, "retrain": {"top": 2, "seeds": 3}})
    before = (sweep / retrained["trials"][0]["runs"][0]["run"] / "status.json").read_text()
    more = run_dltrain("sweep", "config.yaml", "--resume", "--json", folder=tmp_path)
    assert more.code == 0, more.err
    assert more.json["retrained"]["seeds"] == [4, 5, 6]
    assert more.json["trials"] == document["trials"]
    after = (sweep / retrained["trials"][0]["runs"][0]["run"] / "status.json").read_text()
    assert before == after


def test_a_sweep_killed_while_it_trains_again_goes_on(tmp_path: Path) -> None:
    section = {**GRID, "space": {"optimizer.learning_rate": {"choice": [0.05]}}}
    section["retrain"] = {"top": 1, "seeds": 2}
    long = {"training__epochs": 150, "training__checkpoint": {"every_epochs": 20}}
    write(tmp_path, section, **long)
    process = start_dltrain("sweep", "config.yaml", "--quiet", folder=tmp_path)
    second = tmp_path / SWEEP / "retrained/trial-0001/0005"
    deadline = time.monotonic() + 150
    history = second / "history.jsonl"
    while not history.is_file() or history.read_bytes().count(b"\n") < 60:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    resumed = run_dltrain("sweep", "config.yaml", "--quiet", "--resume", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    document = read(tmp_path / SWEEP / "sweep.json")
    runs = document["retrained"]["trials"][0]["runs"]
    assert [(run["seed"], run["state"], run["epochs"]) for run in runs] == [
        (4, "finished", 150),
        (5, "finished", 150),
    ]
    assert read(second / "environment.json")["resumed"][0]["epoch"] > 0
    assert document["test"] is not None
    # To the bits of a training that nothing stopped.
    alone = yaml.safe_load((second / "config.yaml").read_text())
    (tmp_path / "alone.yaml").write_text(yaml.safe_dump(alone))
    assert run_dltrain("fit", "alone.yaml", "--quiet", folder=tmp_path).code == 0
    assert read_epochs(second) == read_epochs(tmp_path / "runs/line/0001")


def test_a_seed_that_diverges_takes_its_trial_out_of_the_choice(tmp_path: Path) -> None:
    # No seed makes a training diverge for certain: a learning rate does.
    write(tmp_path, {**GRID, "retrain": {"top": 1, "seeds": 1}})
    trainings = (
        "import dltrain.sweep.retraining as module, sys\n"
        "old = module.dump_config\n"
        "def diverge(config):\n"
        "    return old(config).replace('learning_rate: 0.05', 'learning_rate: 1.0e+30')\n"
        "module.dump_config = diverge\n"
        "from dltrain.cli import main\n"
        "main()\n"
    )
    done = run_dltrain("sweep", "config.yaml", folder=tmp_path, program=trainings)
    assert done.code == 0, done.err
    document = read(tmp_path / SWEEP / "sweep.json")
    run = document["retrained"]["trials"][0]["runs"][0]
    assert (run["state"], document["retrained"]["winner"]) == ("failed", None)
    assert document["best"] == 1
    assert f"trial 1 failed with seed 4: {run['reason']}" in done.out
    assert "Each failed with one of the seeds: the best is that of the search.\n" in done.out
    assert "trial       1  seed 4: failed (The loss became" in done.err


def test_of_a_shared_sweep_the_process_that_began_it_finds_the_winner(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    url = f"sqlite:///{tmp_path / 'study.db'}"
    section = {"space": SPACE, "trials": 2, "method": "random", "retrain": {"top": 1, "seeds": 1}}
    write(first, section, training__epochs=20)
    flags = ("sweep", "config.yaml", "--storage", url)
    begun = start_dltrain(*flags, folder=first)
    deadline = time.monotonic() + 150
    while not (first / SWEEP / "sweep.json").is_file():
        assert begun.poll() is None, begun.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    begun.send_signal(signal.SIGINT)  # while its worker still imports TensorFlow
    begun.communicate(timeout=100)
    assert begun.returncode == 130
    joined = run_dltrain("sweep", "--join", url, "--json", folder=second)
    assert joined.code == 0, joined.err
    assert "The process that began the sweep trains the best ones again.\n" in joined.err
    document = joined.json
    assert [row["state"] for row in document["trials"]] == ["finished", "finished"]
    assert (document["retrained"], document["test"]) == (None, None)
    done = run_dltrain(*flags, "--resume", "--json", folder=first)
    assert done.code == 0, done.err
    run = done.json["retrained"]["trials"][0]["runs"][0]
    assert (run["state"], run["epochs"], run["run"][:16]) == ("finished", 20, "retrained/trial-")
    assert (first / SWEEP / run["run"] / "model.keras").is_file()
    assert done.json["test"] is not None
