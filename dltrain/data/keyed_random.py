"""How are random numbers drawn for each row of a batch, without a state?

Each number is a hash of (seed, epoch, row, draw, position): the 32-bit finalizer of MurmurHash3
(Appleby 2011, fmix32), a bijection whose every input bit changes each output bit with a
probability of about one half. The draws of a layer are counted while it is traced.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Words of 32 bits are held in int64, whose products wrap round and whose low half is then right;
# not every device has kernels for uint32.
_WORD = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


class KeyedRandom:
    """Draw numbers that depend on the key set by `keyed_by`, and on how many were drawn before.

    Stands in for the `random` module of Keras's TensorFlow backend. A shape whose first size is a
    tensor has a row of numbers for each row of the batch; any other belongs to the batch.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed & _WORD
        self._rows: Any = None
        self._batch_key: Any = None
        self._draws = 0
        self.seeds = self._make_seed_generator()

    @contextmanager
    def keyed_by(self, rows: Any, epoch: Any, step: Any) -> Iterator[None]:
        """Key what is drawn in the block by `rows` (batch,), `epoch` and `step`, all int64."""
        import tensorflow as tf

        key = _mix(_mix(tf.cast(epoch, tf.int64) + self._seed * _GOLDEN & _WORD) ^ self._seed)
        self._rows = _mix(_mix(tf.cast(rows, tf.int64) & _WORD) ^ key)
        self._batch_key = tf.stack([key, _mix(tf.cast(step, tf.int64) ^ key)])
        self._draws = 0
        try:
            yield
        finally:
            self._rows = self._batch_key = None

    def uniform(
        self,
        shape: Sequence[Any],
        minval: Any = 0.0,
        maxval: Any = 1.0,
        dtype: Any = None,
        seed: Any = None,
    ) -> Any:
        """Return floats from `minval` (included) to `maxval` (not included)."""
        import keras
        import tensorflow as tf

        dtype = dtype or keras.config.floatx()
        if not self._has_rows(shape):
            return self._stock().uniform(shape, minval, maxval, dtype, seed=self.seeds)
        # 24 bits: every value is a float32 of its own.
        fraction = tf.cast(_shift(self._bits(shape), 8), tf.float32) * 2.0**-24
        minval, maxval = tf.cast(minval, dtype), tf.cast(maxval, dtype)
        return tf.cast(fraction, dtype) * (maxval - minval) + minval

    def normal(
        self,
        shape: Sequence[Any],
        mean: float = 0.0,
        stddev: float = 1.0,
        dtype: Any = None,
        seed: Any = None,
    ) -> Any:
        """Return floats of the normal distribution, by Box and Muller's transform (1958)."""
        import keras
        import tensorflow as tf

        dtype = dtype or keras.config.floatx()
        if not self._has_rows(shape):
            return self._stock().normal(shape, mean, stddev, dtype, seed=self.seeds)
        radius = tf.sqrt(-2.0 * tf.math.log(1.0 - self.uniform(shape, dtype="float32")))
        angle = 2.0 * math.pi * self.uniform(shape, dtype="float32")
        return tf.cast(radius * tf.cos(angle), dtype) * stddev + mean

    def randint(
        self, shape: Sequence[Any], minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None
    ) -> Any:
        """Return whole numbers from `minval` (included) to `maxval` (not included)."""
        import tensorflow as tf

        if not self._has_rows(shape):
            return self._stock().randint(shape, minval, maxval, dtype, seed=self.seeds)
        size = tf.cast(maxval, tf.int64) - tf.cast(minval, tf.int64)
        return tf.cast(_shift(self._bits(shape) * size, 32) + tf.cast(minval, tf.int64), dtype)

    def __getattr__(self, name: str) -> Any:
        """Return another of Keras's functions, which draws for the batch (beta, gamma, …)."""
        stock = getattr(self._stock(), name)

        def draw(*arguments: Any, **options: Any) -> Any:
            return stock(*arguments, **{**options, "seed": self.seeds})

        return draw

    def _make_seed_generator(self) -> Any:
        """Return a Keras SeedGenerator whose seeds are those of the batch."""
        import keras

        draws = self

        class KeyedSeeds(keras.random.SeedGenerator):  # type: ignore[misc]
            """Draw seeds from the key; Keras's own generator has a state."""

            def next(self, ordered: bool = True) -> Any:
                return draws._batch_seed()

        return KeyedSeeds(seed=0)

    def wrap_backend(self, backend: Any) -> Any:
        """Return Keras's backend object of a layer with this in the place of its `random`."""
        draws = self

        class KeyedBackend(type(backend)):  # type: ignore[misc]
            """Keras's own, but for the random numbers."""

            @property
            def random(self) -> KeyedRandom:
                return draws

        return KeyedBackend("tensorflow")

    def _has_rows(self, shape: Sequence[Any]) -> bool:
        import tensorflow as tf

        return len(shape) > 0 and tf.is_tensor(shape[0])

    def _bits(self, shape: Sequence[Any]) -> Any:
        """Return 32 random bits in int64s of `shape`, whose first axis is the batch's."""
        import tensorflow as tf

        self._draws += 1
        keys = _mix(self._rows + self._draws * _GOLDEN & _WORD)
        positions = tf.range(tf.reduce_prod([1, *shape[1:]]), dtype=tf.int64)
        words = _mix(keys[:, None] + _mix(positions + self._draws)[None, :] & _WORD)
        return tf.reshape(words, shape)

    def _batch_seed(self) -> Any:
        """Return a seed `(2,)` for one of Keras's own draws.

        int64 as Keras's own on TensorFlow: random_elastic_transform refuses uint32.
        """
        import tensorflow as tf

        self._draws += 1
        return _mix(self._batch_key + tf.constant(self._draws, tf.int64)) & 0x7FFFFFFF

    @staticmethod
    def _stock() -> Any:
        from keras import random

        return random


def _mix(word: Any) -> Any:
    """Return fmix32 of an int64 tensor that holds 32-bit words."""
    word = word & _WORD
    word = (word ^ _shift(word, 16)) * 0x85EBCA6B & _WORD
    word = (word ^ _shift(word, 13)) * 0xC2B2AE35 & _WORD
    return word ^ _shift(word, 16)


def _shift(words: Any, bits: int) -> Any:
    """Shift non-negative int64s to the right."""
    import tensorflow as tf

    return tf.bitwise.right_shift(words, tf.constant(bits, tf.int64))
