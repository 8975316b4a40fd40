"""Are the numbers of repeats.json those of the repeats, and damage told?"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dltrain.errors import RunError, UsageError
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.runs.repeats import (
    average_splits,
    find_goal,
    find_repeats,
    gather_repeats,
    read_repeats,
    spread,
    write_repeats,
)
from dltrain.runs.status import begin_status, write_status


def number(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": None, "high": None}


def make_repeat(paths: RunPaths, accuracy: float) -> None:
    paths.root.mkdir(parents=True)
    write_status(paths.status, begin_status(epochs_goal=2).progress(2).end("finished"))
    scores = {"headline": "accuracy", "rows": 9, "accuracy": number(accuracy)}
    write_metrics(paths.metrics, {"test": scores}, training={"best_epoch": 1, "epochs": 2})


def test_the_standard_deviation_is_the_sample_s() -> None:
    found = spread([1.0, 2.0, 4.0])
    assert found["mean"] == pytest.approx(7 / 3)
    # ((4/3)² + (1/3)² + (5/3)²) / 2
    assert found["std"] == pytest.approx(math.sqrt((16 + 1 + 25) / 9 / 2))
    assert (found["min"], found["max"], found["values"]) == (1.0, 4.0, [1.0, 2.0, 4.0])


def test_one_value_has_no_standard_deviation_and_an_undefined_one_no_mean() -> None:
    assert spread([0.5])["std"] is None
    assert spread([0.5])["mean"] == 0.5
    undefined = spread([0.5, None])
    assert {key: undefined[key] for key in ("mean", "std", "min", "max")} == dict.fromkeys(
        ("mean", "std", "min", "max")
    )
    assert undefined["values"] == [0.5, None]


def test_a_split_that_a_repeat_lacks_is_left_out_and_so_are_single_trainings_tables() -> None:
    one = {"test": {"rows": 5, "f1": {"macro": number(0.2)}, "confusion_matrix": [[1]]}}
    two = {"test": {"rows": 5, "f1": {"macro": number(0.4)}, "confusion_matrix": [[2]]}}
    found = average_splits([{**one, "train": one["test"]}, two])
    assert set(found) == {"test"}
    assert set(found["test"]) == {"rows", "f1"}
    assert found["test"]["f1"]["macro"]["mean"] == pytest.approx(0.3)
    assert average_splits([]) == {}


def test_only_finished_repeats_count_and_the_others_are_told(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "mnist" / "0001")
    make_repeat(paths.repeat(1), 0.8)
    paths.repeat(2).root.mkdir()
    write_status(paths.repeat(2).status, begin_status(epochs_goal=2).end("failed", reason="NaN."))
    make_repeat(paths.repeat(3), 0.9)
    paths.repeat(3).metrics.write_text("{")
    found = gather_repeats(paths, goal=4, seed=7)
    assert [row["state"] for row in found["repeats"]] == ["finished", "failed", "damaged", "to do"]
    assert [row["seed"] for row in found["repeats"]] == [7, 8, 9, 10]
    assert found["done"] == 1
    assert found["splits"]["test"]["accuracy"]["values"] == [0.8]
    assert [child.root.name for child in find_repeats(paths)] == ["1", "2", "3"]


def test_a_repeat_is_named_by_the_run_that_holds_it(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "mnist" / "0001")
    make_repeat(paths.repeat(1), 0.8)
    assert paths.repeat(1).whole is None  # a folder that happens to be called so
    write_repeats(paths, goal=2, seed=1)
    assert paths.repeat(1).whole == paths
    assert (paths.repeat(1).name, paths.repeat(1).label) == ("mnist", "mnist/0001/repeats/1")
    assert paths.looks_like_run()


def test_damage_and_fewer_repeats_are_refused(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    write_repeats(paths, goal=3, seed=1)
    assert find_goal(paths, None) == 3
    assert find_goal(paths, 5) == 5
    with pytest.raises(UsageError, match=r"^--repeats 2: .* was begun with 3\.$"):
        find_goal(paths, 2)
    paths.repeats.write_text('{"format": 1, "goal": "3", "done": 0, "seed": 1}')
    with pytest.raises(RunError, match=r"goal: expected a whole number, received '3'\."):
        read_repeats(paths)
    paths.repeats.write_text('{"format": 2}')
    with pytest.raises(RunError, match=r"is of format 2; this dltrain reads 1\."):
        read_repeats(paths)
