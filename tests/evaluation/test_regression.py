"""Are the numbers of a regression scikit-learn's, on the whole and on resamples?"""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from dltrain.errors import DataError, TrainingError
from dltrain.evaluation.intervals import Floats, draw_row_counts
from dltrain.evaluation.regression import resample_errors, score_regression


def make_predictions(rows: int, *, offset: float = 0.0) -> tuple[Floats, Floats]:
    """Make targets and predictions with some error."""
    generator = np.random.default_rng(0)
    targets = generator.normal(size=rows) + offset
    return targets, targets + 0.4 * generator.normal(size=rows)


def test_the_numbers_are_scikit_learns_and_lie_in_their_intervals() -> None:
    targets, predictions = make_predictions(300)
    scores = score_regression(targets, predictions)
    assert scores["mse"]["value"] == metrics.mean_squared_error(targets, predictions)
    assert scores["mae"]["value"] == metrics.mean_absolute_error(targets, predictions)
    assert scores["rmse"]["value"] == metrics.root_mean_squared_error(targets, predictions)
    assert scores["r2"]["value"] == metrics.r2_score(targets, predictions)
    for name in ("mse", "mae", "rmse", "r2"):
        assert scores[name]["low"] < scores[name]["value"] < scores[name]["high"]
    assert scores["headline"] == "r2"
    assert scores == score_regression(targets, predictions)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_weighted_forms_equal_scikit_learn_on_the_drawn_rows(offset: float) -> None:
    targets, predictions = make_predictions(40, offset=offset)
    fast = resample_errors(targets, predictions, seed=0)
    (counts,) = draw_row_counts(40, seed=0)
    for position in range(30):
        rows = np.repeat(np.arange(40), counts[position])
        true, predicted = targets[rows], predictions[rows]
        mse = metrics.mean_squared_error(true, predicted)
        assert fast["mse"][position] == pytest.approx(mse, abs=1e-9)
        assert fast["rmse"][position] == pytest.approx(np.sqrt(mse), abs=1e-9)
        mae = metrics.mean_absolute_error(true, predicted)
        assert fast["mae"][position] == pytest.approx(mae, abs=1e-9)
        r2 = metrics.r2_score(true, predicted)
        assert fast["r2"][position] == pytest.approx(r2, abs=1e-9)


def test_a_column_of_float32_is_taken_as_rows() -> None:
    targets, predictions = make_predictions(50)
    column = score_regression(targets.astype(np.float32), predictions.astype(np.float32)[:, None])
    assert column["mse"]["value"] == pytest.approx(
        score_regression(targets, predictions)["mse"]["value"], rel=1e-5
    )


def test_r2_is_undefined_for_equal_targets_and_a_single_row() -> None:
    undefined = {"value": None, "low": None, "high": None}
    assert score_regression(np.full(5, 3.0), np.arange(5.0))["r2"] == undefined
    scores = score_regression(np.array([1.0]), np.array([3.0]))
    assert scores["r2"] == undefined
    assert scores["mae"]["value"] == 2


def test_resamples_of_one_row_over_and_over_do_not_count_for_r2() -> None:
    r2 = score_regression(np.array([0.0, 1e6]), np.array([1.0, 1e6]))["r2"]
    assert r2["low"] == r2["high"] or r2["low"] > 0.9


def test_predictions_that_are_not_finite_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"not finite \(NaN or infinity\) in 2 of 3 rows"):
        score_regression(np.zeros(3), np.array([np.nan, 0, np.inf]))


def test_targets_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="The targets are not finite"):
        score_regression(np.array([np.nan, 0.0]), np.zeros(2))


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="the split has no rows"):
        score_regression(np.empty(0), np.empty(0))


def test_shapes_that_disagree_are_a_defect() -> None:
    with pytest.raises(ValueError, match="expected 3 predictions, received 2"):
        score_regression(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match=r"expected one number a row, received targets \(3,\)"):
        score_regression(np.zeros(3), np.zeros((3, 2)))
