"""How are inputs scaled? Statistics of the training rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# Rows read at a time, so that a memory-mapped array is never copied whole.
_CHUNK = 4_096


@dataclass(frozen=True)
class Scaling:
    """Scale inputs as (x - mean) / scale; one value, or one a channel or feature."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]


def measure_scaling(
    inputs: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
    method: Literal["unit", "standard"],
) -> Scaling:
    """Measure over `rows` of `inputs` `(n, …, channels)`.

    unit: divide by the largest value. standard: subtract the mean and divide by the standard
    deviation, of each channel or feature; a constant one is only shifted.
    """
    if method == "unit":
        largest = max((float(chunk.max()) for chunk in _chunks(inputs, rows)), default=1.0)
        return Scaling(mean=(0.0,), scale=(largest if largest > 0 else 1.0,))
    axes = tuple(range(inputs.ndim - 1))
    count = len(rows) * int(np.prod(inputs.shape[1:-1]))
    mean = sum(chunk.sum(axis=axes, dtype=np.float64) for chunk in _chunks(inputs, rows)) / count
    square = sum(
        ((chunk.astype(np.float64) - mean) ** 2).sum(axis=axes) for chunk in _chunks(inputs, rows)
    )
    deviation = np.sqrt(np.asarray(square) / count)
    deviation[deviation == 0] = 1.0
    return Scaling(
        mean=tuple(float(value) for value in np.asarray(mean)),
        scale=tuple(float(value) for value in deviation),
    )


def _chunks(inputs: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield inputs[rows[start : start + _CHUNK]]
