"""What are the words of a text? Those that `dltrain.data.tokenize` makes tokens of."""

from __future__ import annotations

import re

_WORD = re.compile(r"[\w']+|[!?]")


def find_words(text: str) -> list[str]:
    """Return the words of a text in lower case, in their order, and its marks ! and ?."""
    return _WORD.findall(text.lower())
