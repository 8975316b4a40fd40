"""Does --max-seconds end a training in time, with what there is, and can it go on afterwards?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from processes import run_dltrain
from tiny_runs import REGRESSION, Result, change

from dltrain.data.batches import Table
from dltrain.runs.status import read_status
from dltrain.training.deadline import Deadline

RUN = Path("runs/line/0001")

# More epochs than any machine trains in the time that is given.
ENDLESS = change(REGRESSION, training__epochs=1_000_000)


@pytest.fixture
def fit(tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs `dltrain fit config.yaml` in a process of its own."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(ENDLESS, sort_keys=False))

    def call(*arguments: object) -> Result:
        return run_dltrain("fit", *arguments, folder=tmp_path)

    return call


def test_a_training_ends_in_time_is_evaluated_and_goes_on_later(
    fit: Callable[..., Result], tmp_path: Path
) -> None:
    begun = time.monotonic()
    result = fit("config.yaml", "--max-seconds", 20, "--quiet", "--require", "test.r2>=-1e9")
    seconds = time.monotonic() - begun
    assert result.code == 0, result.err
    assert seconds < 25, "twenty are promised, on a machine that does nothing else"
    status = read_status(tmp_path / RUN / "status.json")
    assert (status.state, status.stopped_by) == ("finished", "max_seconds")
    assert 0 < status.epochs_done < 1_000_000
    reached = f"stopped by --max-seconds after {status.epochs_done} of 1000000 epochs"
    assert status.reason == reached
    lines = result.out.splitlines()
    assert lines[-2] == reached
    assert lines[-1].startswith("best epoch ")
    assert "test: 13 rows" in result.out
    assert (tmp_path / RUN / "model.keras").is_file()
    goal = status.epochs_done + 1
    resumed = fit("--resume", "line", "--epochs", goal, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["resumed_from"] == status.epochs_done
    assert (resumed.json["epochs"], resumed.json["stopped_by"]) == (goal, None)


def test_a_time_shorter_than_the_start_up_trains_nothing_and_says_so(
    fit: Callable[..., Result], tmp_path: Path
) -> None:
    result = fit("config.yaml", "--max-seconds", 0.5)
    assert result.code == 0, result.err
    assert "No epoch was finished: the model is untrained, not a step was taken.\n" in result.err
    lines = result.out.splitlines()
    assert lines[-2] == "stopped by --max-seconds after 0 of 1000000 epochs"
    assert lines[-1].startswith("no epoch was finished, ")
    assert "test: 13 rows" in result.out
    status = read_status(tmp_path / RUN / "status.json")
    assert (status.state, status.stopped_by, status.epochs_done) == ("finished", "max_seconds", 0)
    # A job that must not take that for a success says so.
    resumed = fit("--resume", "line", "--max-seconds", 0.5, "--json", "--require", "epochs>=1")
    assert resumed.code == 5, resumed.err
    assert (resumed.json["epochs"], resumed.json["best_epoch"]) == (0, 0)
    assert resumed.json["requirements"] == [
        {"name": "epochs", "comparison": ">=", "wanted": 1, "got": 0, "met": False}
    ]


def test_time_is_held_back_for_every_split_that_is_evaluated() -> None:
    tables = {
        split: Table(np.zeros((rows, 1), np.float32), np.zeros(rows, np.int64))
        for split, rows in (("train", 1000), ("validation", 100), ("test", 100))
    }
    ends = time.perf_counter() + 4 + 10
    two = Deadline(ends, tables, splits=("validation", "test"))
    three = Deadline(ends, tables, splits=("train", "validation", "test"))
    # 200 rows at 100 a second take 2 of the 10 seconds, all 1,200 rows take 12.
    assert not two.is_near(100.0)
    assert three.is_near(100.0)
    assert two.is_near(15.0)
    assert not Deadline(None, tables, splits=("test",)).is_near(1e-9)
