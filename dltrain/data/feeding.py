"""How do the rows of a step reach the compiled loop? From the device's memory, or streamed.

Both give the same rows in the same order, so that the numbers of a training don't depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dltrain.data.batches import Table, count_steps

# Batches that wait ready while one is trained on; more would only take memory.
_PREFETCHED_BATCHES = 4


class Feed(Protocol):
    """Give the loop its batches."""

    rows: int
    batch_size: int

    def begin(self, order: npt.NDArray[np.int64], *, step: int) -> Any:
        """Return what the compiled loop passes to `read`, for an epoch entered at `step`."""

    def read(self, source: Any, step: Any) -> tuple[Any, Any, Any]:
        """Return inputs, labels and row numbers (int64) of a step, inside the compiled loop."""

    def example(self) -> tuple[Any, Any]:
        """Return inputs and labels of a batch of one row, to build what needs their shapes."""


class DeviceFeed:
    """Hold all rows on the device, as they are stored, and gather each batch there."""

    def __init__(self, table: Table, labels: npt.NDArray[Any], *, batch_size: int) -> None:
        import tensorflow as tf

        self.rows = len(table)
        self.batch_size = batch_size
        self.inputs = tf.constant(table.in_memory().inputs)
        self.labels = tf.constant(labels)

    def begin(self, order: npt.NDArray[np.int64], *, step: int) -> Any:
        """Return the order as a tensor `(rows,)` int64."""
        import tensorflow as tf

        return tf.constant(order)

    def read(self, source: Any, step: Any) -> tuple[Any, Any, Any]:
        """Gather the rows of batch `step` (an integer tensor)."""
        import tensorflow as tf

        rows = source[step * self.batch_size : (step + 1) * self.batch_size]
        return tf.gather(self.inputs, rows), tf.gather(self.labels, rows), rows

    def example(self) -> tuple[Any, Any]:
        """Return the first row."""
        return self.inputs[:1], self.labels[:1]


class StreamFeed:
    """Read each batch from the table, which may lie on the disk, a few batches ahead."""

    def __init__(self, table: Table, labels: npt.NDArray[Any], *, batch_size: int) -> None:
        self.rows = len(table)
        self.batch_size = batch_size
        self.table = table
        self.labels = labels

    def begin(self, order: npt.NDArray[np.int64], *, step: int) -> Any:
        """Return an iterator over the batches of the epoch, from `step` on."""
        import tensorflow as tf

        def batches() -> Iterator[tuple[Any, Any, Any]]:
            for number in range(step, count_steps(self.rows, self.batch_size)):
                rows = order[number * self.batch_size : (number + 1) * self.batch_size]
                yield self.table.take(rows), self.labels[rows], rows

        inputs = self.table.inputs
        signature = (
            tf.TensorSpec((None, *inputs.shape[1:]), inputs.dtype),
            tf.TensorSpec((None, *self.labels.shape[1:]), self.labels.dtype),
            tf.TensorSpec((None,), tf.int64),
        )
        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return iter(dataset.prefetch(_PREFETCHED_BATCHES))

    def read(self, source: Any, step: Any) -> tuple[Any, Any, Any]:
        """Take the next batch; batches come in order, so `step` isn't asked."""
        inputs, labels, rows = source.get_next()
        return inputs, labels, rows

    def example(self) -> tuple[Any, Any]:
        """Return the first row."""
        import tensorflow as tf

        return tf.constant(self.table.take(slice(1))), tf.constant(self.labels[:1])


def make_feed(table: Table, labels: npt.NDArray[Any], *, batch_size: int, stream: bool) -> Feed:
    """Return the feed of a table whose labels are encoded as the loss wants them."""
    kind = StreamFeed if stream else DeviceFeed
    return kind(table, labels, batch_size=batch_size)
