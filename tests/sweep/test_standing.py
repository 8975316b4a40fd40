"""How long does a sweep still take, by what is known of it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from dltrain.sweep.standing import (
    Standing,
    TimeLeft,
    begin_training,
    end_epoch,
    end_training,
    estimate_time_left,
    read_document,
)

START = Standing(goal=10, workers=2, began=100.0)


def run_trial(standing: Standing, trial: int, begin: float, end: float) -> Standing:
    standing = begin_training(standing, trial, {"x": trial}, now=begin)
    standing = end_training(standing, trial, now=end)
    return replace(standing, counts={"finished": standing.done + 1})


def left(standing: Standing, now: float) -> float:
    found = estimate_time_left(standing, now)
    assert found is not None
    assert not found.limited
    return found.seconds


def test_nothing_is_known_before_a_trial_has_ended() -> None:
    standing = begin_training(START, 1, {}, now=100)
    standing = end_epoch(standing, 1, epoch=1, epochs=3, value=0.5)
    assert estimate_time_left(standing, 110) is None
    limited = replace(standing, deadline=150.0)
    assert estimate_time_left(limited, 110) == TimeLeft(40, limited=True)


def test_what_is_left_is_shared_out_among_the_workers() -> None:
    standing = run_trial(START, 1, 100, 110)  # 9 left, at 10 s each
    assert left(standing, 110) == 50
    standing = run_trial(standing, 2, 100, 110)  # 8 left
    assert left(standing, 110) == 40
    # Two are at work, for 4 more seconds and for 10: the six others fill what is left of both.
    standing = begin_training(standing, 3, {}, now=104)
    standing = begin_training(standing, 4, {}, now=110)
    assert left(standing, 110) == 40


def test_the_first_of_each_worker_counts_no_more_once_others_have_ended() -> None:
    standing = run_trial(START, 1, 100, 120)  # with the import of TensorFlow
    standing = run_trial(standing, 2, 100, 120)
    assert left(standing, 120) == 80
    standing = run_trial(standing, 3, 120, 122)
    assert left(standing, 122) == 4 * 2


def test_a_trial_that_takes_longer_is_judged_by_its_own_pace() -> None:
    standing = run_trial(replace(START, goal=2, workers=1), 1, 100, 110)
    standing = begin_training(standing, 2, {}, now=110)
    assert left(standing, 125) == 0  # longer than the mean, and nothing else is known
    standing = end_epoch(standing, 2, epoch=1, epochs=4, value=0.5)
    assert left(standing, 130) == 60


def test_trainings_with_other_seeds_come_on_top() -> None:
    standing = replace(run_trial(START, 1, 100, 110), goal=1, finalists=5)
    assert left(standing, 110) == 30  # three rounds of two workers
    standing = begin_training(standing, 1, {}, now=110, seed=4)
    assert left(standing, 115) == 5 + 20
    standing = end_training(standing, 1, now=130, seed=4)
    assert left(replace(standing, finalists_done=1), 130) == 40  # they took 20 s


def test_trials_at_work_in_other_processes_share_the_rest() -> None:
    standing = run_trial(replace(START, workers=1), 1, 100, 110)  # 9 left, at 10 s each
    assert left(standing, 110) == 90
    assert left(replace(standing, elsewhere=2), 110) == 30


def test_the_nearer_of_the_limit_and_the_estimate_counts() -> None:
    standing = replace(run_trial(START, 1, 100, 110), deadline=130.0)
    assert estimate_time_left(standing, 110) == TimeLeft(20, limited=True)
    assert left(replace(standing, deadline=1000.0), 110) == 50
    assert estimate_time_left(standing, 140) == TimeLeft(0, limited=True)


def test_counts_and_the_best_are_those_of_the_record() -> None:
    rows = [
        {"trial": 1, "state": "finished", "results": [0.5], "at": None},
        {"trial": 2, "state": "pruned", "results": None, "at": {"host": "b", "sweep": "s"}},
        {"trial": 3, "state": "running", "results": None, "at": None},
        {"trial": 4, "state": "running", "results": None, "at": {"host": "b", "sweep": "s"}},
    ]
    document = {"goal": 4, "trials": rows, "best": 1, "front": [1], "retrained": None}
    standing = read_document(START, document)
    assert standing.counts == {"finished": 1, "pruned": 1, "failed": 0}
    assert (standing.done, standing.goal, standing.best) == (2, 4, rows[0])
    assert standing.elsewhere == 1


def test_a_trial_that_begins_again_is_shown_once() -> None:
    standing = begin_training(START, 1, {}, now=100)
    standing = end_epoch(standing, 1, epoch=2, epochs=3, value=0.5)
    standing = begin_training(standing, 1, {}, now=105)
    assert [(each.trial, each.epoch) for each in standing.running] == [(1, 0)]
    assert pytest.approx(105) == standing.running[0].began
