"""How do the predicted probabilities of a class separate it, and can they be believed?

Curves are given at fixed points, so that several share one axis and a page stays small whatever
the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

# Where the curves are given: false positive rates, recalls.
GRID: Floats = np.linspace(0, 1, 101)

# As many as in Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.
BINS = 15


@dataclass(frozen=True)
class ClassCurves:
    """Hold the curves of one class against the rest, at each point of GRID.

    `recall` at that false positive rate (ROC), `precision` at that recall; the areas are of the
    whole curves: AUC-ROC by trapezoids, average precision as scikit-learn defines it.
    """

    recall: Floats
    precision: Floats
    auc_roc: float
    average_precision: float


@dataclass(frozen=True)
class Reliability:
    """Hold, for each bin of confidence that has rows, how sure and how often right.

    `confidence`, `accuracy` `(bins,)` are means, `rows` `(bins,)` counts; `error` is the expected
    calibration error: the mean of |accuracy - confidence|, weighted by the rows.
    """

    confidence: Floats
    accuracy: Floats
    rows: NDArray[np.int64]
    error: float


def compute_class_curves(positive: Booleans, scores: Floats) -> ClassCurves | None:
    """Return the curves of `scores` `(n,)` for `positive` `(n,)`; None if all are, or none is."""
    total = int(positive.sum())
    if total in (0, len(positive)):
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = positive[order]
    # A threshold lies after the last of equal scores: rows that score the same go together.
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(ranked) - 1)
    hits = np.cumsum(ranked)[ends]
    taken = ends + 1
    recall, precision = hits / total, hits / taken
    false_rate = (taken - hits) / (len(ranked) - total)
    start = np.zeros(1)
    curve_x, curve_y = np.append(start, false_rate), np.append(start, recall)
    # The curve is a step where several points have one false positive rate: the last counts.
    last = np.append(np.flatnonzero(np.diff(curve_x)), len(curve_x) - 1)
    # The first threshold that reaches the recall.
    first = np.searchsorted(recall, GRID - 1e-12, side="left")
    return ClassCurves(
        recall=np.interp(GRID, curve_x[last], curve_y[last]),
        precision=precision[np.minimum(first, len(precision) - 1)],
        auc_roc=float(np.trapezoid(curve_y, curve_x)),
        average_precision=float(np.sum(np.diff(np.append(start, recall)) * precision)),
    )


def compute_reliability(confidence: Floats, right: Booleans) -> Reliability:
    """Return the reliability of `confidence` `(n,)`, of which `right` `(n,)` were; n > 0."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    rows = np.bincount(bins, minlength=BINS)
    used = rows > 0
    mean_confidence = np.bincount(bins, confidence, BINS)[used] / rows[used]
    accuracy = np.bincount(bins, right, BINS)[used] / rows[used]
    gaps = np.abs(accuracy - mean_confidence)
    error = float(np.average(gaps, weights=rows[used]))
    return Reliability(mean_confidence, accuracy, rows[used].astype(np.int64), error)
