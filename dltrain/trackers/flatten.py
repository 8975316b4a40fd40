"""How do nested settings and scores become the flat names and values that trackers take?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

# A table for each class, and thousands of names for a thousand classes: metrics.json holds them.
_NOT_SCALARS = ("per_class", "confusion_matrix", "classes")


def flatten_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted name → value: `model.layers.0.units` → 16. Nulls and empty lists are left out.

    A list of numbers or texts is one value. Positions count from 0 and stand without brackets,
    which MLflow doesn't take in a name.
    """
    return dict(_walk(config, ""))


def _walk(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        if any(isinstance(item, Mapping | list | tuple) for item in value):
            for index, item in enumerate(value):
                yield from _walk(item, f"{name}.{index}")
        elif value:
            yield name, list(value)
    elif value is not None:
        yield name, value


def flatten_scores(splits: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the numbers of metrics.json: `test/accuracy`, with `test/accuracy.low` and `.high`.

    What is undefined or not finite is left out, as are the tables for each class.
    """
    return {
        name: float(value)
        for split, scores in splits.items()
        for name, value in _walk_scores(scores, split)
        if math.isfinite(value)
    }


def _walk_scores(value: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _NOT_SCALARS:
                continue
            joined = f"{name}.{key}" if key in ("low", "high") else f"{name}/{key}"
            yield from _walk_scores(item, name if key == "value" else joined)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value
