"""How do a model's outputs become probabilities or predicted values?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Targets
from dltrain.data.batches import Table, count_steps

Floats = npt.NDArray[np.float64]

PREDICTION_BATCH_SIZE = 256
"""Fixed, so that `fit` and `eval` do the same arithmetic and give the same numbers."""

# Losses whose labels Keras turns into -1 and 1: the boundary between two classes is 0, not 0.5.
_SIGNED_LOSSES = {"hinge", "squared_hinge"}


class Predictor:
    """Predict with a Keras model, which is traced once for all splits and batches."""

    def __init__(self, model: Any) -> None:
        import tensorflow as tf

        self.model = model
        dtype = model.inputs[0].dtype

        def run(inputs: Any) -> Any:
            return model(tf.cast(inputs, dtype), training=False)

        # Without the number of rows, so that the last and smaller batch is traced with the others.
        self._run = tf.function(run, autograph=False)
        self._traced: dict[tuple[Any, ...], Any] = {}

    def __call__(self, table: Table) -> npt.NDArray[np.float32]:
        """Return the model's outputs `(n, units)` float32 for the table's rows, in order."""
        import tensorflow as tf

        kind = (table.inputs.shape[1:], table.inputs.dtype)
        if kind not in self._traced:
            specification = tf.TensorSpec((None, *kind[0]), kind[1])
            self._traced[kind] = self._run.get_concrete_function(specification)
        outputs = []
        for batch in range(count_steps(len(table), PREDICTION_BATCH_SIZE)):
            rows = slice(batch * PREDICTION_BATCH_SIZE, (batch + 1) * PREDICTION_BATCH_SIZE)
            outputs.append(np.asarray(self._traced[kind](tf.constant(table.take(rows)))))
        return np.concatenate(outputs).astype(np.float32)


def to_probabilities(outputs: npt.NDArray[Any], targets: Targets) -> Floats:
    """Return `(n, classes)` float64 rows that sum to 1.

    probabilities are normalized by their sum; logits go through softmax or, for one unit, sigmoid.
    scores (an output trained by, say, MSE or hinge without softmax) are no probabilities: they
    pass through the same functions, which keeps the predicted class and the ranking, so that
    accuracy and AUC are exact while log loss only orders models of the same kind.
    """
    values = outputs.astype(np.float64)
    if targets.units == 1:
        column = values[:, 0]
        if targets.output == "scores":
            column = _sigmoid(column if targets.loss["type"] in _SIGNED_LOSSES else column - 0.5)
        elif targets.output == "logits":
            column = _sigmoid(column)
        column = np.clip(column, 0.0, 1.0)
        return np.stack([1.0 - column, column], axis=1)
    if targets.output == "probabilities":
        total = values.sum(axis=1, keepdims=True)
        # All sigmoids at zero say nothing about any class.
        return np.where(total > 0, values / np.where(total > 0, total, 1.0), 1.0 / values.shape[1])
    exponents = np.exp(values - values.max(axis=1, keepdims=True))
    result: Floats = exponents / exponents.sum(axis=1, keepdims=True)
    return result


def _sigmoid(values: Floats) -> Floats:
    result: Floats = np.exp(-np.logaddexp(0.0, -values))
    return result
