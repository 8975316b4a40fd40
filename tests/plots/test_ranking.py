"""Are the curves and areas those that scikit-learn computes?"""

from __future__ import annotations

import numpy as np
import pytest
from drawn_runs import make_predictions
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from dltrain.plots.calibration import BINS, measure_calibration
from dltrain.plots.ranking import rank_class, rank_classes, thin_curve


@pytest.mark.parametrize("ties", [1, 2, 16])
@pytest.mark.parametrize("rows", [2, 5, 1_000])
def test_curves_and_areas_are_scikit_learns(rows: int, ties: int) -> None:
    generator = np.random.default_rng(rows + ties)
    scores = np.round(generator.random(rows), ties)
    positive = generator.random(rows) < scores
    positive[:2] = [True, False]
    ours = rank_class(0, positive, scores)
    assert ours.auc == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    average = average_precision_score(positive, scores)
    assert ours.average_precision == pytest.approx(average, abs=1e-12)
    false_rate, true_rate, _ = roc_curve(positive, scores, drop_intermediate=True)
    assert ours.false_positive_rate is not None
    assert ours.true_positive_rate is not None
    every_false, every_true, _ = roc_curve(positive, scores, drop_intermediate=False)
    points = set(zip(every_false.round(9), every_true.round(9), strict=True))
    kept = zip(ours.false_positive_rate.round(9), ours.true_positive_rate.round(9), strict=True)
    assert set(kept) <= points
    assert len(ours.false_positive_rate) <= len(false_rate) + 1
    area = np.trapezoid(ours.true_positive_rate, ours.false_positive_rate)
    assert area == pytest.approx(np.trapezoid(true_rate, false_rate), abs=1e-12)
    precision, recall, _ = precision_recall_curve(positive, scores)
    assert ours.precision is not None
    assert ours.recall is not None
    np.testing.assert_allclose(ours.precision, precision[::-1])
    np.testing.assert_allclose(ours.recall, recall[::-1])


def test_macro_is_scikit_learns_one_against_the_rest() -> None:
    predictions = make_predictions(5, 300)
    assert predictions.probabilities is not None
    ranking = rank_classes(predictions.true, predictions.probabilities)
    one_hot = np.eye(5)[predictions.true]
    auc = roc_auc_score(one_hot, predictions.probabilities, average="macro")
    assert ranking.macro_auc == pytest.approx(auc, abs=1e-12)
    average = average_precision_score(one_hot, predictions.probabilities, average="macro")
    assert ranking.macro_average_precision == pytest.approx(average, abs=1e-12)


def test_a_thinned_curve_keeps_its_ends_and_stays_within_the_tolerance() -> None:
    x = np.linspace(0, 1, 100_001)
    thin_x, thin_y = thin_curve(x, x**2)
    assert len(thin_x) < 10_000
    assert (thin_x[0], thin_x[-1]) == (0, 1)
    np.testing.assert_allclose(np.interp(x, thin_x, thin_y), x**2, atol=1 / 1000)


def test_the_calibration_error_is_the_distance_of_scikit_learns_curve() -> None:
    generator = np.random.default_rng(4)
    confidence = np.round(generator.random(2_000) ** 0.5, 2)
    right = generator.random(2_000) < confidence**1.5
    measured = measure_calibration(confidence, right)
    accuracy, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    some = measured.counts > 0
    np.testing.assert_allclose(measured.accuracy[some], accuracy)
    np.testing.assert_allclose(measured.confidence[some], mean)
    error = np.sum(np.abs(accuracy - mean) * measured.counts[some]) / 2_000
    assert measured.error == pytest.approx(error, abs=1e-12)
    assert measured.error > 0.05


def test_a_confidence_on_an_edge_counts_to_the_bin_below_it() -> None:
    measured = measure_calibration(np.array([1 / BINS, 1.0]), np.array([True, True]))
    assert measured.counts[0] == 1
    assert measured.counts[-1] == 1
