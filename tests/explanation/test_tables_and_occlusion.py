"""Do importances, SHAP values and occlusion find what a known function uses?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.explanation.occlusion import choose_patch, compute_occlusion
from dltrain.explanation.permutation import measure_importances
from dltrain.explanation.sanity import correlate_ranks
from dltrain.explanation.shapley import compute_shap

# A number, a category of two inputs, and a number that nothing uses.
COLUMNS = [("size", [0]), ("town", [1, 2]), ("noise", [3])]


def make_rows(count: int) -> Any:
    chance = np.random.default_rng(0)
    town = chance.integers(0, 2, count)
    return np.stack(
        [chance.normal(size=count), town == 0, town == 1, chance.normal(size=count)], axis=1
    ).astype(np.float32)


def value(rows: Any) -> Any:
    return 2 * rows[:, 0] + 3 * rows[:, 1] - 3 * rows[:, 2]


def test_a_column_that_is_not_used_has_no_importance_and_inputs_move_together() -> None:
    rows = make_rows(200)
    truth = value(rows)

    def score(mixed: Any) -> float:
        assert (mixed[:, 1] + mixed[:, 2] == 1).all()  # every row has one town, not two or none
        return -float(((value(mixed) - truth) ** 2).mean())

    found = measure_importances(score, rows, COLUMNS, repeats=5, seed=1)
    assert [each.column for each in found] == ["town", "size", "noise"]
    by_name = {each.column: each for each in found}
    # Shuffled, an independent value: twice the variance of what the column brings.
    assert by_name["town"].mean == pytest.approx(2 * np.var(6 * rows[:, 1]), rel=0.15)
    assert by_name["size"].mean == pytest.approx(2 * np.var(2 * rows[:, 0]), rel=0.25)
    assert by_name["size"].deviation > 0
    assert (by_name["noise"].mean, by_name["noise"].deviation) == (0.0, 0.0)


def test_shap_values_of_a_sum_are_its_parts_counted_from_the_mean() -> None:
    rows, background = make_rows(3), make_rows(60)[20:]
    found, mean = compute_shap(value, rows, background, COLUMNS, seed=1)
    size = 2 * (rows[:, 0] - background[:, 0].mean())
    town = 6 * (rows[:, 1] - background[:, 1].mean())
    expected = np.stack([size, town, np.zeros(3)], axis=1)
    assert found == pytest.approx(expected, abs=1e-4)
    assert mean + found.sum(axis=1) == pytest.approx(value(rows), abs=1e-4)


def test_covering_what_the_score_is_made_of_lowers_it_and_nothing_else_does() -> None:
    image = np.ones((12, 12, 1), np.float32)

    def score(rows: Any, weights: Any) -> Any:
        return rows[:, :4, :4].sum(axis=(1, 2, 3)) - rows[:, 8:, 8:].sum(axis=(1, 2, 3))

    found = compute_occlusion(score, image, np.ones(1, np.float32), fill=0.0)
    assert choose_patch(12, 12) == (2, 1)
    assert found.shape == (12, 12)
    assert (found[:4, :4] > 0).all()
    assert (found[8:, 8:] < 0).all()
    assert not found[5:7].any()
    assert found[0, 0] == 4.0  # one square covers the corner: four pixels of the score


def test_ranks_correlate_by_order_and_a_constant_map_with_nothing() -> None:
    rising = np.arange(6.0).reshape(2, 3)
    assert correlate_ranks(rising, rising**3) == pytest.approx(1.0)
    assert correlate_ranks(rising, -rising) == pytest.approx(-1.0)
    assert correlate_ranks(rising, np.zeros((2, 3))) == 0.0
