"""Do words go at random, by row and epoch, and their pairs with them?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.tokenize import PADDING_ID, UNKNOWN_ID, append_bigrams
from dltrain.data.word_dropout import build_word_dropout

WORDS = 50


def make_ids(*, pairs: bool = False) -> np.ndarray:
    ids = np.random.default_rng(0).integers(2, 100, (40, WORDS)).astype(np.int32)
    ids[:, 40:] = PADDING_ID
    return append_bigrams(ids, vocabulary=100, buckets=1000) if pairs else ids


def drop(ids: np.ndarray, rate: float = 0.3, *, seed: int = 1, epoch: int = 0, **key: Any) -> Any:
    import tensorflow as tf

    rows = key.get("rows", range(len(ids)))
    place = [tf.constant(value, tf.int64) for value in (list(rows), epoch, key.get("step", 0))]
    labels = tf.constant(np.arange(len(ids)))
    changed, same = tf.function(build_word_dropout(rate, words=WORDS, seed=seed))(
        tf.constant(ids), labels, *place
    )
    assert same.numpy().tolist() == list(range(len(ids)))
    return changed.numpy()


def test_a_share_of_the_words_becomes_unknown_and_padding_stays() -> None:
    ids = make_ids()
    changed = drop(ids)
    gone = changed != ids
    assert (changed[gone] == UNKNOWN_ID).all()
    assert not gone[:, 40:].any()
    assert gone[:, :40].mean() == pytest.approx(0.3, abs=0.03)
    assert changed.dtype == np.int32


def test_pairs_of_a_word_that_is_gone_become_padding() -> None:
    ids = make_ids(pairs=True)
    changed = drop(ids)
    gone = changed[:, :WORDS] != ids[:, :WORDS]
    broken = gone[:, :-1] | gone[:, 1:]
    real = ids[:, WORDS:] != PADDING_ID
    np.testing.assert_array_equal((changed != ids)[:, WORDS:], broken & real)
    assert (changed[:, WORDS:][broken] == PADDING_ID).all()


def test_which_words_go_depends_on_seed_epoch_and_row_and_not_on_the_batch() -> None:
    ids = make_ids()
    whole = drop(ids, epoch=2)
    np.testing.assert_array_equal(whole, drop(ids, epoch=2, step=5))
    np.testing.assert_array_equal(whole[7:9], drop(ids[7:9], epoch=2, rows=[7, 8]))
    others = [drop(ids, epoch=3), drop(ids, epoch=2, seed=9), drop(ids, epoch=2, rows=range(1, 41))]
    assert len({each.tobytes() for each in [whole, *others]}) == 4
