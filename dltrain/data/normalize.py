"""How are inputs scaled? Statistics of the training rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.data.row_file import Inputs

# Rows read at a time, so that what lies on the disk is never in memory whole. Squares of the bytes
# of a chunk, as float64, take eight times as much.
_CHUNK = 4_096
_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class Scaling:
    """Scale inputs as (x - mean) / scale; one value, or one a channel or feature."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]


def measure_scaling(
    inputs: Inputs,
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
    square = sum(_square(chunk, mean).sum(axis=axes) for chunk in _chunks(inputs, rows))
    deviation = np.sqrt(np.asarray(square) / count)
    deviation[deviation == 0] = 1.0
    return Scaling(
        mean=tuple(float(value) for value in np.asarray(mean)),
        scale=tuple(float(value) for value in deviation),
    )


def _square(chunk: npt.NDArray[Any], mean: Any) -> npt.NDArray[np.float64]:
    """Return the squared distances from the mean, with one copy of the chunk in memory."""
    distances = chunk.astype(np.float64)
    distances -= mean
    return np.square(distances, out=distances)


def _chunks(inputs: Inputs, rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[Any]]:
    row_bytes = max(1, int(np.prod(inputs.shape[1:])) * inputs.dtype.itemsize)
    step = max(1, min(_CHUNK, _CHUNK_BYTES // row_bytes))
    for start in range(0, len(rows), step):
        yield inputs[rows[start : start + step]]
