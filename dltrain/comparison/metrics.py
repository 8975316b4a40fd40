"""Which numbers of runs are compared, how are they named, and which way is better?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.errors import UsageError


@dataclass(frozen=True)
class Metric:
    """A number of metrics.json: `name` is its path there, as in `--require test.NAME`."""

    name: str
    label: str
    lower_is_better: bool = False

    def find(self, scores: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return {"value", "low", "high"} of a split's scores; None if they have no such metric.

        Raises ValueError, with what was expected and received, if it is no number or null.
        """
        found: Any = scores
        for key in self.name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping) or "value" not in found:
            return None
        numbers = {key: found.get(key) for key in ("value", "low", "high")}
        for key, value in numbers.items():
            if value is not None and not _is_number(value):
                raise ValueError(
                    f"{self.name}.{key}: expected a number or null, received {value!r}"
                )
        return numbers


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy"),
        Metric("precision.macro", "precision (macro)"),
        Metric("recall.macro", "recall (macro)"),
        Metric("f1.macro", "F1 (macro)"),
        Metric("f1.weighted", "F1 (weighted)"),
        Metric("binary.precision", "precision (binary)"),
        Metric("binary.recall", "recall (binary)"),
        Metric("binary.f1", "F1 (binary)"),
        Metric("auc_roc.macro", "AUC-ROC"),
        Metric("log_loss", "log loss", lower_is_better=True),
        Metric("r2", "R²"),
        Metric("rmse", "RMSE", lower_is_better=True),
        Metric("mae", "MAE", lower_is_better=True),
        Metric("mse", "MSE", lower_is_better=True),
    )
}


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def parse_metric(text: str) -> str:
    """Return the name that `--metric TEXT` means; `f1` is `f1.macro`. Raises UsageError."""
    for name in (text, f"{text}.macro"):
        if name in METRICS:
            return name
    near = nearest(text, METRICS)
    raise UsageError(
        f"--metric '{text}': expected one of {', '.join(METRICS)}.",
        hint=f"Did you mean '{near}'?" if near else "",
    )
