"""Which vocabulary, length and layers would suit texts? By a look at their words."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from dltrain.config.proposed_text import write_output
from dltrain.config.words import find_words

SAMPLED_TEXTS = 2_000

_MOST_WORDS = 20_000
_LONGEST_TEXT = 400


@dataclass(frozen=True)
class TextFacts:
    """Hold the lengths in words of a sample of texts, their different words, and if it is all."""

    lengths: list[int]
    words: set[str]
    whole: bool

    @property
    def max_words(self) -> int:
        """Return a size for the vocabulary, padding and unknown included."""
        known = max(3, len(self.words) + 2)
        return min(_MOST_WORDS, known) if self.whole else _MOST_WORDS

    @property
    def max_length(self) -> int:
        """Return a length that nine of ten texts don't exceed, rounded up to tens."""
        long = self._find_long()
        return max(10, min(_LONGEST_TEXT, -(-long // 10) * 10))

    def describe(self) -> tuple[str, ...]:
        """Return the comments on the texts."""
        looked = "all" if self.whole else f"{len(self.lengths):,}"
        return (
            f"Words of a text: median {statistics.median_low(self.lengths):,}, nine of ten have "
            f"{self._find_long():,} or fewer, the longest {max(self.lengths):,}",
            f"({looked} texts looked at, {len(self.words):,} different words)",
        )

    def write_options(self) -> tuple[str, ...]:
        """Return the lines of `dataset:` on the texts."""
        return (
            f"max_words: {self.max_words} # the vocabulary: the most frequent words of the "
            "training rows",
            f"max_length: {self.max_length} # words a text is padded or cut to",
            "truncate: end # what is cut off a long one; try: start",
        )

    def write_layers(self, classes: int) -> tuple[str, ...]:
        """Return the layers; `classes` is 0 for a number."""
        return (
            f"{{type: embedding, input_dim: {self.max_words}, output_dim: 32, mask_zero: true}} # "
            "0 is padding: left out",
            "global_average_pooling1d # the mean of the words",
            "{type: dropout, rate: 0.3} # against overfitting; try: 0, 0.5",
            write_output(classes),
        )

    def _find_long(self) -> int:
        return sorted(self.lengths)[int(0.9 * (len(self.lengths) - 1))]


def look_at_texts(texts: Iterable[str], *, whole: bool) -> TextFacts:
    """Count the words of a sample of texts; `whole` says that there are no others."""
    lengths, words = [], set()
    for text in texts:
        found = find_words(text)
        lengths.append(len(found))
        words.update(found)
    return TextFacts(lengths, words, whole)
