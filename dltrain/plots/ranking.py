"""How well does the probability of each class rank the rows? ROC and precision-recall, as numbers.

Both curves come from one sorting a class, in NumPy alone: scikit-learn sorts for each anew, and
its import costs seconds that `dltrain plot` would spend on nothing else. The numbers are
scikit-learn's (roc_curve with drop_intermediate, roc_auc_score, precision_recall_curve,
average_precision_score); the tests compare them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassRanking:
    """Hold the curves of one class against all others; what is undefined is None.

    `false_positive_rate` and `true_positive_rate` start at (0, 0), without points on a straight
    line between their neighbours; `precision` and `recall` start at recall 0.
    """

    index: int
    positives: int
    false_positive_rate: Floats | None
    true_positive_rate: Floats | None
    auc: float | None
    precision: Floats | None
    recall: Floats | None
    average_precision: float | None


@dataclass(frozen=True)
class RankingCurves:
    """Hold the classes' curves; for two classes that of class 1, the positive one, alone."""

    rows: int
    classes: tuple[ClassRanking, ...]

    @property
    def macro_auc(self) -> float | None:
        """Return the mean area under the ROC curves that are defined."""
        known = [each.auc for each in self.classes if each.auc is not None]
        return float(np.mean(known)) if known else None

    @property
    def macro_average_precision(self) -> float | None:
        """Return the mean average precision of the classes that have rows."""
        known = [
            each.average_precision for each in self.classes if each.average_precision is not None
        ]
        return float(np.mean(known)) if known else None


def rank_classes(true: NDArray[np.int64], probabilities: Floats) -> RankingCurves:
    """Compute the curves of `probabilities` (rows, classes) against the classes `true` (rows,)."""
    count = probabilities.shape[1]
    indices = [1] if count == 2 else range(count)
    columns = np.ascontiguousarray(probabilities.T)
    classes = tuple(rank_class(index, true == index, columns[index]) for index in indices)
    return RankingCurves(len(true), classes)


def rank_class(index: int, positive: NDArray[np.bool_], scores: Floats) -> ClassRanking:
    """Compute the curves of one class: `positive` (rows,) tells its rows, `scores` ranks them."""
    rows, positives = len(scores), int(positive.sum())
    if positives == 0:
        return ClassRanking(index, 0, None, None, None, None, None, None)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Rows of equal probability come in together.
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), rows - 1)
    true_positives = np.cumsum(positive[order])[ends].astype(np.float64)
    taken = (ends + 1).astype(np.float64)
    recall = true_positives / positives
    precision = true_positives / taken
    average = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    roc: tuple[Floats | None, Floats | None, float | None] = (None, None, None)
    if positives < rows:
        roc = _trace_roc(taken - true_positives, true_positives, rows - positives, positives)
    return ClassRanking(
        index,
        positives,
        *roc,
        np.concatenate([[1.0], precision]),
        np.concatenate([[0.0], recall]),
        average,
    )


def _trace_roc(
    false_positives: Floats, true_positives: Floats, negatives: int, positives: int
) -> tuple[Floats, Floats, float]:
    """Return false and true positive rates, and the area by trapezoids."""
    false_rate = np.concatenate([[0.0], false_positives / negatives])
    true_rate = np.concatenate([[0.0], true_positives / positives])
    area = float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))
    # scikit-learn's drop_intermediate: a point whose steps before and after are equal.
    bends = np.diff(false_positives, 2, prepend=0.0) != 0
    bends |= np.diff(true_positives, 2, prepend=0.0) != 0
    keep = np.concatenate([[True], bends, [True]])
    return false_rate[keep], true_rate[keep], area


def mean_roc(classes: tuple[ClassRanking, ...], *, points: int = 201) -> tuple[Floats, Floats]:
    """Return the macro-average ROC curve: the classes' true positive rates, averaged.

    Each is interpolated at `points` false positive rates, as scikit-learn's example on multiclass
    ROC does. At a rate of 0 it is the highest true positive rate there.
    """
    grid = np.linspace(0, 1, points)
    rates = []
    for each in classes:
        if each.false_positive_rate is None or each.true_positive_rate is None:
            continue
        rate = np.interp(grid, each.false_positive_rate, each.true_positive_rate)
        start = np.searchsorted(each.false_positive_rate, 0.0, side="right") - 1
        rate[0] = each.true_positive_rate[start]
        rates.append(rate)
    return grid, np.mean(rates, axis=0)


def thin_curve(x: Floats, y: Floats, *, tolerance: float = 1 / 2000) -> tuple[Floats, Floats]:
    """Return a curve without points that stand within `tolerance` of the point kept before them.

    For drawing: half a pixel of a picture of 1,000. Of each group its first and last stay.
    """
    if len(x) < 2:
        return x, y
    cells = np.rint(x / tolerance) * (1 << 20) + np.rint(y / tolerance)
    starts = np.concatenate([[True], cells[1:] != cells[:-1]])
    ends = np.concatenate([starts[1:], [True]])
    keep = starts | ends
    return x[keep], y[keep]
