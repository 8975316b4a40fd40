"""Are the curves those of scikit-learn?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from dltrain.report.curves import GRID, compute_class_curves, compute_reliability


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_curves_and_areas_agree_with_scikit_learn(decimals: int) -> None:
    generator = np.random.default_rng(decimals)
    positive = generator.random(500) < 0.3
    # Few decimals make many equal scores, which go together.
    scores = np.round(generator.normal(positive, 1.5), decimals)
    curves = compute_class_curves(positive, scores)
    assert curves is not None
    assert curves.auc_roc == pytest.approx(roc_auc_score(positive, scores))
    assert curves.average_precision == pytest.approx(average_precision_score(positive, scores))
    false_rate, recall, _ = roc_curve(positive, scores, drop_intermediate=False)
    last = np.append(np.flatnonzero(np.diff(false_rate)), len(false_rate) - 1)
    assert curves.recall == pytest.approx(np.interp(GRID, false_rate[last], recall[last]))


def test_precision_is_that_of_the_first_threshold_that_reaches_the_recall() -> None:
    positive = np.array([True, False, True, False])
    curves = compute_class_curves(positive, np.array([0.9, 0.8, 0.7, 0.1]))
    assert curves is not None
    assert curves.precision[[0, 50]].tolist() == [1, 1]
    assert curves.precision[[51, 100]] == pytest.approx([2 / 3, 2 / 3])


@pytest.mark.parametrize("value", [True, False])
def test_a_class_of_all_rows_or_of_none_has_no_curves(value: bool) -> None:
    assert compute_class_curves(np.full(5, value), np.linspace(0, 1, 5)) is None


def test_reliability_counts_the_rows_of_each_bin() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 1.0])
    right = np.array([True, True, True, False, False, True])
    found = compute_reliability(confidence, right)
    assert found.rows.tolist() == [1, 5]
    assert found.accuracy == pytest.approx([0, 0.8])
    assert found.confidence == pytest.approx([0.55, 0.96])
    assert found.error == pytest.approx((0.55 * 1 + 0.16 * 5) / 6)
