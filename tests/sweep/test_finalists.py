"""Which trials are trained with other seeds, and which of them wins?"""

from __future__ import annotations

from pathlib import Path

import pytest
from made_sweeps import make_sweep, read_sweep, record, write_run

from dltrain.config.sweep import Retrain, Sweep
from dltrain.runs.layout import RunPaths
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.finalists import (
    choose_finalists,
    choose_seeds,
    describe_finalists,
    find_finalist,
    list_left,
)

TRIALS = [record(1, 0.3), record(2, 0.1), record(3), record(4, 0.2)]
RUNS = {(2, 4): 0.5, (2, 5): 0.7, (4, 4): 0.2, (4, 5): 0.4}


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    return make_sweep(tmp_path, 0, retrain={"top": 2, "seeds": 2})


@pytest.fixture
def sweep(paths: SweepPaths) -> Sweep:
    return read_sweep(paths)


def test_the_section_takes_three_and_three_unless_told(tmp_path: Path) -> None:
    bare = make_sweep(tmp_path, 0, retrain={})
    assert read_sweep(bare).retrain == Retrain(top=3, seeds=3, after=3)


def test_the_best_are_chosen_and_equal_values_once(sweep: Sweep) -> None:
    twice = [*TRIALS, record(5, 0.1, seed_of_it=2), record(6, 0.15)]
    chosen = choose_finalists(twice, sweep, top=3)
    assert [each.number for each in chosen] == [2, 6, 4]


def test_of_several_objectives_the_front_alone_is_chosen(tmp_path: Path) -> None:
    paths = make_sweep(tmp_path, 0, metric=["val_loss", "val_mae"], retrain={"top": 3})
    trials = [record(1, 0.3, 0.1), record(2, 0.1, 0.3), record(3, 0.2, 0.4)]
    chosen = choose_finalists(trials, read_sweep(paths), top=3)
    assert [each.number for each in chosen] == [2, 1]


def test_seeds_are_those_that_no_finalist_was_trained_with() -> None:
    retrain = Retrain(top=2, seeds=3, after=3)
    assert choose_seeds(TRIALS, retrain) == [4, 5, 6]
    assert choose_seeds([record(1, 0.1, seed=8), record(2, 0.1, seed=5)], retrain) == [9, 10, 11]
    last = Retrain(top=2, seeds=2, after=2**31 - 2)
    assert choose_seeds(TRIALS, last) == [2**31 - 1, 1]


def test_nothing_is_trained_again_before_every_trial_has_ended(
    paths: SweepPaths, sweep: Sweep
) -> None:
    assert describe_finalists(paths, sweep, TRIALS, goal=5) is None
    document = describe_finalists(paths, sweep, TRIALS, goal=4)
    assert document is not None
    assert document["winner"] is None
    # Seed by seed: what a limit cuts off leaves whole rows.
    assert list_left(document) == [(2, 4), (4, 4), (2, 5), (4, 5)]


def test_the_best_mean_wins_though_another_was_best_in_the_search(
    paths: SweepPaths, sweep: Sweep
) -> None:
    for (trial, seed), value in RUNS.items():
        write_run(paths.retrained(trial, seed), "finished", value=value)
    document = describe_finalists(paths, sweep, TRIALS, goal=4)
    assert document is not None
    assert document["winner"] == 4
    assert list_left(document) == []
    row = find_finalist(document, 4)
    assert row is not None
    assert row["mean"] == pytest.approx([0.3])
    assert row["std"] == pytest.approx([0.02**0.5])
    assert row["runs"][1] == {
        "seed": 5,
        "run": "retrained/trial-0004/0005",
        "state": "finished",
        "reason": "",
        "results": [0.4],
        "epochs": 1,
    }


def test_a_trial_that_failed_with_one_seed_cannot_win(paths: SweepPaths, sweep: Sweep) -> None:
    for (trial, seed), value in RUNS.items():
        if (trial, seed) == (4, 5):
            write_run(paths.retrained(4, 5), "failed", reason="The loss became inf.")
        else:
            write_run(paths.retrained(trial, seed), "finished", value=value)
    document = describe_finalists(paths, sweep, TRIALS, goal=4)
    assert document is not None
    assert document["winner"] == 2
    assert find_finalist(document, 4) is None
    failed = document["trials"][1]
    assert (failed["mean"], failed["runs"][1]["reason"]) == (None, "The loss became inf.")


def test_one_that_was_interrupted_is_left(paths: SweepPaths, sweep: Sweep) -> None:
    write_run(paths.retrained(2, 4), "interrupted")
    document = describe_finalists(paths, sweep, TRIALS, goal=4)
    assert list_left(document)[0] == (2, 4)


def test_a_run_is_called_by_the_sweep_the_trial_and_the_seed(paths: SweepPaths) -> None:
    run = paths.retrained(2, 43)
    assert (run.name, run.sweep) == ("line", "sweep-0001")
    assert run.label == "line/sweep-0001/retrained/trial-0002/0043"
    assert RunPaths(paths.root / "0002").label == "line/sweep-0001/0002"
