"""Are the scores of a split those that scikit-learn gives for the model's predictions?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics

from dltrain.config.targets import Targets
from dltrain.data.batches import Table
from dltrain.evaluation.predict import PREDICTION_BATCH_SIZE, Predictor, to_probabilities
from dltrain.evaluation.score import predict_split, score_predictions

ROWS = 2 * PREDICTION_BATCH_SIZE + 3  # the last batch is smaller


class Doubling:
    """Stand for a Keras model whose outputs are its inputs times two; counts its batches."""

    inputs = (SimpleNamespace(dtype="float32"),)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, inputs: Any, *, training: bool) -> Any:
        """Return `(batch, units)` float32; runs inside a tf.function."""
        import tensorflow as tf

        def double(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            assert not training
            assert values.dtype == np.float32
            self.batches.append(len(values))
            return values * 2

        return tf.numpy_function(double, [inputs], tf.float32)


def classify(units: int) -> tuple[Table, Targets]:
    """Make a table whose inputs are half the logits of a classifier that is often right."""
    classes = max(2, units)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, ROWS)
    logits = generator.normal(size=(ROWS, units)).astype(np.float32)
    if units == 1:
        logits[:, 0] += (labels - 0.5).astype(np.float32)
    else:
        logits[np.arange(ROWS), labels] += 1
    targets = Targets("classification", "integer", "logits", {"type": "x"}, classes, units)
    return Table(logits / 2, labels), targets


def test_outputs_come_in_the_order_of_the_rows_and_in_batches_of_one_size() -> None:
    table, _ = classify(3)
    model = Doubling()
    outputs = Predictor(model)(table)
    assert outputs.dtype == np.float32
    np.testing.assert_array_equal(outputs, table.inputs * 2)
    assert model.batches == [PREDICTION_BATCH_SIZE, PREDICTION_BATCH_SIZE, 3]


def test_images_reach_the_model_as_float32_in_their_own_range() -> None:
    table = Table(np.array([[0], [200], [255]], dtype=np.uint8), np.zeros(3, np.int64))
    np.testing.assert_array_equal(Predictor(Doubling())(table), [[0], [400], [510]])


@pytest.mark.parametrize("units", [1, 2, 4])
def test_scores_of_a_classifier_equal_scikit_learn_on_its_predictions(units: int) -> None:
    table, targets = classify(units)
    names = tuple(f"class {index}" for index in range(targets.classes))
    predictions = predict_split(
        Predictor(Doubling()), table, targets=targets, class_names=names, ids=[""] * ROWS
    )
    scores = score_predictions(predictions, train_labels=table.labels)
    probabilities = to_probabilities(Predictor(Doubling())(table), targets)
    predicted = probabilities.argmax(axis=1)
    values = {name: scores[name] for name in ("accuracy", "log_loss")}
    assert _value(values["accuracy"]) == pytest.approx(
        metrics.accuracy_score(table.labels, predicted)
    )
    assert _value(values["log_loss"]) == pytest.approx(
        metrics.log_loss(table.labels, probabilities), rel=1e-6
    )
    majority = np.bincount(table.labels).max() / ROWS
    assert _value(scores["baseline"]["accuracy"]) == pytest.approx(majority)


def test_scores_of_a_regression_equal_scikit_learn_on_its_predictions() -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(ROWS, 1)).astype(np.float32)
    labels = (inputs[:, 0] * 2 + generator.normal(size=ROWS)).astype(np.float32)
    targets = Targets("regression", "value", "value", {"type": "mean_squared_error"}, 0, 1)
    rows = predict_split(
        Predictor(Doubling()),
        Table(inputs, labels),
        targets=targets,
        class_names=(),
        ids=[""] * ROWS,
    )
    scores = score_predictions(rows, train_labels=labels + 1)
    predictions = inputs[:, 0] * 2
    assert _value(scores["mse"]) == pytest.approx(
        metrics.mean_squared_error(labels, predictions), rel=1e-6
    )
    assert _value(scores["r2"]) == pytest.approx(metrics.r2_score(labels, predictions), rel=1e-6)
    # The baseline is the mean of the training labels, not of the split's own.
    shifted = np.full(ROWS, labels.mean() + 1)
    expected = metrics.mean_squared_error(labels, shifted)
    assert _value(scores["baseline"]["mse"]) == pytest.approx(expected, rel=1e-5)


def _value(score: Any) -> float:
    return float(score["value"] if isinstance(score, dict) else score)
