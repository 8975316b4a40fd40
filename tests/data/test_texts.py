"""Do texts come out of the packed bytes as they went in?"""

from __future__ import annotations

import pytest

from dltrain.data.texts import pack_texts

WORDS = ["", "naïve", "日本語", "a\nb", ""]


def test_texts_come_back_whatever_their_length() -> None:
    texts = pack_texts(word.encode() for word in WORDS)
    assert len(texts) == 5
    assert list(texts) == WORDS
    assert texts[-3] == "日本語"
    assert texts.select([2, 1, 1]) == ["日本語", "naïve", "naïve"]


@pytest.mark.parametrize("index", [5, -6])
def test_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=f"text {index} of 5"):
        pack_texts(word.encode() for word in WORDS)[index]
