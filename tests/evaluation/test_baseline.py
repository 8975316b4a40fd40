"""Is the baseline the best constant that training shows?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_squared_error, r2_score

from dltrain.errors import DataError
from dltrain.evaluation.baseline import score_baseline


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
