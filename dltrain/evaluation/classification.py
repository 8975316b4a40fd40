"""How good are predicted probabilities, class by class and as a whole?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.errors import DataError, TrainingError
from dltrain.evaluation.intervals import (
    Floats,
    Integers,
    make_auc,
    make_number,
    resample,
    resample_cells,
    score_cells,
    wilson_interval,
)

# Networks compute in float32: a float32 probability can't come nearer to 0 or 1 than this, and
# scikit-learn clips float32 at the same place before it takes the logarithm.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)

# How far a row of float32 (or mixed-precision) probabilities may be from 1 in sum.
_SUM_TOLERANCE = 1e-2


def score_classification(
    labels: Integers,
    probabilities: NDArray[Any],
    *,
    class_names: Sequence[str],
    seed: int = 0,
) -> dict[str, Any]:
    """Score `probabilities` (rows, classes), of any float type, against `labels` (rows,).

    The result goes into JSON as it is. NUMBER is {"value", "low", "high"}, the 95% interval as in
    `intervals`; null means undefined, never zero:

        {"task": "classification", "rows": n, "headline": "accuracy",
         "accuracy": NUMBER,
         "precision": {"macro": NUMBER, "weighted": NUMBER}, "recall": {...}, "f1": {...},
         "binary": {"positive_class": name, "precision": NUMBER, "recall": ..., "f1": ...},
         "auc_roc": {"macro": NUMBER},
         "log_loss": NUMBER,
         "classes": [name, ...],
         "per_class": [{"class", "precision", "recall", "f1", "auc_roc", "support", "predicted"}],
         "confusion_matrix": [[...], ...]}                        rows true, columns predicted

    "binary" is there for two classes only; the positive one is class 1, and "auc_roc" is its. For
    more, AUC-ROC is one-vs-rest. Averages are over the classes that have rows here; the numbers
    of a class without rows are null. A class that has rows and was never predicted has precision
    0, as in scikit-learn: its "predicted" then is 0. "log_loss" is null if the rows of
    `probabilities` don't sum to 1.

    Raises TrainingError if a probability is not finite or not within 0..1, DataError if there are
    no rows, ValueError if the shapes disagree.
    """
    labels = np.asarray(labels)
    checked = check_probabilities(labels, probabilities, classes=len(class_names))
    # argmax of what the network said: rounding to sums of 1 could break ties otherwise.
    predicted = checked.argmax(axis=1)
    points, per_class, confusion = _score_points(labels, predicted, checked, class_names)
    normalized = normalize_probabilities(checked)
    if normalized is not None:
        points["log_loss"] = _compute_log_loss(labels, normalized)
    samples = _resample(labels, checked, normalized, confusion, seed=seed)

    def number(key: str) -> dict[str, float | None]:
        return make_number(points.get(key), samples.get(key))

    right = int(np.trace(confusion))
    low, high = wilson_interval(right, len(labels))
    scores: dict[str, Any] = {
        "task": "classification",
        "rows": len(labels),
        "headline": "accuracy",
        "accuracy": {"value": points["accuracy"], "low": low, "high": high},
    }
    for name in ("precision", "recall", "f1"):
        scores[name] = {kind: number(f"{name}_{kind}") for kind in ("macro", "weighted")}
    if len(class_names) == 2:
        binary = {name: number(f"{name}_binary") for name in ("precision", "recall", "f1")}
        scores["binary"] = {"positive_class": class_names[1], **binary}
    return scores | {
        "auc_roc": {"macro": number("auc_roc")},
        "log_loss": number("log_loss"),
        "classes": list(class_names),
        "per_class": per_class,
        "confusion_matrix": confusion.tolist(),
    }


def check_probabilities(
    labels: Integers, probabilities: NDArray[Any], *, classes: int
) -> NDArray[np.float64]:
    """Return `probabilities` as float64 (rows, classes), or raise as `score_classification`."""
    if probabilities.shape != (len(labels), classes) or labels.ndim != 1 or classes < 2:
        raise ValueError(
            f"expected probabilities of shape (rows, classes) = ({len(labels)}, {classes}), "
            f"received {probabilities.shape}"
        )
    if len(labels) == 0:
        raise DataError("There is nothing to evaluate: the split has no rows.")
    if labels.min() < 0 or labels.max() >= classes:
        received = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"expected labels within 0..{classes - 1}, received {received}")
    values = probabilities.astype(np.float64)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).any(axis=1).sum())
        raise TrainingError(
            f"The model's predictions are not finite (NaN or infinity) in {count} of "
            f"{len(values)} rows.",
            hint="Its weights have probably diverged: try a smaller learning_rate.",
        )
    # Rounding in float16 may end a little above 1.
    if values.min() < 0 or values.max() > 1 + _SUM_TOLERANCE:
        raise TrainingError(
            "The model's predictions are no probabilities: expected values within 0..1, received "
            f"{values.min():.4g} to {values.max():.4g}.",
            hint="A classifier ends in softmax or sigmoid, or in no activation with a loss from "
            "logits.",
        )
    return np.minimum(values, 1.0)


def _score_points(
    labels: Integers, predicted: Integers, probabilities: Floats, class_names: Sequence[str]
) -> tuple[dict[str, float | None], list[dict[str, Any]], Integers]:
    """Return what scikit-learn says: the averages, the classes' own numbers, the confusion."""
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    indices = list(range(len(class_names)))
    confusion = confusion_matrix(labels, predicted, labels=indices)
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=indices, zero_division=0
    )
    columns = {"precision": precision, "recall": recall, "f1": f1}
    points: dict[str, float | None] = {"accuracy": float(accuracy_score(labels, predicted))}
    present = support > 0
    for name, values in columns.items():
        points[f"{name}_macro"] = float(values[present].mean())
        points[f"{name}_weighted"] = float(np.average(values, weights=support))
        if len(indices) == 2:
            points[f"{name}_binary"] = float(values[1]) if present[1] else None
    aucs = _compute_aucs(labels, probabilities)
    known = [auc for auc in aucs if auc is not None]
    if len(indices) == 2:
        points["auc_roc"] = aucs[1]
    else:
        points["auc_roc"] = float(np.mean(known)) if known else None
    per_class = [
        {
            "class": name,
            **{
                metric: float(values[index]) if present[index] else None
                for metric, values in columns.items()
            },
            "auc_roc": aucs[index],
            "support": int(support[index]),
            "predicted": int(confusion[:, index].sum()),
        }
        for index, name in enumerate(class_names)
    ]
    return points, per_class, confusion.astype(np.int64)


