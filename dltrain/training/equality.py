"""Are two trainings the same, to the bit? Their epochs, variables and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dltrain.runs.checkpoint import read_last_checkpoint
from dltrain.runs.layout import RunPaths
from dltrain.training.fit import FitResult


def find_difference(expected: FitResult, received: FitResult) -> str:
    """Return the first difference as a phrase; "" if the runs agree.

    Compared are the numbers of each epoch, all arrays of the last checkpoint (weights, optimizer,
    seed generators), which epoch was best, and all scores.
    """
    return (
        _compare_histories(expected.history, received.history)
        or _compare_checkpoints(expected.paths, received.paths)
        or _compare_scores(expected, received)
    )


def _compare_histories(
    expected: Sequence[Mapping[str, float]], received: Sequence[Mapping[str, float]]
) -> str:
    if len(expected) != len(received):
        return f"{len(received)} epochs, not {len(expected)}"
    for epoch, (one, other) in enumerate(zip(expected, received, strict=True), 1):
        for name in one.keys() | other.keys():
            if name != "seconds" and not _same(one.get(name), other.get(name)):
                return f"{name} of epoch {epoch} is {other.get(name)}, not {one.get(name)}"
    return ""


def _compare_checkpoints(expected: RunPaths, received: RunPaths) -> str:
    one, other = (read_last_checkpoint(paths.checkpoints)[0] for paths in (expected, received))
    if one is None or other is None:
        return "it left no checkpoint" if other is None else "only it left a checkpoint"
    if one.arrays.keys() != other.arrays.keys():
        return f"{len(other.arrays)} arrays in its checkpoint, not {len(one.arrays)}"
    for name, array in one.arrays.items():
        # Bytes, so that NaN equals NaN and 0 isn't -0.
        if array.dtype != other.arrays[name].dtype or array.shape != other.arrays[name].shape:
            return f"the shape of {name}"
        if array.tobytes() != other.arrays[name].tobytes():
            largest = np.max(np.abs(array.astype(float) - other.arrays[name].astype(float)))
            return f"{name} by up to {largest:.3g}"
    return ""


def _compare_scores(expected: FitResult, received: FitResult) -> str:
    if expected.best_epoch != received.best_epoch:
        return f"its best epoch is {received.best_epoch}, not {expected.best_epoch}"
    for split, scores in expected.scores.items():
        for name, value in scores.items():
            if not _same(value, received.scores.get(split, {}).get(name)):
                return f"{name} on {split}"
    return ""


def _same(one: Any, other: Any) -> bool:
    """Tell whether two JSON-able values are equal; repr has every bit, and NaN equals itself."""
    return repr(one) == repr(other)
