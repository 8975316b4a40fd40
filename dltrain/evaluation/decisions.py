"""How good are yes-or-no decisions about the rows of two classes?

The rates of a confusion matrix [[TN, FP], [FN, TP]]; class 1 is the positive one. A rate that would
divide by zero is undefined: precision where nothing was called positive, recall without positive
rows, the false positive rate and specificity without negative ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.evaluation.intervals import (
    Floats,
    Integers,
    make_number,
    resample_cells,
    wilson_interval,
)

RATES = ("accuracy", "precision", "recall", "f1", "specificity", "false_positive_rate")


def count_cells(labels: Integers, predicted: Integers, *, classes: int = 2) -> Integers:
    """Return the confusion matrix (classes, classes) of class numbers: rows true."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def compute_rates(confusion: NDArray[Any]) -> dict[str, Floats]:
    """Return RATES of many matrices (matrices, 2, 2); NaN where undefined."""
    cells = confusion.astype(np.float64)
    (negative, alarms), (misses, hits) = (
        (cells[:, 0, 0], cells[:, 0, 1]),
        (
            cells[:, 1, 0],
            cells[:, 1, 1],
        ),
    )
    return {
        "accuracy": divide(negative + hits, cells.sum(axis=(1, 2))),
        "precision": divide(hits, hits + alarms),
        "recall": divide(hits, hits + misses),
        # Without positive rows there is no F1 either, as in the other numbers of a split.
        "f1": np.where(hits + misses > 0, divide(2 * hits, 2 * hits + alarms + misses), np.nan),
        "specificity": divide(negative, negative + alarms),
        "false_positive_rate": divide(alarms, negative + alarms),
    }


def divide(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Return above / below, and NaN where below is 0."""
    result = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=result, where=np.asarray(below) != 0)
    return result


def to_value(number: float | np.floating[Any]) -> float | None:
    """Return a Python float, or None for NaN."""
    return None if np.isnan(number) else float(number)


def score_rates(
    confusion: Integers, *, names: Sequence[str] = RATES, seed: int = 0
) -> tuple[dict[str, dict[str, float | None]], dict[str, Floats]]:
    """Return the numbers of one matrix, with their intervals, and their values on the resamples.

    Accuracy has Wilson's interval, the others the bootstrap's.
    """
    points = compute_rates(confusion[np.newaxis])
    rows = int(confusion.sum())
    samples = resample_cells(confusion, compute_rates, seed=seed) if rows else {}
    numbers = {name: make_number(to_value(points[name][0]), samples.get(name)) for name in names}
    if rows and "accuracy" in numbers:
        low, high = wilson_interval(int(np.trace(confusion)), rows)
        numbers["accuracy"] |= {"low": low, "high": high}
    return numbers, samples
