"""How are words left out of a text so that the result depends on (seed, epoch, row) alone?

Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text Classification",
doi:10.3115/v1/P15-1162, drop words; here the unknown word stands in for each, so that none moves.
"""

from __future__ import annotations

from typing import Any

from dltrain.data.augment import Augment
from dltrain.data.keyed_random import KeyedRandom
from dltrain.data.tokenize import PADDING_ID, UNKNOWN_ID


def build_word_dropout(rate: float, *, words: int, seed: int) -> Augment:
    """Return a function `(ids, labels, rows, epoch, step) -> (ids, labels)`, in a tf.function.

    `ids` is `(batch, length)` int32: `words` ids of words and, if there are more, behind them those
    of the pairs of neighbours. Each word becomes the unknown one with probability `rate`, padding
    stays, and the pairs of such a word become padding.
    """
    import tensorflow as tf

    draws = KeyedRandom(seed)

    def drop(ids: Any, labels: Any, rows: Any, epoch: Any, step: Any) -> tuple[Any, Any]:
        with draws.keyed_by(rows, epoch, step):
            drawn = draws.uniform((tf.shape(ids)[0], words), dtype="float32") < rate
        own, pairs = ids[:, :words], ids[:, words:]
        kept = [tf.where(drawn & (own != PADDING_ID), UNKNOWN_ID, own)]
        if ids.shape[1] > words:
            broken = drawn[:, :-1] | drawn[:, 1:]
            kept.append(tf.where(broken, PADDING_ID, pairs))
        return tf.concat(kept, axis=1), labels

    return drop