def _compute_aucs(labels: Integers, probabilities: Floats) -> list[float | None]:
    """Return each class's AUC-ROC against all others; None if all rows are its, or none is."""
    from sklearn.metrics import roc_auc_score

    classes = probabilities.shape[1]
    positive = labels[:, np.newaxis] == np.arange(classes)
    known = np.flatnonzero(positive.any(axis=0) & ~positive.all(axis=0))
    aucs: list[float | None] = [None] * classes
    if not len(known):
        return aucs
    # All in one call: most of a small split's time would go into checking the arguments anew.
    columns = known if len(known) > 1 else known[0]
    values = roc_auc_score(positive[:, columns], probabilities[:, columns], average=None)
    for index, value in zip(known, np.atleast_1d(values), strict=True):
        aucs[int(index)] = float(value)
    return aucs


def normalize_probabilities(probabilities: Floats) -> Floats | None:
    """Return rows that sum to 1 to float64's precision, or None if they aren't near it.

    float32's softmax misses 1 by some 1e-7, for which scikit-learn warns on float64.
    """
    sums = probabilities.sum(axis=1, keepdims=True)
    if np.abs(sums - 1).max() > _SUM_TOLERANCE:
        return None
    clipped = np.clip(probabilities / sums, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    normalized: Floats = clipped / clipped.sum(axis=1, keepdims=True)
    return normalized


def _compute_log_loss(labels: Integers, probabilities: Floats) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(labels, probabilities, labels=list(range(probabilities.shape[1]))))


def _resample(
    labels: Integers,
    probabilities: Floats,
    normalized: Floats | None,
    confusion: Integers,
    *,
    seed: int,
) -> dict[str, Floats]:
    """Return each bootstrapped metric's values on the resamples."""
    rows, classes = probabilities.shape
    support = confusion.sum(axis=1)
    metrics: dict[str, Callable[[Floats], Floats]] = {}
    ranked = [index for index in range(classes) if 0 < support[index] < rows]
    if ranked:
        ranked = [1] if classes == 2 else ranked
        metrics["auc_roc"] = make_auc(labels, probabilities, classes=ranked)
    if normalized is not None:
        losses = -np.log(normalized[np.arange(rows), labels])
        metrics["log_loss"] = lambda weights: weights @ losses / rows
    return resample(rows, metrics, seed=seed) | resample_cells(confusion, score_cells, seed=seed)
