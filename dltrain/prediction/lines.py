"""How are lines of text read from a stream that never ends, or isn't all UTF-8?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NOT_UTF8 = "is not UTF-8 text"

LONGEST_LINE = 1 << 24
"""A line of more characters than this is an error: it would be read into memory whole."""


@dataclass(frozen=True)
class Line:
    """Hold a line without its end; `number` counts from 1. With an `error` the text is no good."""

    number: int
    text: str
    error: str = ""


def read_lines(stream: Any) -> Iterator[Line]:
    """Yield the lines of a binary stream as they come."""
    reader = open_text(stream)
    number = 0
    while line := reader.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith("\n"):
            while (rest := reader.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield Line(number, "…", f"is longer than {LONGEST_LINE:,} characters")
            continue
        text = line.rstrip("\r\n")
        yield Line(number, text, "" if is_utf8(text) else NOT_UTF8)


def open_text(stream: Any) -> io.TextIOWrapper:
    """Return text of a binary stream; bytes that aren't UTF-8 become surrogates (`is_utf8`)."""
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def is_utf8(text: str) -> bool:
    """Tell whether a text of `open_text` was UTF-8."""
    return not any("\udc80" <= char <= "\udcff" for char in text) if not text.isascii() else True
