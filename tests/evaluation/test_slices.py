"""Are a group's numbers those that scikit-learn computes on its rows alone?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import hypergeom
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision_score,
    r2_score,
    recall_score,
)

from dltrain.evaluation.slice_columns import Grouping
from dltrain.evaluation.slices import score_slice
from dltrain.runs.predictions import Predictions

NOTHING = {"value": None, "low": None, "high": None}


def classify(classes: int, *, rows: int = 400, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    probabilities = generator.dirichlet(np.ones(classes), rows)
    probabilities[np.arange(rows), labels] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    names = tuple(f"class {index}" for index in range(classes))
    ids = [f"test/{row}" for row in range(rows)]
    predicted = probabilities.argmax(axis=1)
    return Predictions("classification", names, ids, labels, predicted, probabilities)


def group(members: Any, labels: tuple[str, ...] = ("a", "b", "c")) -> Grouping:
    return Grouping("town", "categories", labels, np.asarray(members, dtype=np.int64))


def numbers_of(result: dict[str, Any], label: str) -> dict[str, Any]:
    (found,) = (each["numbers"] for each in result["groups"] if each["group"] == label)
    return dict(found)


def test_two_classes_have_their_rates_in_each_group() -> None:
    predictions = classify(2)
    members = np.arange(400) % 3
    result = score_slice(group(members), predictions)
    assert result["metrics"] == [
        "accuracy",
        "f1_macro",
        "precision",
        "recall",
        "false_positive_rate",
    ]
    for index, label in enumerate("abc"):
        true, predicted = (
            predictions.true[members == index],
            predictions.predicted[members == index],
        )
        expected = {
            "accuracy": accuracy_score(true, predicted),
            "f1_macro": f1_score(true, predicted, average="macro"),
            "precision": precision_score(true, predicted),
            "recall": recall_score(true, predicted),
            "false_positive_rate": 1 - recall_score(1 - true, 1 - predicted),
        }
        found = numbers_of(result, label)
        assert list(found) == result["metrics"]
        for name, value in expected.items():
            assert found[name]["value"] == pytest.approx(value, abs=1e-12), name
            assert found[name]["low"] < value < found[name]["high"], name
    values = {label: numbers_of(result, label)["false_positive_rate"]["value"] for label in "abc"}
    gap = result["gaps"]["false_positive_rate"]
    assert gap["value"] == pytest.approx(max(values.values()) - min(values.values()))
    assert gap["best"] == min(values, key=values.__getitem__)
    assert gap["worst"] == max(values, key=values.__getitem__)
    assert gap["low"] < gap["value"] < gap["high"]
    assert 0 < gap["p_value"] <= 1


def test_many_classes_have_accuracy_and_macro_f1_over_the_classes_that_are_there() -> None:
    predictions = classify(7)
    members = (predictions.true > 3).astype(np.int64)
    result = score_slice(group(members, ("low", "high")), predictions)
    for index, label in enumerate(("low", "high")):
        rows = members == index
        true, predicted = predictions.true[rows], predictions.predicted[rows]
        found = numbers_of(result, label)
        assert found["accuracy"]["value"] == pytest.approx(accuracy_score(true, predicted))
        present = np.unique(true)
        f1 = f1_score(true, predicted, labels=present, average="macro", zero_division=0)
        assert found["f1_macro"]["value"] == pytest.approx(f1)
        assert found["f1_macro"]["low"] < f1 < found["f1_macro"]["high"]
    assert result["gaps"]["f1_macro"]["p_value"] is None


def test_the_classes_by_a_threshold_take_the_place_of_the_most_probable_ones() -> None:
    predictions = classify(2)
    assert predictions.probabilities is not None
    by_threshold = (predictions.probabilities[:, 1] >= 0.2).astype(np.int64)
    members = np.arange(400) % 3
    result = score_slice(group(members), predictions, predicted=by_threshold, threshold=0.2)
    recall = recall_score(predictions.true[members == 1], by_threshold[members == 1])
    assert numbers_of(result, "b")["recall"]["value"] == pytest.approx(recall)
    assert result["threshold"] == 0.2


def test_what_a_group_has_no_rows_for_is_undefined_and_never_zero() -> None:
    predictions = classify(2)
    members = np.where(predictions.true == 1, 0, 1)  # all positive, all negative, and none
    result = score_slice(group(members), predictions)
    assert numbers_of(result, "a")["false_positive_rate"] == NOTHING
    assert numbers_of(result, "b")["recall"] == NOTHING
    assert set(map(str, numbers_of(result, "c").values())) == {str(NOTHING)}
    assert result["groups"][2]["rows"] == 0
    assert result["gaps"]["recall"] is None
    assert result["gaps"]["accuracy"]["best"] in "ab"


def test_a_group_that_was_never_called_positive_has_no_precision() -> None:
    true, predicted = np.array([0, 1, 0, 1]), np.array([0, 0, 0, 1])
    predictions = Predictions("classification", ("no", "yes"), list("1234"), true, predicted)
    result = score_slice(group([0, 0, 1, 1], ("a", "b")), predictions)
    assert numbers_of(result, "a")["precision"] == NOTHING
    assert numbers_of(result, "a")["recall"]["value"] == 0
    assert numbers_of(result, "b")["precision"]["value"] == 1


def test_slices_by_class_have_each_classs_recall_and_an_empty_class_none() -> None:
    predictions = classify(3)
    true = np.where(predictions.true == 2, 1, predictions.true)
    changed = Predictions(
        "classification", predictions.class_names, predictions.ids, true, predictions.predicted
    )
    result = score_slice(Grouping("class", "classes", predictions.class_names, true), changed)
    assert result["metrics"] == ["accuracy"]
    recalls = recall_score(true, predictions.predicted, labels=[0, 1], average=None)
    for index in range(2):
        found = numbers_of(result, f"class {index}")["accuracy"]["value"]
        assert found == pytest.approx(recalls[index])
    assert numbers_of(result, "class 2")["accuracy"] == NOTHING


def test_a_regression_has_its_errors_in_each_group() -> None:
    generator = np.random.default_rng(0)
    true = generator.normal(50, 10, 300)
    members = np.arange(300) % 3
    predicted = true + generator.normal(0, 1 + 4 * (members == 2), 300)
    predictions = Predictions("regression", (), [str(row) for row in range(300)], true, predicted)
    result = score_slice(group(members), predictions)
    for index, label in enumerate("abc"):
        rows, found = members == index, numbers_of(result, label)
        expected = {
            "mae": mean_absolute_error(true[rows], predicted[rows]),
            "rmse": np.sqrt(mean_squared_error(true[rows], predicted[rows])),
            "r2": r2_score(true[rows], predicted[rows]),
        }
        for name, value in expected.items():
            assert found[name]["value"] == pytest.approx(value), name
            assert found[name]["low"] < value < found[name]["high"], name
    for metric in ("mae", "rmse"):
        assert result["gaps"][metric]["worst"] == "c"
        assert result["gaps"][metric]["p_value"] < 0.01
    assert result["gaps"]["r2"]["p_value"] is None


def test_a_difference_that_chance_makes_is_not_called_one() -> None:
    found = []
    for seed in range(40):
        members = np.random.default_rng(seed + 100).integers(0, 3, 400)
        gap = score_slice(group(members), classify(2, seed=seed))["gaps"]["accuracy"]
        found.append(gap["p_value"])
    assert np.mean(np.array(found) < 0.05) <= 0.15


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "false_positive_rate"])
def test_each_rate_is_tested_among_the_rows_that_it_is_of(metric: str) -> None:
    predictions = classify(2, rows=150, seed=5)
    true, answers = predictions.true, predictions.predicted
    # Group b has most of the positive rows: overall the answers differ, among equals they don't.
    members = (np.random.default_rng(1).random(150) < 0.2 + 0.6 * true).astype(np.int64)
    hit, among = {
        "accuracy": (true == answers, true >= 0),
        "precision": (true == 1, answers == 1),
        "recall": (answers == 1, true == 1),
        "false_positive_rate": (answers == 1, true == 0),
    }[metric]
    one, other = (int((among & (members == group)).sum()) for group in (0, 1))
    hits = int((hit & among).sum())
    in_one = np.arange(max(0, hits - other), min(one, hits) + 1)
    gaps = abs(in_one / one - (hits - in_one) / other)
    rates = [hit[among & (members == group)].mean() for group in (0, 1)]
    reached = gaps >= abs(rates[0] - rates[1]) - 1e-12
    exact = hypergeom(one + other, hits, one).pmf(in_one)[reached].sum()
    gap = score_slice(group(members, ("a", "b")), predictions)["gaps"][metric]
    assert gap["p_value"] == pytest.approx(exact, abs=0.035)


def test_small_groups_are_marked() -> None:
    members = np.array([0] * 29 + [1] * 30 + [2] * 341)
    result = score_slice(group(members), classify(2))
    assert [each["small"] for each in result["groups"]] == [True, False, False]
    assert [each["rows"] for each in result["groups"]] == [29, 30, 341]
