"""Do two models differ on the same rows by more than chance?

Accuracy: McNemar's test (Q. McNemar, "Note on the sampling error of the difference between
correlated proportions or percentages", Psychometrika 12, 1947). Of the rows of which only one of
the two models is right, each is right on about half if they are equally good. That is a binomial
distribution, and its exact two-sided tail is taken at any number of such rows: no approximation by
chi-squared, and so no continuity correction.

Everything else: the paired bootstrap (B. Efron, R. Tibshirani, "An Introduction to the Bootstrap",
1993). The same resampled rows score both models; the interval of the difference is the middle 95%
of the results (section 13.3), and p the smallest level at which that interval leaves 0 out (section
15.4).

Several models against one: Holm's step-down correction (S. Holm, "A simple sequentially rejective
multiple test procedure", Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dltrain.evaluation.intervals import RESAMPLES, Floats


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test; 1 if there are no discordant rows.

    `only_first` counts the rows of which only the first model is right. The same number as
    `scipy.stats.binomtest(only_first, only_first + only_second)`, whose import takes a second.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if 2 * fewer >= total - 1:  # half and half: both tails are everything
        return 1.0
    # Logarithms of the binomial coefficients: each from the one before it.
    steps = np.arange(1, fewer + 1, dtype=np.float64)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((total - steps + 1) / steps))])
    tail = np.exp(logarithms - total * math.log(2)).sum()
    return min(1.0, 2 * float(tail))


def bootstrap_accuracies(
    only_first: int, only_second: int, rows: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> Floats:
    """Return the difference in accuracy, second less first, on each resample: (resamples,).

    Drawing rows and counting those that tell the models apart is the same as drawing the counts
    from a multinomial distribution.
    """
    shares = np.array([only_first, only_second, rows - only_first - only_second]) / rows
    drawn = np.random.default_rng(seed).multinomial(rows, shares, size=resamples)
    differences: Floats = (drawn[:, 1] - drawn[:, 0]) / rows
    return differences


def bootstrap_p(differences: NDArray[np.float64]) -> float | None:
    """Return the two-sided p of resampled `differences` (resamples,); None if none is known.

    NaN (undefined on that resample) doesn't count. p is never 0: with n resamples 2 / (n + 1) is
    the least that can be told.
    """
    known = differences[np.isfinite(differences)]
    if not known.size:
        return None
    fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (fewer + 1) / (known.size + 1))


def count_resamples(comparisons: int) -> int:
    """Return how many resamples leave room below 0.05 once p is corrected for `comparisons`.

    With 1000 and 49 comparisons the least adjusted p would be 0.098: nothing could be found.
    """
    return max(RESAMPLES, 200 * comparisons)


def correct_holm(values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted p of each; None (no test) stays None and doesn't count.

    If all those with an adjusted p below 0.05 are called real, the chance that any of them isn't
    is at most 0.05.
    """
    tested = sorted((value, index) for index, value in enumerate(values) if value is not None)
    adjusted: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (value, index) in enumerate(tested):
        largest = max(largest, min(1.0, value * (len(tested) - rank)))
        adjusted[index] = largest
    return adjusted
