"""Are repeats the runs that single commands give, and does nothing finish that isn't whole?"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from compared_runs import compare_runs
from processes import run_dltrain, start_dltrain
from tiny_runs import CONFIG, REGRESSION, Result, change

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

RUN = Path("runs/line/0001")


def read(path: Path) -> Any:
    """Return the JSON document in `path`."""
    return json.loads(path.read_text(encoding="utf-8"))


def start_repeats(folder: Path, *arguments: object, repeats: int = 3) -> subprocess.Popen[str]:
    """Start a training of repeats, and return in the midst of its second."""
    # Quiet: nobody reads stderr while it runs, and a full pipe would hold it up.
    flags = ("--repeats", repeats, "--quiet", *arguments)
    process = start_dltrain("fit", "config.yaml", *flags, folder=folder)
    wait_for(folder / RUN / "repeats/2/history.csv", process)
    return process


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until `path` is there."""
    deadline = time.monotonic() + 150
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Dropout, augmentation, order and initial weights all draw random numbers; the models of one
# process must not tell the next one's names and seeds.
RANDOM = change(
    CONFIG,
    dataset__augment=[{"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1}],
    training={"batch_size": 256, "epochs": 2, "checkpoint": {"every_epochs": 1}},
)


def test_repeats_in_one_process_are_those_of_single_processes_to_the_bit(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(RANDOM))
    repeated = run_dltrain("fit", "config.yaml", "--repeats", 3, "--quiet", folder=tmp_path)
    assert repeated.code == 0, repeated.err
    for number, seed in ((1, 3), (3, 5)):
        single = f"seed-{seed}"
        flags = ("--seed", seed, "--run-dir", single, "--quiet")
        assert run_dltrain("fit", "config.yaml", *flags, folder=tmp_path).code == 0
        differences = compare_runs(
            tmp_path / "runs/tiny/0001/repeats" / str(number), tmp_path / single
        )
        assert differences == []
    first, third = (tmp_path / f"runs/tiny/0001/repeats/{number}" for number in (1, 3))
    assert compare_runs(first, third) != []


def test_mean_and_standard_deviation_are_of_the_repeats_own_numbers(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--repeats", 3)
    assert result.code == 0, result.err
    record = read(RUN / "repeats.json")
    assert (record["goal"], record["done"], record["seed"]) == (3, 3, 3)
    assert [row["seed"] for row in record["repeats"]] == [3, 4, 5]
    seeds = [
        yaml.safe_load((RUN / f"repeats/{n}/config.yaml").read_text())["seed"] for n in (1, 2, 3)
    ]
    assert seeds == [3, 4, 5]
    for split in ("validation", "test"):
        metrics = [read(RUN / f"repeats/{n}/metrics.json")["splits"][split] for n in (1, 2, 3)]
        for name in ("mse", "mae", "rmse", "r2"):
            values = [scores[name]["value"] for scores in metrics]
            number = record["splits"][split][name]
            assert number["values"] == values
            assert number["mean"] == pytest.approx(sum(values) / 3, rel=1e-12)
            assert number["std"] == pytest.approx(statistics.stdev(values), rel=1e-12)
            assert (number["min"], number["max"]) == (min(values), max(values))
            constants = [scores["baseline"][name]["value"] for scores in metrics]
            beside = record["splits"][split]["baseline"][name]["mean"]
            assert beside == pytest.approx(sum(constants) / 3)
    status = read(RUN / "status.json")
    assert (status["state"], status["repeats_done"], status["repeats_goal"]) == ("finished", 3, 3)
    assert (status["epochs_done"], status["epochs_goal"]) == (9, 9)
    r2 = record["splits"]["test"]["r2"]
    shown = f"{r2['mean']:.4f} ± {r2['std']:.4f}"
    assert shown in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    assert "3 repeats, " in result.out.splitlines()[-1]
    # Every command that takes a run knows it.
    assert f"r2 {shown}, 3 repeats" in " ".join(dltrain("runs").out.split())
    listed = dltrain("runs", "--json").json
    assert [(row["run"], row["value"], row["std"]) for row in listed] == [
        ("line/0001", r2["mean"], r2["std"])
    ]
    assert shown in dltrain("show", "line").out
    child = dltrain("show", "line/0001/repeats/2", "--json").json
    assert (child["name"], child["repeat_of"], child["seed"]) == ("line", "runs/line/0001", 4)
    assert dltrain("eval", "line/0001/repeats/2").code == 0
    refused = dltrain("eval", "line/0001")
    assert refused.code == 2
    assert refused.err == (
        "error: runs/line/0001 holds repeats, and no model of its own: it can't be evaluated.\n"
        "Take one of them, such as runs/line/0001/repeats/1; `dltrain show runs/line/0001` lists "
        "them.\n"
    )
    # Three seeds of one config are one choice.
    assert "have now been scored" not in result.out
    assert child["test_uses"] == 1


def test_requirements_are_checked_on_the_mean(dltrain: Cli, write_config: WriteConfig) -> None:
    config = write_config(REGRESSION)
    requirements = (
        "--require",
        "test.mse<=0",
        "--require",
        "epochs==3",
        "--require",
        "train.r2<=1",
    )
    result = dltrain("fit", config, "--repeats", 2, "--json", *requirements)
    assert result.code == 5
    mean = read(RUN / "repeats.json")["splits"]["test"]["mse"]["mean"]
    rows = result.json["requirements"]
    assert [(row["name"], row["met"]) for row in rows] == [
        ("test.mse", False),
        ("epochs", True),
        ("train.r2", True),
    ]
    assert rows[0]["got"] == mean
    assert "error: On the mean of 2 repeats: 1 of 3 requirements not met: test.mse<=0" in result.err


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_in_a_repeat_is_told_and_resume_gives_what_was_never_stopped(
    tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    long = change(REGRESSION, training__epochs=60, training__checkpoint={"every_epochs": 10})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(long))
    run = tmp_path / RUN
    process = start_repeats(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    assert err.endswith(
        f"error: The run was {word}: 1 of 3 repeats are done.\n"
        f"Go on with it: dltrain fit --resume {RUN}\n"
    )
    status = read(run / "status.json")
    assert (status["state"], status["reason"]) == (
        "interrupted",
        f"{word}: 1 of 3 repeats are done",
    )
    assert (status["repeats_done"], status["stopped_by"]) == (1, "signal")
    record = read(run / "repeats.json")
    states = [row["state"] for row in record["repeats"]]
    assert states == ["finished", "interrupted", "to do"]
    shown = run_dltrain("show", "line", folder=tmp_path)
    assert "repeats    1 of 3 are done" in shown.out
    before = (run / "repeats/1/metrics.json").stat().st_mtime_ns
    resumed = run_dltrain("fit", "--resume", "line", "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert read(run / "status.json")["state"] == "finished"
    assert (run / "repeats/1/metrics.json").stat().st_mtime_ns == before
    flags = ("--repeats", 3, "--run-dir", "whole", "--quiet")
    assert run_dltrain("fit", "config.yaml", *flags, folder=tmp_path).code == 0
    whole = read(tmp_path / "whole/repeats.json")
    assert read(run / "repeats.json")["splits"] == whole["splits"]
    for repeat in ("2", "3"):
        one, other = run / "repeats" / repeat, tmp_path / "whole/repeats" / repeat
        assert compare_runs(one, other) == []
    again = run_dltrain("fit", "--resume", "line", folder=tmp_path)
    assert again.code == 2
    assert again.err.endswith(
        f"error: {RUN} has finished: all of its 3 repeats are done.\n"
        "Nothing was changed. Add repeats with --repeats 5.\n"
    )


def test_a_killed_run_of_repeats_never_looks_finished_and_goes_on(tmp_path: Path) -> None:
    long = change(REGRESSION, training__epochs=60)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(long))
    process = start_repeats(tmp_path, repeats=2)
    process.kill()
    process.communicate(timeout=60)
    run = tmp_path / RUN
    assert read(run / "status.json")["state"] == "running"
    assert read(run / "repeats.json")["done"] == 1
    listed = run_dltrain("runs", "--json", folder=tmp_path).json
    assert [(row["status"], row["repeats_done"], row["repeats_goal"]) for row in listed] == [
        ("killed", 1, 2)
    ]
    resumed = run_dltrain("fit", "--resume", "line", "--repeats", 3, "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    status = read(run / "status.json")
    assert (status["state"], status["repeats_done"], status["repeats_goal"]) == ("finished", 3, 3)


def test_a_repeat_that_fails_ends_the_run_and_is_named(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dltrain.training.repeats as repeats
    from dltrain.errors import TrainingError

    really_fit = repeats.fit

    def fit(loaded: Any, **options: Any) -> Any:
        if loaded.config.seed == 4:
            (options["run_directory"]).mkdir(parents=True)
            raise TrainingError("The loss is NaN.", hint="Lower the learning rate.")
        return really_fit(loaded, **options)

    monkeypatch.setattr(repeats, "fit", fit)
    result = dltrain("fit", write_config(REGRESSION), "--repeats", 3)
    assert result.code == 4
    assert result.out == ""
    assert result.err.endswith(
        "error: Repeat 2 of 3 (seed 4) failed: The loss is NaN.\n"
        f"Lower the learning rate. Then go on with the others: dltrain fit --resume {RUN}\n"
    )
    status = read(RUN / "status.json")
    assert (status["state"], status["repeats_done"]) == ("failed", 1)
    assert status["reason"] == "Repeat 2 of 3 (seed 4) failed: The loss is NaN."
    monkeypatch.setattr(repeats, "fit", really_fit)
    assert dltrain("fit", "--resume", RUN).code == 0


def test_what_fails_before_a_repeat_has_begun_leaves_nothing(
    dltrain: Cli, write_config: WriteConfig, workplace: Path
) -> None:
    config = write_config(change(CONFIG, dataset={"name": "mnist"}))
    result = dltrain("fit", config, "--repeats", 2, "--offline", "--data-dir", "nothing")
    assert result.code == 3
    assert "repeat" not in result.err.lower().partition("error:")[2]
    assert list(workplace.glob("runs/*/*")) == []


def test_max_seconds_is_shared_by_all_repeats(dltrain: Cli, write_config: WriteConfig) -> None:
    config = write_config(REGRESSION, training__epochs=1_000_000)
    dltrain("fit", write_config(REGRESSION, name="warm"))  # imports aren't counted below
    config = write_config(REGRESSION, training__epochs=1_000_000)
    begun = time.monotonic()
    result = dltrain("fit", config, "--repeats", 2, "--max-seconds", 16, "--json")
    assert result.code == 0, result.err
    assert time.monotonic() - begun < 20
    rows = result.json["repeats"]
    assert [row["stopped_by"] for row in rows] == ["max_seconds"] * 2
    assert min(row["epochs"] for row in rows) > 0
    status = read(RUN / "status.json")
    assert status["reason"] == "2 of 2 repeats were stopped by --max-seconds"
    assert status["stopped_by"] == "max_seconds"


def test_contradictions_are_refused(dltrain: Cli, write_config: WriteConfig) -> None:
    config = write_config(REGRESSION)
    smoke = dltrain("fit", config, "--smoke", "--repeats", 2)
    assert smoke.code == 2
    assert smoke.err.endswith("error: --smoke and --repeats: a smoke run tries a config once.\n")
    one = dltrain("fit", config, "--repeats", 1)
    assert one.code == 2
    assert "Invalid value for '--repeats': Input should be greater than or equal to 2" in one.err
    assert dltrain("fit", config).code == 0
    single = dltrain("fit", "--resume", "line", "--repeats", 2)
    assert single.code == 2
    assert single.err == (
        f"error: --repeats: {RUN} is a single run, and can't get repeats.\n"
        "Leave --resume out: dltrain fit CONFIG --repeats N\n"
    )
    assert dltrain("fit", config, "--repeats", 3).code == 0
    fewer = dltrain("fit", "--resume", "line", "--repeats", 2)
    assert fewer.code == 2
    assert fewer.err == (
        "error: --repeats 2: runs/line/0002 was begun with 3.\n"
        "Leave --repeats out to go on with them, or ask for more.\n"
    )
    other = dltrain("fit", "--resume", "line", "--seed", 8)
    assert other.code == 2
    assert "runs/line/0002 was trained with another config:\n  seed: 3 there, 8 here" in other.err
