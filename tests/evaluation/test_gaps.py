"""Does the test of a gap find what is there, and nothing where there is nothing?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import fisher_exact

from dltrain.evaluation.gaps import find_gap, find_p_value, permute_means, permute_rates
from dltrain.evaluation.intervals import wilson_interval


def make_rate(hits: int, rows: int) -> dict[str, float | None]:
    low, high = wilson_interval(hits, rows)
    return {"value": hits / rows, "low": low, "high": high}


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998, table II, contrast (a): 56/70 and 48/80, method 10: 0.0524 to 0.3339.
    numbers = [make_rate(56, 70), make_rate(48, 80)]
    gap = find_gap("accuracy", ["a", "b"], numbers, [None, None], p_value=0.5)
    assert gap is not None
    assert gap["value"] == pytest.approx(0.2)
    assert (round(gap["low"], 4), round(gap["high"], 4)) == (0.0524, 0.3339)
    assert (gap["best"], gap["worst"], gap["p_value"]) == ("a", "b", 0.5)


@pytest.mark.parametrize("metric", ["mae", "rmse", "false_positive_rate"])
def test_the_least_error_is_the_best(metric: str) -> None:
    numbers = [{"value": value, "low": 0.0, "high": 1.0} for value in (0.3, 0.1, 0.6)]
    samples = [np.linspace(value - 0.05, value + 0.05, 100) for value in (0.3, 0.1, 0.6)]
    gap = find_gap(metric, ["a", "b", "c"], numbers, samples, p_value=None)
    assert gap is not None
    assert (gap["best"], gap["worst"]) == ("b", "c")
    assert gap["value"] == pytest.approx(0.5)
    assert gap["low"] == pytest.approx(0.5)  # both series rise together


def test_groups_that_are_undefined_don_t_count() -> None:
    nothing = {"value": None, "low": None, "high": None}
    numbers = [nothing, make_rate(3, 10), nothing]
    assert find_gap("accuracy", ["a", "b", "c"], numbers, [None] * 3, p_value=None) is None


def test_equal_groups_have_a_gap_of_zero_between_two_of_them() -> None:
    numbers = [make_rate(5, 10), make_rate(5, 10)]
    gap = find_gap("accuracy", ["a", "b"], numbers, [None, None], p_value=None)
    assert gap is not None
    assert (gap["value"], gap["best"], gap["worst"]) == (0.0, "a", "b")


def test_the_p_value_of_two_groups_is_near_fishers() -> None:
    hits, totals = np.array([18, 11]), np.array([20, 20])
    p_value = find_p_value(7 / 20, permute_rates(hits, totals))
    exact = fisher_exact([[18, 2], [11, 9]]).pvalue
    assert p_value == pytest.approx(exact, abs=0.01)


def test_random_rates_are_those_of_every_way_to_deal_the_rows() -> None:
    hits, totals = np.array([1, 1, 1]), np.array([2, 1, 2])
    values, members = [1, 1, 1, 0, 0], [0, 0, 1, 2, 2]
    gaps = []
    for dealt in itertools.permutations(values):
        rates = [
            np.mean([v for v, g in zip(dealt, members, strict=True) if g == k]) for k in range(3)
        ]
        gaps.append(max(rates) - min(rates))
    drawn = permute_rates(hits, totals)
    assert drawn is not None
    assert np.mean(drawn) == pytest.approx(np.mean(gaps), abs=0.02)


def test_where_there_is_no_difference_small_p_values_are_as_rare_as_they_say() -> None:
    generator, found = np.random.default_rng(0), []
    members = np.arange(400) % 4
    for _ in range(200):
        values = generator.exponential(size=400)
        means = [values[members == group].mean() for group in range(4)]
        p_value = find_p_value(max(means) - min(means), permute_means(values, members, groups=4))
        found.append(p_value)
    assert 0.01 <= np.mean(np.array(found) < 0.05) <= 0.1
    assert np.mean(found) == pytest.approx(0.5, abs=0.07)


def test_a_true_difference_is_found() -> None:
    generator = np.random.default_rng(0)
    members = np.arange(300) % 3
    values = generator.normal(size=300) ** 2 * (1 + (members == 2))
    means = [values[members == group].mean() for group in range(3)]
    permuted = permute_means(values, members, groups=3)
    assert find_p_value(max(means) - min(means), permuted) == pytest.approx(1 / 2001, abs=0.01)
    roots = np.sqrt(means)
    permuted = permute_means(values, members, groups=3, root=True)
    assert find_p_value(float(np.ptp(roots)), permuted) == pytest.approx(1 / 2001, abs=0.01)


def test_one_group_can_t_be_compared() -> None:
    assert permute_rates(np.array([3, 0]), np.array([5, 0])) is None
    assert permute_means(np.ones(5), np.zeros(5, dtype=np.int64), groups=2) is None
    assert find_p_value(None, None) is None
