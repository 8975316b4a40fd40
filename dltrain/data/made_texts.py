"""How are texts made that exercise a vocabulary, padding and truncation, and can be learned?"""

from __future__ import annotations

import math
from itertools import islice, product

import numpy as np
import numpy.typing as npt

from dltrain.config.schema import DatasetConfig

# The training reviews of IMDB hold 87,591 different words (counted by the rule of `tokenize`).
_MOST_WORDS = 87_591

# How many words are one group's own, and which share of a text is made of them.
_MARKERS = 20
_MARKED = 0.2

# Words in texts for each word of the vocabulary: a few are unknown, as in real texts.
_SURPLUS = 1.25
# How often a word occurs in the rows that train, on average: once might fall into those held out.
_REPEATS = 2

# The shortest and the longest text, as shares of `max_length`.
_SHORTEST, _LONGEST = 0.25, 2.0

_SYLLABLES = [first + second for first in "bcdfghjklmnprstvz" for second in "aeiouy"]


class TextMaker:
    """Make texts of made-up words. A group of texts has words of its own; the others are shared."""

    def __init__(self, config: DatasetConfig, *, groups: int) -> None:
        self.max_length = config.max_length or 1
        wanted = min(math.ceil(_SURPLUS * (config.max_words or 0)), _MOST_WORDS)
        self._markers = _MARKERS * groups
        self._shared = max(wanted - self._markers, 1)
        self._words = np.array(
            ["".join(word) for word in islice(product(_SYLLABLES, repeat=3), self._size())],
            dtype=object,
        )
        held_out = 1 - (1 - (config.test_split or 0)) * (1 - config.validation_split)
        self._least = math.ceil(_REPEATS * self._shared / ((1 - _MARKED) * (1 - held_out)))

    def _size(self) -> int:
        return self._markers + self._shared

    def make(
        self,
        shares: npt.NDArray[np.float64],
        random: np.random.Generator,
        *,
        whole_vocabulary: bool,
    ) -> list[str]:
        """Return a text for each row of `shares` `(n, groups)`, its share of each group's words.

        `whole_vocabulary` lengthens the long texts until every word occurs. Upper case, breaks
        and punctuation are there for the tokenizer to take away.
        """
        lengths = self._choose_lengths(len(shares), random, whole_vocabulary=whole_vocabulary)
        total = int(lengths.sum())
        # Shuffled decks, one after the other: every word comes before one comes again.
        decks = math.ceil(total / self._shared)
        deck = np.concatenate([random.permutation(self._shared) for _ in range(decks)])
        numbers = deck[:total] + self._markers
        row = np.repeat(np.arange(len(shares)), lengths)
        marked = np.flatnonzero(random.random(total) < _MARKED)
        group = (shares.cumsum(axis=1)[row[marked]] < random.random((len(marked), 1))).sum(axis=1)
        group = np.minimum(group, shares.shape[1] - 1)
        numbers[marked] = group * _MARKERS + random.integers(_MARKERS, size=len(marked))
        words = self._words[numbers].tolist()
        ends = lengths.cumsum().tolist()
        return [
            _write(words[end - length : end])
            for length, end in zip(lengths.tolist(), ends, strict=True)
        ]

    def _choose_lengths(
        self, count: int, random: np.random.Generator, *, whole_vocabulary: bool
    ) -> npt.NDArray[np.int64]:
        """Return lengths `(count,)` in words, spread evenly; both short and long ones are there."""
        spread = np.linspace(_SHORTEST, _LONGEST, count) * self.max_length
        lengths = np.maximum(1, np.rint(spread)).astype(np.int64)
        missing = self._least - int(lengths.sum())
        if whole_vocabulary and missing > 0:
            long = lengths > self.max_length
            lengths[long] += math.ceil(missing / max(1, int(long.sum())))
        return random.permutation(lengths)


def _write(words: list[str]) -> str:
    middle = len(words) // 2
    first, second = " ".join(words[:middle]), " ".join(words[middle:])
    return f"{first.capitalize()}.<br /><br />{second}."
