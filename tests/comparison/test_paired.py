"""Are the paired tests the numbers of SciPy and of the books?"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binomtest

from dltrain.comparison.paired import (
    bootstrap_accuracies,
    bootstrap_p,
    correct_holm,
    count_resamples,
    mcnemar_p,
)
from dltrain.comparison.result import ALPHA
from dltrain.evaluation.intervals import LEVEL

TABLES = [(0, 0), (1, 0), (0, 5), (3, 3), (3, 4), (4, 21), (21, 4), (10, 25), (59, 6), (489, 473)]


@pytest.mark.parametrize(("first", "second"), TABLES)
def test_mcnemar_is_the_exact_binomial_test_of_scipy(first: int, second: int) -> None:
    total = first + second
    expected = binomtest(first, total).pvalue if total else 1.0
    assert mcnemar_p(first, second) == pytest.approx(expected, rel=1e-10)


def test_mcnemar_by_hand() -> None:
    # Of 6 discordant rows one is the first model's: 2 * (1 + 6) / 2**6.
    assert mcnemar_p(1, 5) == pytest.approx(14 / 64, rel=1e-14)


def test_mcnemar_of_a_million_discordant_rows_is_fast_and_right() -> None:
    begun = time.process_time()
    found = mcnemar_p(499_000, 501_000)
    assert time.process_time() - begun < 0.5
    assert found == pytest.approx(binomtest(499_000, 1_000_000).pvalue, rel=1e-6)


def test_resampled_accuracies_spread_as_the_paired_difference_does() -> None:
    only_first, only_second, rows = 21, 4, 359
    samples = bootstrap_accuracies(only_first, only_second, rows, resamples=20_000)
    difference = (only_second - only_first) / rows
    # The variance of a difference of paired proportions.
    variance = ((only_first + only_second) / rows - difference**2) / rows
    assert samples.mean() == pytest.approx(difference, abs=5e-4)
    assert samples.std() == pytest.approx(np.sqrt(variance), rel=0.03)


def test_bootstrap_p_is_small_where_the_resamples_agree_and_1_where_they_are_zero() -> None:
    assert bootstrap_p(np.linspace(0.1, 0.2, 999)) == 0.002
    assert bootstrap_p(np.zeros(1000)) == 1.0
    assert bootstrap_p(np.array([1.0] * 95 + [-1.0] * 4)) == pytest.approx(0.1)
    assert bootstrap_p(np.array([1.0] * 95 + [-1.0] * 4 + [np.nan] * 50)) == pytest.approx(0.1)
    assert bootstrap_p(np.array([np.nan, np.nan])) is None


def test_both_tests_find_no_more_than_5_percent_where_there_is_nothing() -> None:
    generator = np.random.default_rng(0)
    rows, found = 400, {"mcnemar": 0, "bootstrap": 0}
    for _ in range(400):
        first, second = generator.random((2, rows)) < 0.9
        only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
        found["mcnemar"] += mcnemar_p(only_first, only_second) < ALPHA
        samples = bootstrap_accuracies(only_first, only_second, rows)
        found["bootstrap"] += (bootstrap_p(samples) or 0) < ALPHA
    # 400 trials of 5% come to 29 or fewer in 97.5 of 100 cases.
    assert found["mcnemar"] <= 29
    assert found["bootstrap"] <= 29


def test_holm_by_hand() -> None:
    assert correct_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert correct_holm([0.9, 0.8]) == [1.0, 1.0]
    assert correct_holm([0.02]) == [0.02]


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert correct_holm([None, 0.02, None, 0.03]) == [None, 0.04, None, 0.04]
    assert correct_holm([]) == []


@pytest.mark.parametrize("comparisons", [1, 5, 49, 500])
def test_enough_resamples_are_drawn_for_any_number_of_runs(comparisons: int) -> None:
    resamples = count_resamples(comparisons)
    least = bootstrap_p(np.ones(resamples))
    assert least is not None
    assert correct_holm([least] * comparisons)[0] < ALPHA / 2


def test_what_is_called_more_than_chance_is_what_the_intervals_leave_out() -> None:
    assert pytest.approx(1 - LEVEL) == ALPHA
