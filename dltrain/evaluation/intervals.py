"""How sure is a number? 95% intervals for what was measured on a sample of rows.

Accuracy gets Wilson's score interval (E. B. Wilson, "Probable inference, the law of succession,
and statistical inference", JASA 22, 1927). The others get the percentile bootstrap (B. Efron,
"Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979): the rows are
drawn anew, with replacement, 1000 times, and the interval spans the middle 95% of the results.
It tells how the number would vary with other rows, not with another training run.

A resample is kept as how often it took each row, so that no metric is computed row by row: means
are matrix products, AUC a weighted rank sum, and whatever follows from the confusion matrix needs
only a draw of its cells. The draws depend on the seed and the number of rows alone: `fit` and
`eval` print the same intervals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95

# Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), section 13: percentile intervals
# want about 1000 resamples.
RESAMPLES = 1000

# Counts held at once, with some arrays of that size beside them: few enough for a CPU's cache.
_CHUNK_CELLS = 500_000


def make_number(value: float | None, samples: Floats | None = None) -> dict[str, float | None]:
    """Return {"value", "low", "high"}: a number with the percentile interval of its `samples`.

    Samples that are NaN (the metric is undefined on that resample) don't count. None stands for
    an undefined value, and for the interval where no sample has one.
    """
    low = high = None
    if value is not None and samples is not None:
        known = samples[np.isfinite(samples)]
        if known.size:
            tail = (1 - LEVEL) / 2
            low, high = (float(bound) for bound in np.quantile(known, [tail, 1 - tail]))
    return {"value": value, "low": low, "high": high}


def wilson_interval(successes: int, rows: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion: `successes` of `rows` (at least one)."""
    from scipy.stats import binomtest

    interval = binomtest(successes, rows).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def draw_row_counts(rows: int, *, seed: int, resamples: int = RESAMPLES) -> Iterator[Integers]:
    """Yield how often each resample takes each row: (some resamples, rows) int64, row sums `rows`.

    The chunks are sized for memory; their number doesn't change the draws.
    """
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_CELLS // max(rows, 1))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        draws = generator.integers(0, rows, size=(size, rows), dtype=np.int64)
        draws += np.arange(size)[:, np.newaxis] * rows
        yield np.bincount(draws.ravel(), minlength=size * rows).reshape(size, rows)


