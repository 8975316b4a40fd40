"""How good is a model on a split? Predictions scored, with the trivial baseline beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Targets
from dltrain.data.batches import Table
from dltrain.evaluation.baseline import score_baseline
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.predict import Predictor, to_probabilities
from dltrain.evaluation.regression import score_regression
from dltrain.runs.predictions import Predictions


def predict_split(
    predict: Predictor,
    table: Table,
    *,
    targets: Targets,
    class_names: tuple[str, ...],
    ids: Sequence[str],
    model: str = "",
) -> Predictions:
    """Return what a model predicts for the rows of `table`, which are called `ids`.

    `model` is the digest of the model's file, as `Predictions` has it.
    """
    outputs = predict(table)
    if targets.task == "regression":
        true, values = table.labels.astype(np.float64), outputs[:, 0].astype(np.float64)
        return Predictions("regression", (), ids, true, values, model=model)
    probabilities = to_probabilities(outputs, targets)
    labels, predicted = table.labels.astype(np.int64), probabilities.argmax(axis=1)
    return Predictions("classification", class_names, ids, labels, predicted, probabilities, model)


def score_predictions(
    predictions: Predictions, *, train_labels: npt.NDArray[Any]
) -> dict[str, Any]:
    """Return the JSON-able scores of what was predicted, and under "baseline" the trivial ones.

    Raises as `score_classification` and `score_regression` do.
    """
    baseline = score_baseline(
        predictions.task, train_labels, predictions.true, class_names=predictions.class_names
    )
    return {**score_rows(predictions), "baseline": baseline}


def score_rows(predictions: Predictions) -> dict[str, Any]:
    """Return the same without the baseline, for which the training rows are needed."""
    if predictions.probabilities is not None:
        return score_classification(
            predictions.true, predictions.probabilities, class_names=predictions.class_names
        )
    return score_regression(predictions.true, predictions.predicted)
