"""How do rows reach the model? Batches in an order that is a function of (seed, epoch)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Encoding

Augment = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Table:
    """Hold the rows of one split as the model takes them.

    `inputs`: `(n, …)` uint8 images, int32 ids or float32 features. `labels`: `(n,)` class numbers
    int64 or targets float32.
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)


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


def make_training_batches(
    table: Table,
    labels: npt.NDArray[Any],
    *,
    batch_size: int,
    epochs: int,
    seed: int,
    shuffle: bool,
    augment: Augment | None,
) -> Any:
    """Return a tf.data.Dataset of (inputs, labels), all epochs one after the other.

    Inputs are float32 (int32 for ids); the last batch of an epoch may be smaller.
    """
    import tensorflow as tf

    count = len(table)

    def positions() -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
        for epoch in range(epochs):
            order = order_rows(count, seed=seed, epoch=epoch, shuffle=shuffle)
            for step in range(count_steps(count, batch_size)):
                # Epoch and step, mixed with the seed, key the augmentation of the batch.
                key = np.random.SeedSequence([seed, epoch, step]).generate_state(2)
                rows = order[step * batch_size : (step + 1) * batch_size]
                yield rows, (key & 0x7FFFFFFF).astype(np.int32)

    with tf.device("CPU"):
        all_inputs, all_labels = tf.constant(table.inputs), tf.constant(labels)

    def gather(rows: Any, key: Any) -> tuple[Any, Any]:
        inputs = tf.gather(all_inputs, rows)
        if inputs.dtype == tf.uint8:
            inputs = tf.cast(inputs, tf.float32)
        if augment is not None:
            inputs = augment(inputs, key)
        return inputs, tf.gather(all_labels, rows)

    signature = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((2,), tf.int32))
    batches = tf.data.Dataset.from_generator(positions, output_signature=signature)
    batches = batches.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def make_evaluation_batches(
    table: Table, labels: npt.NDArray[Any] | None, *, batch_size: int
) -> Any:
    """Return a tf.data.Dataset of (inputs, labels), or of inputs alone, in the table's order."""
    import tensorflow as tf

    with tf.device("CPU"):
        parts = (table.inputs,) if labels is None else (table.inputs, labels)
        batches = tf.data.Dataset.from_tensor_slices(parts).batch(batch_size)

    def convert(inputs: Any, *rest: Any) -> Any:
        inputs = tf.cast(inputs, tf.float32) if inputs.dtype == tf.uint8 else inputs
        return (inputs, *rest)

    return batches.map(convert, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
