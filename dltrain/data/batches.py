"""Which rows make a batch, in which order? A function of (seed, epoch), and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Encoding
from dltrain.data.row_file import Inputs


@dataclass(frozen=True)
class Table:
    """Hold the rows of one split as the model takes them.

    `inputs`: `(n, …)` uint8 images, int32 ids or float32 features. `labels`: `(n,)` class numbers
    int64 or targets float32. With `positions` `(n,)` the rows are those of `inputs` at these
    positions: `inputs` may then be a whole memory-mapped file, of which only what is taken is read.
    `weights` `(n,)` says how much each row counts in the loss; None: every row counts 1.
    """

    inputs: Inputs
    labels: npt.NDArray[Any]
    positions: npt.NDArray[np.int64] | None = None
    weights: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Any) -> npt.NDArray[Any]:
        """Return a copy of the inputs of `rows` (row numbers, or a slice) of the table."""
        if self.positions is not None:
            rows = self.positions[rows]
        return np.array(self.inputs[rows])

    def in_memory(self) -> Table:
        """Return the same table with its own rows, all of them, in memory."""
        if self.positions is None:
            return self
        inputs = np.ascontiguousarray(self.inputs[self.positions])
        return Table(inputs, self.labels, weights=self.weights)

    def head(self, count: int) -> Table:
        """Return the first `count` rows."""
        weights = None if self.weights is None else self.weights[:count]
        return Table(self.take(slice(count)), self.labels[:count], weights=weights)

    def select(self, rows: npt.NDArray[np.int64]) -> Table:
        """Return a table of `rows`, in that order and as often as they are named; nothing is read.

        Every row has a number of its own there, also one that is named twice.
        """
        positions = rows if self.positions is None else self.positions[rows]
        weights = None if self.weights is None else self.weights[rows]
        return Table(self.inputs, self.labels[rows], positions, weights)

    @property
    def nbytes(self) -> int:
        """Return the size of the inputs in memory, in bytes."""
        row = int(np.prod(self.inputs.shape[1:], dtype=np.int64)) * self.inputs.dtype.itemsize
        return len(self) * row


def order_rows(count: int, *, seed: int, epoch: int, shuffle: bool) -> npt.NDArray[np.int64]:
    """Return the order in which epoch `epoch` (from 0) visits `count` rows."""
    if not shuffle:
        return np.arange(count, dtype=np.int64)
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int64)


def count_steps(rows: int, batch_size: int) -> int:
    """Return the batches of an epoch; the last may be smaller."""
    return math.ceil(rows / batch_size)


def encode_labels(labels: npt.NDArray[Any], encoding: Encoding, classes: int) -> npt.NDArray[Any]:
    """Return labels as the loss wants them: see `dltrain.config.targets.Encoding`."""
    if encoding == "integer":
        return labels.astype(np.int32)
    if encoding == "one_hot":
        encoded: npt.NDArray[np.float32] = np.eye(classes, dtype=np.float32)[labels]
        return encoded
    return labels.astype(np.float32).reshape(-1, 1)
