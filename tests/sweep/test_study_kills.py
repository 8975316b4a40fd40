"""Does a study killed at any write of its journal suggest, and prune, as one that never was?"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from killing_points import Point, read_points, watch_calls
from tiny_runs import REGRESSION, change

from dltrain.config.load import load_config
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.study import SweepStudy

TRIALS, EPOCHS = 16, 9
KINDS = ("after fsync", "before fsync", "half write")
SPACE: dict[str, Any] = {
    "optimizer.learning_rate": {"log_uniform": [1e-4, 0.1]},
    "training.batch_size": {"int": [5, 20], "step": 5},
    "dataset.validation_split": {"uniform": [0.2, 0.4]},
}


def write(folder: Path, pruner: str) -> None:
    folder.mkdir()
    sweep = {"method": "bayesian", "pruner": pruner, "trials": TRIALS, "space": SPACE}
    (folder / "config.yaml").write_text(yaml.safe_dump(change(REGRESSION, sweep=sweep)))


def open_study(folder: Path) -> SweepStudy:
    loaded = load_config(folder / "config.yaml")
    assert loaded.sweep is not None
    study = SweepStudy(
        SweepPaths(folder), loaded.sweep, loaded.document, epochs=EPOCHS, name="line", url=None
    )
    study.forget_half_made()
    return study


def measure(values: Any, epoch: int) -> float:
    """Return what an epoch of a trial gives, in the place of a training."""
    distance = abs(values["optimizer.learning_rate"] - 0.01) + values["training.batch_size"] / 900
    return distance + abs(values["dataset.validation_split"] - 0.3) + 1 / (epoch + distance)


def go_on(study: SweepStudy) -> None:
    """Do what is left of the study's trials, one after the other, as a sweep does."""
    while True:
        trials = study.list_trials()
        begun = [each.number for each in trials if each.state == "running"]
        if begun:
            number, values = begun[0], study.restore(begun[0]).values
        elif len(trials) < TRIALS:
            number, point = study.begin_trial()
            values = point.values
        else:
            return
        for epoch in range(1, EPOCHS + 1):
            study.report(number, epoch, measure(values, epoch))
            if study.must_stop(number, goal=EPOCHS):
                study.prune(number)
                break
        else:
            study.finish(number, (measure(values, EPOCHS),))


def run_in_child(folder: Path, die_at: Point | None, record: Path) -> int:
    """Go on with a study in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        watch_calls(folder, die_at=die_at, record=record)
        code = 1
        try:
            go_on(open_study(folder))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def read_trials(folder: Path) -> list[tuple[Any, ...]]:
    """Return what the trials are, gave, and how far they came."""
    study = open_study(folder)
    return [
        (
            each.number,
            dict(each.values),
            each.state,
            each.results,
            study._frozen(each.number).intermediate_values,
            study._frozen(each.number).system_attrs,
        )
        for each in study.list_trials()
    ]


@pytest.mark.parametrize("pruner", ["median", "hyperband", "successive_halving"])
def test_kills_at_any_write_change_no_value_and_no_pruning(tmp_path: Path, pruner: str) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    for folder in (whole, torn):
        write(folder, pruner)
    assert run_in_child(whole, None, tmp_path / "points") == 0
    expected = read_trials(whole)
    states = [trial[2] for trial in expected]
    assert {*states} == {"finished", "pruned"}
    kinds = sorted({point.kind for point in read_points(tmp_path / "points")})
    assert kinds == [f"{when} study.journal" for when in KINDS]

    draw = random.Random(len(pruner))
    kills = 0
    while True:
        point = Point.of(draw.choice(kinds), draw.randint(1, 9))
        code = run_in_child(torn, point, tmp_path / "again")
        if code == 0:
            break
        assert code == -9
        kills += 1
    assert kills > 15
    assert read_trials(torn) == expected