def resample(
    rows: int,
    metrics: Mapping[str, Callable[[Floats], Floats]],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Floats]:
    """Return metric → its values on all resamples, (resamples,) float64.

    Each metric takes row counts, (some resamples, rows) as float64, and returns a value each.
    """
    values: dict[str, list[Floats]] = {name: [] for name in metrics}
    for counts in draw_row_counts(rows, seed=seed, resamples=resamples):
        weights = counts.astype(np.float64)
        for name, compute in metrics.items():
            values[name].append(compute(weights))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def resample_cells(
    confusion: Integers,
    compute: Callable[[Floats], Mapping[str, Floats]],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Floats]:
    """Return metric → its values on resamples of a confusion matrix (classes, classes).

    Drawing rows and counting cells is the same as drawing the cells from a multinomial
    distribution. `compute` takes (some resamples, classes, classes) float64.
    """
    generator = np.random.default_rng(seed)
    flat = confusion.ravel()
    filled = np.flatnonzero(flat)  # the empty cells stay empty
    rows = int(flat.sum())
    chunk = max(1, _CHUNK_CELLS // flat.size)
    values: dict[str, list[Floats]] = {}
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        cells = np.zeros((size, flat.size))
        cells[:, filled] = generator.multinomial(rows, flat[filled] / rows, size=size)
        for name, part in compute(cells.reshape(size, *confusion.shape)).items():
            values.setdefault(name, []).append(part)
    return {name: np.concatenate(parts) for name, parts in values.items()}


def score_cells(confusion: Floats) -> dict[str, Floats]:
    """Return precision, recall and F1, each averaged over the classes, of many matrices at once.

    `confusion` is (matrices, classes, classes), rows true, columns predicted. The keys are
    `precision_macro`, `precision_weighted`, ...; for two classes also `precision_binary`, ... of
    class 1. Only classes with true rows count; a class never predicted has precision 0, as in
    scikit-learn.
    """
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return score_counts(hits, support=confusion.sum(axis=2), predicted=confusion.sum(axis=1))


def score_counts(hits: Floats, *, support: Floats, predicted: Floats) -> dict[str, Floats]:
    """Return what `score_cells` does, from counts of rows, each (matrices, classes).

    `hits` are the rows of a class that were predicted as it, `support` all rows of a class, and
    `predicted` all that were predicted as it.
    """
    per_class = {
        "precision": _divide(hits, predicted),
        "recall": _divide(hits, support),
        "f1": _divide(2 * hits, support + predicted),
    }
    present = support > 0
    scores = {}
    for name, values in per_class.items():
        scores[f"{name}_macro"] = (values * present).sum(axis=1) / present.sum(axis=1)
        scores[f"{name}_weighted"] = (values * support).sum(axis=1) / support.sum(axis=1)
        if hits.shape[1] == 2:
            scores[f"{name}_binary"] = np.where(present[:, 1], values[:, 1], np.nan)
    return scores


def make_auc(labels: Integers, scores: Floats, *, classes: list[int]) -> Callable[[Floats], Floats]:
    """Return a function from row counts to the AUC-ROC, averaged over one-vs-rest `classes`.

    `labels` is (rows,), `scores` (rows, all classes). A resample in which a class has no rows, or
    all of them, is averaged over the others; NaN if none is left.
    """
    prepared = [_prepare_auc(labels == index, scores[:, index]) for index in classes]

    def compute(weights: Floats) -> Floats:
        # Row-major by data row: reordering the rows then copies whole runs of memory. Counts are
        # whole numbers, and 32 bits of them half the memory to move.
        by_row = np.ascontiguousarray(weights.T, dtype=np.int32)
        with ThreadPoolExecutor(min(len(prepared), os.cpu_count() or 1)) as pool:
            values = np.stack(list(pool.map(lambda parts: _weigh_auc(by_row, *parts), prepared)))
        known = np.isfinite(values)
        return _divide(np.where(known, values, 0).sum(axis=0), known.sum(axis=0), nothing=np.nan)

    return compute


def _prepare_auc(positive: NDArray[np.bool_], scores: Floats) -> tuple[Any, ...]:
    """Sort once: return the order of the rows and, for the positive ones, where their ties lie."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    places = np.flatnonzero(positive[order])
    first = np.searchsorted(ranked, ranked[places], side="left")
    last = np.searchsorted(ranked, ranked[places], side="right")
    return order, places, first, last


def _weigh_auc(
    by_row: NDArray[np.int32], order: Integers, places: Integers, first: Integers, last: Integers
) -> Floats:
    """Return the AUC of each resample; `by_row` is (rows, resamples).

    Mann-Whitney's U: pairs of a positive with a lower-scored negative, ties for half. Summing
    over all lower rows counts pairs of two positives too, and of those exactly half. All of it is
    whole numbers, which float64 holds exactly.
    """
    below = np.empty((len(order) + 1, by_row.shape[1]), by_row.dtype)
    below[0] = 0
    np.cumsum(by_row[order], axis=0, out=below[1:])
    weights = by_row[order[places]].astype(np.float64)
    positives = weights.sum(axis=0)
    lower = below[first].astype(np.float64)
    lower += below[last]
    pairs = np.einsum("ij,ij->j", weights, lower)
    negatives = below[-1] - positives
    return _divide((pairs - positives**2) / 2, positives * negatives, nothing=np.nan)


def _divide(above: Floats, below: NDArray[Any], *, nothing: float = 0.0) -> Floats:
    """Return above / below, and `nothing` where below is 0."""
    result = np.full(np.broadcast_shapes(above.shape, below.shape), nothing)
    np.divide(above, below, out=result, where=below != 0)
    return result
