"""How far are groups of rows apart, and is it more than chance?

The gap is that between the best and the worst group. Its interval holds these two groups fixed:
Newcombe's for accuracy (R. G. Newcombe, "Interval estimation for the difference between independent
proportions", Statistics in Medicine 17, 1998, method 10, which is made of Wilson's two), for the
others the percentile bootstrap. Somebody must be best, and somebody worst: such an interval can't
tell chance from more. The p-value can. It is that of a permutation test: how often are groups of
the same sizes, drawn at random from the same rows, as far apart?
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.evaluation.decisions import divide
from dltrain.evaluation.intervals import Floats, Integers, make_number

PERMUTATIONS = 2000

LESS_IS_BETTER = frozenset({"false_positive_rate", "mae", "rmse"})

# Values shuffled at a time.
_CHUNK_CELLS = 500_000

Number = Mapping[str, float | None]


def find_gap(
    metric: str,
    labels: Sequence[str],
    numbers: Sequence[Number],
    samples: Sequence[Floats | None],
    *,
    p_value: float | None,
) -> dict[str, Any] | None:
    """Return {"value", "low", "high", "best", "worst", "p_value"}, None for fewer than two groups.

    `numbers` and `samples` are the groups' own; a group whose number is undefined doesn't count.
    """
    known = [(number["value"], at) for at, number in enumerate(numbers)]
    defined = [(value, at) for value, at in known if value is not None]
    if len(defined) < 2:
        return None
    sign = -1 if metric in LESS_IS_BETTER else 1
    best = max(defined, key=lambda pair: (sign * pair[0], -pair[1]))[1]
    worst = min(defined, key=lambda pair: (sign * pair[0], pair[1]))[1]
    if best == worst:  # all groups are equal
        worst = next(at for _, at in defined if at != best)
    high, low = (best, worst) if sign > 0 else (worst, best)
    interval = _find_interval(metric, numbers[high], numbers[low], samples[high], samples[low])
    return {
        **interval,
        "best": labels[best],
        "worst": labels[worst],
        "p_value": p_value,
    }


def _find_interval(
    metric: str, high: Number, low: Number, high_samples: Any, low_samples: Any
) -> dict[str, float | None]:
    assert high["value"] is not None
    assert low["value"] is not None
    value = high["value"] - low["value"]
    if metric == "accuracy":
        below, above = _newcombe(high, low)
        return {"value": value, "low": below, "high": above}
    if high_samples is None or low_samples is None:
        return make_number(value)
    return make_number(value, high_samples - low_samples)


def _newcombe(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[float, float]:
    """Return the interval of the difference of two proportions that have Wilson's intervals."""
    value = first["value"] - second["value"]
    down = math.hypot(first["value"] - first["low"], second["high"] - second["value"])
    up = math.hypot(first["high"] - first["value"], second["value"] - second["low"])
    return value - down, value + up


def permute_rates(hits: Integers, totals: Integers, *, seed: int = 0) -> Floats | None:
    """Return the gaps between the rates of groups drawn at random, (PERMUTATIONS,).

    Of the rows of all groups together, sum(hits) are hits; group g takes totals[g] of them. None
    if fewer than two groups have rows.
    """
    totals = totals.astype(np.int64)
    if (totals > 0).sum() < 2:
        return None
    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(
        totals, int(hits.sum()), size=PERMUTATIONS, method="marginals"
    )
    rates = divide(drawn, np.broadcast_to(totals, drawn.shape))
    gaps: Floats = np.nanmax(rates, axis=1) - np.nanmin(rates, axis=1)
    return gaps


def permute_means(
    values: Floats, members: Integers, *, groups: int, root: bool = False, seed: int = 0
) -> Floats | None:
    """Return the gaps between the means of `values` `(n,)` in groups drawn at random.

    `root` takes the root of each mean first: values that are squares give RMSE.
    """
    sizes = np.bincount(members, minlength=groups)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2:
        return None
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_CELLS // len(values))
    gaps = []
    for start in range(0, PERMUTATIONS, chunk):
        count = min(chunk, PERMUTATIONS - start)
        shuffled = generator.permuted(np.tile(values, (count, 1)), axis=1)
        means = np.add.reduceat(shuffled, starts, axis=1) / sizes
        gaps.append(np.ptp(np.sqrt(means) if root else means, axis=1))
    return np.concatenate(gaps)


def find_p_value(gap: float | None, permuted: NDArray[np.float64] | None) -> float | None:
    """Return the share of permuted gaps that reach `gap`, which itself counts as one of them."""
    if gap is None or permuted is None:
        return None
    # Sums in another order differ in the last bits.
    reached = int((permuted >= gap - 1e-12 * max(1.0, abs(gap))).sum())
    return (1 + reached) / (1 + len(permuted))
