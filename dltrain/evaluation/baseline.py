"""What does a prediction that looks at no input reach?

A model that isn't better than this has learned nothing from its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dltrain.errors import DataError
from dltrain.evaluation.classification import SMALLEST_PROBABILITY
from dltrain.evaluation.regression import compute_errors


def score_baseline(
    task: Literal["classification", "regression"],
    train_labels: NDArray[Any],
    labels: NDArray[Any],
    class_names: Sequence[str] = (),
) -> dict[str, Any]:
    """Score, on `labels`, the best constant prediction learned from `train_labels`; both (rows,).

    The numbers stand where the model's do, without intervals:

        {"kind": "majority class", "class": name, "accuracy": {"value"}, "f1": {"macro": {"value"}},
         "log_loss": {"value"}}                 log loss: of the classes' frequencies in training
        {"kind": "training mean", "mean": m, "mse": {"value"}, "mae": ..., "rmse": ..., "r2": ...}

    The first of equally frequent classes wins. Raises DataError if either has no rows.
    """
    if train_labels.size == 0 or labels.size == 0:
        raise DataError("There is no baseline: the training rows or the split's rows are missing.")
    if task == "regression":
        return _score_mean(train_labels, labels)
    return _score_majority(train_labels, labels, class_names)


def _score_majority(
    train_labels: NDArray[Any], labels: NDArray[Any], class_names: Sequence[str]
) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, f1_score

    frequencies = np.bincount(train_labels, minlength=len(class_names)) / len(train_labels)
    majority = int(frequencies.argmax())
    predicted = np.full(len(labels), majority)
    # Over the classes that have rows, as the model's own macro average.
    present = np.unique(labels)
    f1 = f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
    log_loss = -np.log(np.maximum(frequencies, SMALLEST_PROBABILITY)[labels]).mean()
    return {
        "kind": "majority class",
        "class": class_names[majority],
        "accuracy": {"value": float(accuracy_score(labels, predicted))},
        "f1": {"macro": {"value": float(f1)}},
        "log_loss": {"value": float(log_loss)},
    }


def _score_mean(train_labels: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
    mean = float(train_labels.astype(np.float64).mean())
    true = labels.astype(np.float64).reshape(-1)
    errors = compute_errors(true, np.full(len(true), mean))
    return {
        "kind": "training mean",
        "mean": mean,
        **{name: {"value": value} for name, value in errors.items()},
    }
