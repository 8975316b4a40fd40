"""Which numbers of a split are shown to people, and how is one written?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What is shown of a split's scores, in this order: label → path into the scores.
METRICS: dict[str, tuple[str, ...]] = {
    "accuracy": ("accuracy",),
    "precision (macro)": ("precision", "macro"),
    "recall (macro)": ("recall", "macro"),
    "F1 (macro)": ("f1", "macro"),
    "precision (weighted)": ("precision", "weighted"),
    "recall (weighted)": ("recall", "weighted"),
    "F1 (weighted)": ("f1", "weighted"),
    "precision (binary)": ("binary", "precision"),
    "recall (binary)": ("binary", "recall"),
    "F1 (binary)": ("binary", "f1"),
    "AUC-ROC": ("auc_roc", "macro"),
    "log loss": ("log_loss",),
    "R²": ("r2",),
    "RMSE": ("rmse",),
    "MAE": ("mae",),
    "MSE": ("mse",),
}

_UNDEFINED = "undefined"


def look_up(scores: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any] | None:
    """Return the number at `path`, or None if these scores have no such metric."""
    found: Any = scores
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found if isinstance(found, Mapping) else None


def format_value(value: float | None) -> str:
    """Return four decimals, or four digits and thousands' commas for large numbers."""
    if value is None:
        return _UNDEFINED
    value += 0.0  # -0.0 is 0
    size = abs(value)
    if size >= 1000:
        return f"{value:,.1f}"
    return f"{value:.4f}" if size >= 0.001 or size == 0 else f"{value:.3g}"
