"""Do integrated gradients sum to what they explain, and is it said when they don't?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.explanation.integrated_gradients import integrate_gradients
from dltrain.explanation.words import share_pairs

ONE = np.ones(1, np.float32)


def cubes(rows: Any, weights: Any) -> tuple[Any, Any]:
    """Score the sum of the cubes."""
    return (rows**3).sum(axis=1) * weights[:, 0], 3 * rows**2 * weights[:, :1]


def cliff(rows: Any, weights: Any) -> tuple[Any, Any]:
    """Score 0 below 0.991 and rise from there so steeply that few steps see it."""
    return 1000 * np.maximum(rows[:, 0] - 0.991, 0), 1000.0 * (rows > 0.991)


def test_attributions_are_those_of_the_integral() -> None:
    row = np.array([1.0, -2.0, 0.0], np.float32)
    found, measured = integrate_gradients(cubes, row, np.zeros_like(row), ONE)
    assert found == pytest.approx([1.0, -8.0, 0.0], rel=1e-3)
    assert (measured.score, measured.baseline_score, measured.steps) == (-7.0, 0.0, 32)
    assert measured.is_met
    assert measured.gap == pytest.approx(abs(measured.total + 7) / 7)
    assert measured.gap < 0.01


def test_a_baseline_other_than_zero_is_where_counting_begins() -> None:
    row, baseline = np.array([2.0], np.float32), np.array([1.0], np.float32)
    found, measured = integrate_gradients(cubes, row, baseline, ONE)
    assert found == pytest.approx([7.0], rel=1e-3)
    assert measured.baseline_score == 1.0


def test_steps_double_until_the_sum_is_complete() -> None:
    row = np.array([1.0], np.float32)
    found, measured = integrate_gradients(cliff, row, np.zeros_like(row), ONE, tolerance=0.05)
    assert measured.is_met
    assert measured.steps > 32
    assert found[0] == pytest.approx(9.0, rel=0.05)


def test_a_sum_that_never_becomes_complete_says_so() -> None:
    row = np.array([1.0], np.float32)
    _, measured = integrate_gradients(cliff, row, np.zeros_like(row), ONE, most_steps=64)
    assert not measured.is_met
    assert measured.steps == 64
    assert measured.gap > 0.01


def test_half_of_a_pair_goes_to_each_of_its_words() -> None:
    found = share_pairs(np.array([1.0, 2.0, 3.0, 10.0, 20.0], np.float32), 3)
    assert found.tolist() == [6.0, 17.0, 13.0]
    assert share_pairs(np.array([1.0, 2.0], np.float32), 2).tolist() == [1.0, 2.0]
