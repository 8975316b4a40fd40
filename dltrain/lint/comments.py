"""Which comments of a config silence a lint, where, and for which lines?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from dltrain.lint.finding import Finding

# The line breaks that PyYAML counts lines by.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT = re.compile("#[^\n\r\x85\u2028\u2029]*")
_ADDRESSED = re.compile(r"#\s*dltrain\s*:\s*(?P<order>.*)")
_IGNORE = re.compile(r"ignore\s*\[(?P<codes>[^\[\]]*)\]")
_BLOCK_SIGN = re.compile(r"[|>][-+0-9]*")


@dataclass(frozen=True)
class Order:
    """One comment for dltrain, `# dltrain: …`; line and column count from 1.

    `codes` are those that it silences, None if it can't be read. `line_silenced` is the line that
    it holds for, None for the whole file.
    """

    source: str
    line: int
    column: int
    codes: tuple[str, ...] | None
    line_silenced: int | None

    def silences(self, finding: Finding) -> bool:
        """Say whether the comment is about `finding`; it never is about what a flag brought."""
        if self.source != finding.source or not finding.line:
            return False
        here = self.line_silenced in (None, finding.line)
        return here and finding.code in (self.codes or ())


@dataclass(frozen=True)
class _Comment:
    line: int
    column: int
    text: str


def read_orders(text: str, *, source: str) -> list[Order]:
    """Return the comments of YAML text that are for dltrain.

    One behind a value holds for that line, one on a line of its own for the next line with a
    value, and one above everything for the file. `text` must be valid YAML.
    """
    if not _ADDRESSED.search(text):  # spares the scan, which costs milliseconds
        return []
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    comments, filled_lines = _scan(text, starts)
    orders = []
    for comment in comments:
        found = _ADDRESSED.search(comment.text)
        if found is None:
            continue
        ignore = _IGNORE.match(found["order"])
        codes = tuple(code.strip() for code in ignore["codes"].split(",")) if ignore else ()
        readable = bool(codes) and all(codes)
        orders.append(
            Order(
                source,
                comment.line,
                comment.column + found.start(),
                codes if readable else None,
                _silenced_line(comment.line, filled_lines),
            )
        )
    return orders


def _silenced_line(line: int, filled: list[int]) -> int | None:
    """Return the line that a comment on `line` is about; `filled` are the lines with values."""
    first_below = bisect_right(filled, line)
    if first_below == 0:
        return None
    if filled[first_below - 1] == line or first_below == len(filled):
        return line
    return filled[first_below]


def _scan(text: str, starts: list[int]) -> tuple[list[_Comment], list[int]]:
    """Return the comments, and the lines on which there is something else, in order.

    What lies between PyYAML's tokens is space and comments and nothing else, so that a `#` inside
    a text is none.
    """
    comments: list[_Comment] = []
    filled: set[int] = set()
    position = 0
    for begin, end in _spans(text):
        for found in _COMMENT.finditer(text, position, begin):
            line = bisect_right(starts, found.start())
            comments.append(_Comment(line, found.start() - starts[line - 1] + 1, found[0]))
        if end > begin:
            filled.update(range(bisect_right(starts, begin), bisect_right(starts, end - 1) + 1))
        position = max(position, end)
    return comments, sorted(filled)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where tokens begin and end, and the end of the text."""
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        begin, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            sign = _BLOCK_SIGN.match(text, begin)
            first = _BREAK.search(text, begin)
            if sign and first:  # a comment may stand between the sign and the block of text
                yield begin, sign.end()
                begin = first.start()
            end = begin + len(text[begin:end].rstrip())
        if not isinstance(token, (yaml.DirectiveToken, yaml.DocumentStartToken)):
            yield begin, end
    yield len(text), len(text)
