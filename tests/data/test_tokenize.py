"""Do texts become ids of the training vocabulary, padded, truncated and paired as asked?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from dltrain.data.tokenize import (
    PADDING_ID,
    UNKNOWN_ID,
    append_bigrams,
    encode_texts,
    load_tokenizer,
    train_tokenizer,
)

TEXTS = ["the cat sat on the mat", "the dog sat", "a cat!"]


def _train(
    texts: list[str] = TEXTS,
    *,
    words: int = 100,
    length: int = 6,
    truncate: Literal["start", "end"] = "end",
) -> Any:
    return train_tokenizer(texts, max_words=words, max_length=length, truncate=truncate)


def _decode(tokenizer: Any, ids: np.ndarray) -> list[str]:
    return [tokenizer.id_to_token(int(each)) for each in ids]


def test_padding_and_unknown_are_distinct_ids() -> None:
    tokenizer = _train()
    assert (PADDING_ID, UNKNOWN_ID) == (0, 1)
    assert tokenizer.token_to_id("[PAD]") == PADDING_ID
    assert tokenizer.token_to_id("[UNK]") == UNKNOWN_ID


def test_short_text_is_padded_at_its_end() -> None:
    ids = encode_texts(tokenizer := _train(), ["a dog sat"])
    assert ids.dtype == np.int32
    assert _decode(tokenizer, ids[0]) == ["a", "dog", "sat", "[PAD]", "[PAD]", "[PAD]"]


@pytest.mark.parametrize(
    ("truncate", "words"), [("end", ["the", "cat", "sat"]), ("start", ["on", "the", "mat"])]
)
def test_long_text_loses_the_end_that_truncate_names(
    truncate: Literal["start", "end"], words: list[str]
) -> None:
    tokenizer = _train(length=3, truncate=truncate)
    assert _decode(tokenizer, encode_texts(tokenizer, TEXTS[:1])[0]) == words


def test_word_of_no_training_row_is_unknown() -> None:
    ids = encode_texts(tokenizer := _train(), ["the zebra sat"])
    assert _decode(tokenizer, ids[0])[:3] == ["the", "[UNK]", "sat"]


def test_words_that_mean_the_special_ids_are_ordinary_text() -> None:
    ids = encode_texts(_train(), ["[PAD] [UNK] cat"])
    assert (ids[0, :3] != PADDING_ID).all()


def test_vocabulary_holds_the_commonest_words_and_the_two_special_ones() -> None:
    tokenizer = _train(words=4)
    assert tokenizer.get_vocab_size() == 4
    assert set(tokenizer.get_vocab()) == {"[PAD]", "[UNK]", "the", "cat"} or set(
        tokenizer.get_vocab()
    ) == {"[PAD]", "[UNK]", "the", "sat"}
    assert encode_texts(tokenizer, TEXTS).max() < 4


def test_vocabulary_is_the_same_every_time() -> None:
    words = [f"word{number}" for number in range(300)]
    first, again = (_train(words, words=50).to_str() for _ in range(2))
    assert first == again


def test_case_markup_and_punctuation_do_not_count_but_feeling_does() -> None:
    ids = encode_texts(tokenizer := _train(["don't stop ! ?"]), ["DON'T<br />stop, (!?)"])
    assert _decode(tokenizer, ids[0])[:4] == ["don't", "stop", "!", "?"]


@pytest.mark.parametrize("text", ["", "   ", "...", "<br />"])
def test_text_without_words_becomes_one_unknown_word(text: str) -> None:
    ids = encode_texts(_train(), ["the cat", text])
    assert ids[1].tolist() == [UNKNOWN_ID, 0, 0, 0, 0, 0]


def test_no_texts_become_no_rows() -> None:
    assert encode_texts(_train(), []).shape == (0, 6)


def test_saved_tokenizer_gives_the_same_ids() -> None:
    tokenizer = _train()
    again = load_tokenizer(tokenizer.to_str())
    texts = ["the cat sat on the mat again and again", "zebra", ""]
    assert encode_texts(again, texts).tolist() == encode_texts(tokenizer, texts).tolist()


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"version": 1}'])
def test_damaged_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_tokenizer(text)


def test_pairs_stay_in_their_range_and_pairs_with_padding_are_padding() -> None:
    ids = np.random.default_rng(0).integers(1, 50, (200, 8)).astype(np.int32)
    ids[:, 5:] = PADDING_ID
    both = append_bigrams(ids, vocabulary=50, buckets=7)
    assert both.shape == (200, 15)
    assert both.dtype == np.int32
    assert (both[:, :8] == ids).all()
    pairs = both[:, 8:]
    assert (pairs[:, 4:] == PADDING_ID).all()
    assert set(np.unique(pairs[:, :4])) == set(range(50, 57))


def test_equal_pairs_have_equal_ids_and_order_counts() -> None:
    ids = np.array([[2, 3, 2, 3], [3, 2, 9, 9]], dtype=np.int32)
    pairs = append_bigrams(ids, vocabulary=10, buckets=1_000_000)[:, 4:]
    assert pairs[0, 0] == pairs[0, 2]
    assert pairs[0, 1] == pairs[1, 0]
    assert len({pairs[0, 0], pairs[0, 1], pairs[1, 1], pairs[1, 2]}) == 4


def test_pairs_spread_evenly_over_the_buckets() -> None:
    ids = np.random.default_rng(0).integers(1, 1000, (500, 40)).astype(np.int32)
    pairs = append_bigrams(ids, vocabulary=1000, buckets=100)[:, 40:] - 1000
    counts = np.bincount(pairs.ravel(), minlength=100)
    assert 0.7 < counts.min() / counts.mean() <= counts.max() / counts.mean() < 1.3


def test_pairs_of_single_words_are_none() -> None:
    ids = np.array([[5]], dtype=np.int32)
    assert append_bigrams(ids, vocabulary=10, buckets=5).tolist() == [[5]]
