"""What comes of a comparison: the runs beside each other, and how each differs from one of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dltrain.config.compare import Difference
from dltrain.runs.contents import RunContents

Test = Literal["mcnemar", "bootstrap"]

# Below this, corrected, a difference is called more than chance: what a 95% interval stands for.
ALPHA = 0.05


@dataclass(frozen=True)
class Change:
    """How a run's metric differs from the baseline's: this one's less the baseline's.

    `low` and `high` are the 95% interval of the difference, `p` that of `test`, `adjusted_p` after
    the correction for the runs compared. `only_baseline` and `only_this` count the rows of which
    one model alone is right. None: not tested, or undefined.
    """

    difference: float
    low: float | None = None
    high: float | None = None
    test: Test | None = None
    p: float | None = None
    adjusted_p: float | None = None
    only_baseline: int | None = None
    only_this: int | None = None

    @property
    def more_than_chance(self) -> bool | None:
        """Tell whether the difference is significant at 5%; None without a test."""
        return None if self.adjusted_p is None else self.adjusted_p < ALPHA


@dataclass(frozen=True)
class ComparedRun:
    """One run beside the others; `changes` and `config_differences` are against the baseline.

    `data_difference` says in what its data differ, a phrase; such a run is compared with no test.
    `left_out` names what could not be compared, and `contents.problems` which files are to blame.
    """

    contents: RunContents
    label: str
    rows: int | None
    """How many rows were scored; None if that isn't known."""
    values: Mapping[str, Mapping[str, Any]]
    changes: Mapping[str, Change] = field(default_factory=dict)
    config_differences: Sequence[Difference] | None = None
    data_difference: str | None = None
    left_out: tuple[str, ...] = ()

    def value(self, metric: str) -> float | None:
        """Return the metric's value; None where it is undefined or not there."""
        found: float | None = self.values.get(metric, {}).get("value")
        return found


@dataclass(frozen=True)
class Comparison:
    """Runs in the order in which they are shown; `baseline` is the place of the one in them.

    `tested` are the metrics among `metrics` that were tested, with `resamples` resamples where
    they were bootstrapped; `comparisons` is the number of runs tested against the baseline.
    """

    runs: Sequence[ComparedRun]
    baseline: int
    split: str | None
    metrics: Sequence[str]
    tested: Sequence[str]
    resamples: int
    comparisons: int

    @property
    def first(self) -> ComparedRun:
        """Return the run that the others are compared with."""
        return self.runs[self.baseline]

    @property
    def headline(self) -> str | None:
        """Return the metric that many runs are sorted by."""
        return self.tested[0] if self.tested else None
