"""Are the numbers of a classifier scikit-learn's, and undefined where they are?"""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from dltrain.errors import DataError, TrainingError
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.intervals import Floats, Integers


def make_predictions(rows: int, classes: int) -> tuple[Integers, Floats]:
    """Make labels and the probabilities of a classifier that is often right."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, rows)
    logits = generator.normal(size=(rows, classes))
    logits[np.arange(rows), labels] += 1.5
    exponentials = np.exp(logits)
    return labels, exponentials / exponentials.sum(axis=1, keepdims=True)


def score(labels: Any, probabilities: Any, **options: Any) -> dict[str, Any]:
    probabilities = np.asarray(probabilities)
    names = [f"c{index}" for index in range(probabilities.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return score_classification(np.asarray(labels), probabilities, class_names=names, **options)


def test_many_classes_are_scored_as_scikit_learn_does() -> None:
    labels, probabilities = make_predictions(500, 4)
    predicted = probabilities.argmax(axis=1)
    scores = score(labels, probabilities)
    assert scores["rows"] == 500
    assert scores["accuracy"]["value"] == metrics.accuracy_score(labels, predicted)
    for name, function in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        for average in ("macro", "weighted"):
            expected = function(labels, predicted, average=average)
            assert scores[name][average]["value"] == pytest.approx(expected, abs=1e-12)
        per_class = [row[name] for row in scores["per_class"]]
        assert per_class == pytest.approx(function(labels, predicted, average=None), abs=1e-12)
    auc = metrics.roc_auc_score(labels, probabilities, multi_class="ovr")
    assert scores["auc_roc"]["macro"]["value"] == pytest.approx(auc, abs=1e-12)
    log_loss = metrics.log_loss(labels, probabilities)
    assert scores["log_loss"]["value"] == pytest.approx(log_loss, abs=1e-12)
    assert scores["confusion_matrix"] == metrics.confusion_matrix(labels, predicted).tolist()
    assert [row["support"] for row in scores["per_class"]] == np.bincount(labels).tolist()
    assert [row["predicted"] for row in scores["per_class"]] == np.bincount(predicted).tolist()
    assert "binary" not in scores


def test_two_classes_also_have_the_positive_ones_numbers() -> None:
    labels, probabilities = make_predictions(300, 2)
    predicted = probabilities.argmax(axis=1)
    scores = score(labels, probabilities)
    assert scores["binary"]["positive_class"] == "c1"
    f1 = metrics.f1_score(labels, predicted)
    assert scores["binary"]["f1"]["value"] == pytest.approx(f1, abs=1e-12)
    recall = metrics.recall_score(labels, predicted)
    assert scores["binary"]["recall"]["value"] == pytest.approx(recall, abs=1e-12)
    auc = metrics.roc_auc_score(labels, probabilities[:, 1])
    assert scores["auc_roc"]["macro"]["value"] == pytest.approx(auc, abs=1e-12)


def test_every_headline_number_lies_in_its_interval() -> None:
    scores = score(*make_predictions(300, 2))
    numbers = [scores["accuracy"], scores["log_loss"], scores["auc_roc"]["macro"]]
    numbers += [
        scores[name][kind] for name in ("precision", "recall", "f1") for kind in scores[name]
    ]
    numbers += [scores["binary"][name] for name in ("precision", "recall", "f1")]
    assert len(numbers) == 12
    for number in numbers:
        assert number["low"] < number["value"] < number["high"]
        assert number["high"] - number["low"] < 0.2


def test_scores_repeat_and_go_into_json_unchanged() -> None:
    labels, probabilities = make_predictions(200, 3)
    scores = score(labels, probabilities)
    assert scores == score(labels, probabilities)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["f1"]["macro"] != score(labels, probabilities, seed=1)["f1"]["macro"]


def test_a_class_without_rows_is_undefined_and_left_out_of_the_averages() -> None:
    labels, probabilities = make_predictions(200, 3)
    labels[labels == 2] = 1
    scores = score(labels, probabilities)
    row = scores["per_class"][2]
    assert (row["support"], row["predicted"] > 0) == (0, True)
    assert [row[name] for name in ("precision", "recall", "f1", "auc_roc")] == [None] * 4
    for name in ("precision", "recall", "f1"):
        expected = np.mean([scores["per_class"][index][name] for index in (0, 1)])
        assert scores[name]["macro"]["value"] == pytest.approx(expected, abs=1e-12)
    assert scores["auc_roc"]["macro"]["value"] is not None


def test_a_class_with_rows_that_is_never_predicted_has_precision_zero() -> None:
    probabilities = np.tile([0.9, 0.1], (4, 1))
    row = score([0, 0, 1, 1], probabilities)["per_class"][1]
    assert (row["precision"], row["f1"], row["support"], row["predicted"]) == (0, 0, 2, 0)


def test_a_single_class_has_no_auc() -> None:
    undefined = {"value": None, "low": None, "high": None}
    scores = score([0, 0, 0], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    assert scores["auc_roc"]["macro"] == undefined
    assert scores["per_class"][0]["auc_roc"] is None
    assert scores["binary"]["recall"] == undefined
    assert scores["accuracy"]["value"] == pytest.approx(2 / 3)


def test_one_row_is_enough_for_a_score() -> None:
    scores = score([1], [[0.2, 0.8]])
    assert scores["accuracy"]["value"] == 1
    assert scores["accuracy"]["low"] == pytest.approx(0.2065, abs=1e-4)


def test_float32_and_certain_predictions_give_a_finite_log_loss() -> None:
    labels, probabilities = make_predictions(200, 3)
    near = score(labels, probabilities.astype(np.float32))["log_loss"]["value"]
    assert near == pytest.approx(metrics.log_loss(labels, probabilities), abs=1e-6)
    certain = score([0, 1], [[0.0, 1.0], [0.0, 1.0]])["log_loss"]["value"]
    assert certain == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2, rel=1e-5)


def test_rows_that_do_not_sum_to_one_have_no_log_loss() -> None:
    scores = score([0, 1, 1], [[0.9, 0.9], [0.1, 0.2], [0.3, 0.7]])
    assert scores["log_loss"] == {"value": None, "low": None, "high": None}
    assert scores["accuracy"]["value"] == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(TrainingError, match=r"not finite \(NaN or infinity\) in 1 of 2 rows"):
        score([0, 1], [[0.5, 0.5], [bad, 0.1]])


def test_logits_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"expected values within 0..1, received -2 to 3"):
        score([0, 1], [[-2.0, 3.0], [1.0, 0.0]])


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="the split has no rows"):
        score(np.empty(0, dtype=np.int64), np.empty((0, 2)))


def test_shapes_and_labels_that_disagree_are_a_defect() -> None:
    with pytest.raises(ValueError, match=r"expected probabilities of shape .* \(3, 2\)"):
        score([0, 1, 1], [[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"expected labels within 0..1, received 0 to 2"):
        score([0, 2], [[0.5, 0.5], [0.5, 0.5]])


def test_ten_thousand_rows_of_ten_classes_take_seconds() -> None:
    labels, probabilities = make_predictions(10_000, 10)
    score(labels[:50], probabilities[:50])  # the imports
    start = time.process_time()
    score(labels, probabilities)
    # 1.1 s measured on one core; far above it something has become row by row.
    assert time.process_time() - start < 4
