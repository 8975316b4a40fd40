"""How much of a score does each input bring, counted from a baseline? Integrated gradients.

Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", arXiv:1703.01365. The gradients
along the straight way from the baseline to the input are averaged, and multiplied by the way. What
comes out sums to the difference of the two scores (completeness, proposition 1), but for the error
of the sum that stands for the integral: it is measured, and the steps double until it is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dltrain.explanation.gradients import Differentiate, Floats

# Within which share of the difference of the scores the attributions must sum to it. The paper's
# own advice is 5 % (section 5).
TOLERANCE = 0.01

FEWEST_STEPS = 32
MOST_STEPS = 1024

# Below this share of all that was added up, a gap is float32's rounding.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Completeness:
    """Say how well a row's attributions sum to the difference of its scores."""

    score: float
    baseline_score: float
    total: float
    steps: int
    is_met: bool

    @property
    def gap(self) -> float:
        """Return the gap as a share of the difference; infinite where there is no difference."""
        difference = self.score - self.baseline_score
        missing = abs(self.total - difference)
        if missing == 0:
            return 0.0
        return missing / abs(difference) if difference else float("inf")


def integrate_gradients(
    differentiate: Differentiate,
    row: Floats,
    baseline: Floats,
    weights: Floats,
    *,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
) -> tuple[Floats, Completeness]:
    """Return what each number of `row` brings to its score, in the same shape.

    `baseline` is of the row's shape, `weights` `(units,)` are those of the score. Steps begin at
    32 and double until the gap is within `tolerance`, or there are `most_steps`.
    """
    ends, _ = differentiate(np.stack([row, baseline]), np.stack([weights, weights]))
    score, baseline_score = float(ends[0]), float(ends[1])
    steps = min(FEWEST_STEPS, most_steps)
    while True:
        average = _average_gradients(differentiate, row, baseline, weights, steps)
        found = (row - baseline).astype(np.float64) * average
        total, size = float(found.sum()), float(np.abs(found).sum())
        gap = abs(total - (score - baseline_score))
        is_met = gap <= max(tolerance * abs(score - baseline_score), _ROUNDING * size)
        if is_met or steps >= most_steps:
            measured = Completeness(score, baseline_score, total, steps, is_met)
            return found.astype(np.float32), measured
        steps *= 2


def _average_gradients(
    differentiate: Differentiate, row: Floats, baseline: Floats, weights: Floats, steps: int
) -> NDArray[np.float64]:
    """Return the mean gradient at the middles of `steps` equal steps from `baseline` to `row`."""
    places = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
    total = np.zeros(row.shape, dtype=np.float64)
    # A part of the steps at a time: all of them, of a large image, would be gigabytes.
    for at in range(0, steps, FEWEST_STEPS):
        part = places[at : at + FEWEST_STEPS].reshape(-1, *[1] * row.ndim)
        rows = baseline + part * (row - baseline)
        _, gradients = differentiate(rows, np.repeat(weights[None], len(part), axis=0))
        total += gradients.sum(axis=0, dtype=np.float64)
    return total / steps
