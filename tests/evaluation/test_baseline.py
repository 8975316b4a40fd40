"""Is the baseline the best constant that training shows?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
)

from dltrain.errors import DataError
from dltrain.evaluation.baseline import score_baseline
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.table import make_results_table


def test_the_majority_class_is_scored_as_scikit_learns_dummy() -> None:
    generator = np.random.default_rng(0)
    train, labels = generator.choice(3, 200, p=[0.2, 0.5, 0.3]), generator.integers(0, 3, 100)
    found = score_baseline("classification", train, labels, ["a", "b", "c"])
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((200, 1)), train)
    predicted = dummy.predict(np.zeros((100, 1)))
    assert found["kind"] == "majority class"
    assert found["class"] == "b"
    assert found["accuracy"]["value"] == accuracy_score(labels, predicted)
    f1 = f1_score(labels, predicted, average="macro")
    assert found["f1"]["macro"]["value"] == pytest.approx(f1, abs=1e-12)
    expected = log_loss(labels, dummy.predict_proba(np.zeros((100, 1))))
    assert found["log_loss"]["value"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_every_number_of_the_model_has_one_of_the_baseline_beside_it(classes: int) -> None:
    generator = np.random.default_rng(1)
    names = [f"class {index}" for index in range(classes)]
    train, labels = generator.integers(0, classes, 99), generator.integers(0, classes, 60)
    probabilities = generator.dirichlet(np.ones(classes), 60)
    found = score_baseline("classification", train, labels, names)
    scores = score_classification(labels, probabilities, class_names=names)
    shown = make_results_table(scores, split="test", baseline=found).columns
    assert "" not in list(shown[3].cells)
    predicted = np.full(60, names.index(found["class"]))
    for average in ("macro", "weighted", *(["binary"] if classes == 2 else [])):
        expected = precision_recall_fscore_support(
            labels, predicted, average=average, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            place = found["binary"][name] if average == "binary" else found[name][average]
            assert place["value"] == pytest.approx(value, abs=1e-12)
    if classes == 2:
        assert found["auc_roc"]["macro"]["value"] == roc_auc_score(labels, predicted)


def test_what_is_undefined_for_the_model_is_undefined_for_the_baseline() -> None:
    found = score_baseline("classification", np.array([0, 1]), np.array([0, 0]), ["a", "b"])
    assert found["auc_roc"]["macro"]["value"] is None
    assert found["binary"]["recall"]["value"] is None
    assert found["recall"]["macro"]["value"] == 1


def test_a_class_that_training_lacks_gives_a_large_but_finite_log_loss() -> None:
    train, labels = np.array([0, 0, 1]), np.array([2])
    found = score_baseline("classification", train, labels, ["a", "b", "c"])
    assert found["log_loss"]["value"] == pytest.approx(-np.log(np.finfo(np.float32).eps))
    assert found["accuracy"]["value"] == 0
    assert found["f1"]["macro"]["value"] == 0


def test_the_training_mean_is_scored_as_scikit_learns_dummy() -> None:
    generator = np.random.default_rng(0)
    train, targets = generator.normal(5, 2, 200), generator.normal(5, 2, 100).astype(np.float32)
    found = score_baseline("regression", train, targets)
    predicted = DummyRegressor().fit(np.zeros((200, 1)), train).predict(np.zeros((100, 1)))
    assert found["kind"] == "training mean"
    mse = mean_squared_error(targets.astype(float), predicted)
    assert found["mse"]["value"] == pytest.approx(mse, abs=1e-9)
    r2 = r2_score(targets.astype(float), predicted)
    assert found["r2"]["value"] == pytest.approx(r2, abs=1e-9)


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="There is no baseline"):
        score_baseline("regression", np.empty(0), np.zeros(3))
