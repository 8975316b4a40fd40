"""How do texts become numbers? A vocabulary of the training rows; ids padded and truncated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.data.preset_tokenizer import KEY, PresetTokenizer, read_preset_tokenizer

Ids = npt.NDArray[np.int32]

PADDING_ID = 0
UNKNOWN_ID = 1
_SPECIAL = ["[PAD]", "[UNK]"]

# Words with their apostrophes, and the two marks that carry feeling; all else separates.
_WORD = r"[\w']+|[!?]"

# Texts encoded at a time: bounds the memory of the library's result objects.
_CHUNK = 2_000


def train_tokenizer(
    texts: Iterable[str],
    *,
    max_words: int,
    max_length: int,
    truncate: Literal["start", "end"],
) -> Any:
    """Return a `tokenizers.Tokenizer` with the `max_words` commonest words of `texts`.

    Lower-cased; `[PAD]` is id 0, `[UNK]` id 1, and both count towards `max_words`. It pads at the
    end to `max_length` and cuts the end that `truncate` names.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"<br\s*/?>"), " "),
            normalizers.NFC(),
            normalizers.Lowercase(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
    trainer = trainers.WordLevelTrainer(
        vocab_size=max_words, special_tokens=_SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.enable_truncation(max_length, direction="left" if truncate == "start" else "right")
    tokenizer.enable_padding(length=max_length, pad_id=PADDING_ID, pad_token="[PAD]")
    return tokenizer


def load_tokenizer(text: str) -> Any:
    """Return the tokenizer that `tokenizer.json` holds. Raises ValueError if it is damaged."""
    from tokenizers import Tokenizer

    record = json.loads(text)
    if isinstance(record, dict) and KEY in record:
        return read_preset_tokenizer(record)
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exception
        raise ValueError(str(error)) from error


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> Ids:
    """Return `(n, max_length)` int32 ids. A text without words becomes one unknown word.

    Otherwise a masked average over it would divide by zero. By a preset's tokenizer it has the
    marks of its begin and end.
    """
    if isinstance(tokenizer, PresetTokenizer):
        return tokenizer.encode(texts)
    length = tokenizer.padding["length"]
    ids = np.empty((len(texts), length), dtype=np.int32)
    for start in range(0, len(texts), _CHUNK):
        encoded = tokenizer.encode_batch_fast(list(texts[start : start + _CHUNK]))
        for row, item in enumerate(encoded, start):
            ids[row] = item.ids
    ids[ids[:, 0] == PADDING_ID, 0] = UNKNOWN_ID
    return ids


def append_bigrams(ids: Ids, *, vocabulary: int, buckets: int) -> Ids:
    """Append to each row the ids of its pairs of neighbouring words, hashed into `buckets`.

    `(n, length)` becomes `(n, 2 * length - 1)`; a pair with padding is padding. Pair ids run from
    `vocabulary` to `vocabulary + buckets - 1`. Joulin et al. 2016, "Bag of Tricks for Efficient
    Text Classification", arXiv:1607.01759; the hash is Knuth's multiplicative one.
    """
    pairs = np.zeros((len(ids), ids.shape[1] - 1), dtype=np.int32)
    for start in range(0, len(ids), _CHUNK):
        left = ids[start : start + _CHUNK, :-1].astype(np.uint64)
        right = ids[start : start + _CHUNK, 1:].astype(np.uint64)
        mixed = (left * np.uint64(0x9E3779B97F4A7C15) + right) * np.uint64(0xC2B2AE3D27D4EB4F)
        hashed = (mixed >> np.uint64(32)) % np.uint64(buckets) + np.uint64(vocabulary)
        hashed[right == PADDING_ID] = PADDING_ID
        pairs[start : start + _CHUNK] = hashed.astype(np.int32)
    return np.concatenate([ids, pairs], axis=1)
