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

        {"kind": "majority class", "class": name, "accuracy": {"value"},
         "precision": {"macro": {"value"}, "weighted": ...}, "recall": ..., "f1": ...,
         "binary": {"precision": {"value"}, "recall": ..., "f1": ...},       for two classes only
         "auc_roc": {"macro": {"value"}},       0.5: all rows are tied; null where it is undefined
         "log_loss": {"value"}}                 of the classes' frequencies in training
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
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    classes = list(range(len(class_names)))
    frequencies = np.bincount(train_labels, minlength=len(classes)) / len(train_labels)
    majority = int(frequencies.argmax())
    predicted = np.full(len(labels), majority)
    *columns, support = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    by_metric = dict(zip(("precision", "recall", "f1"), columns, strict=True))
    # Over the classes that have rows, as the model's own averages.
    present = support > 0
    averages = {
        name: {
            "macro": {"value": float(values[present].mean())},
            "weighted": {"value": float(np.average(values, weights=support))},
        }
        for name, values in by_metric.items()
    }
    binary: dict[str, Any] = {}
    if len(classes) == 2:
        binary["binary"] = {
            name: {"value": float(values[1]) if present[1] else None}
            for name, values in by_metric.items()
        }
    log_loss = -np.log(np.maximum(frequencies, SMALLEST_PROBABILITY)[labels]).mean()
    return {
        "kind": "majority class",
        "class": class_names[majority],
        "accuracy": {"value": float(accuracy_score(labels, predicted))},
        **averages,
        **binary,
        "auc_roc": {"macro": {"value": 0.5 if present.sum() > 1 else None}},
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
