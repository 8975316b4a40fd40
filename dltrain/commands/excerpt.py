"""How is the line that a problem is about drawn, with a caret under the place?"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dltrain.config.reading import MAX_BYTES
from dltrain.config.syntax import LINE_BREAK
from dltrain.errors import Problem
from dltrain.escaping import escape_unprintable

_TAB = "    "
_MARGIN = "  "
# What is kept of a long line after the place, when what stands before it must be cut too.
_AFTER = 20


@dataclass(frozen=True)
class Excerpt:
    """Hold the two lines to print; the second ends in the caret."""

    line: str
    caret: str


class Sources:
    """Read the files that problems are about, each once."""

    def __init__(self) -> None:
        self._lines: dict[str, Sequence[str] | None] = {}

    def line(self, problem: Problem) -> str | None:
        """Return the line of the problem, without its end; None where there is none to show."""
        if not problem.line:
            return None
        if problem.source not in self._lines:
            self._lines[problem.source] = _read_lines(Path(problem.source))
        lines = self._lines[problem.source]
        if lines is None or problem.line > len(lines):
            return None
        return lines[problem.line - 1]


def draw_excerpt(text: str, problem: Problem, *, width: int, encoding: str) -> Excerpt:
    """Return the line `text` of `problem` and the line with the caret, both below `width` cells.

    A tab becomes four cells, what a terminal doesn't print as itself an escape, and what
    `encoding` can't write an escape too. Of a long line, what is round the place is kept.
    """
    pieces = [_show(character, encoding) for character in text]
    at = min(problem.column, len(pieces) + 1) - 1
    gutter = f"{_MARGIN}{problem.line} | "
    room = max(width - len(gutter) - 1, 16)
    first, last = _choose_window([_count_cells(piece) for piece in pieces], at, room)
    before, after = "".join(pieces[first:at]), "".join(pieces[at:last])
    left, right = "..." if first else "", "..." if last < len(pieces) else ""
    blank = " " * (len(gutter) - len("| "))
    indent = " " * _count_cells(left + before)
    return Excerpt(f"{gutter}{left}{before}{after}{right}", f"{blank}| {indent}^")


def _read_lines(path: Path) -> list[str] | None:
    """Return the lines as the YAML parser counts them; None of what can't be read twice."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            return None
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES)
    except (OSError, ValueError):
        return None
    return LINE_BREAK.split(raw.decode("utf-8-sig", "replace"))


def _show(character: str, encoding: str) -> str:
    if character == "\t":
        return _TAB
    shown = escape_unprintable(character)
    try:
        shown.encode(encoding)
    except (UnicodeError, LookupError):
        return shown.encode("ascii", "backslashreplace").decode("ascii")
    return shown


def _count_cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes: two for a wide character."""
    from rich.cells import cell_len

    return cell_len(text)


def _choose_window(cells: Sequence[int], at: int, room: int) -> tuple[int, int]:
    """Return which pieces to show, `first` to `last` (not included), in `room` cells round `at`."""
    if sum(cells) <= room:
        return 0, len(cells)
    room -= 2 * len("...")
    first = last = at
    used = 0
    while last < len(cells) and used + cells[last] <= min(_AFTER, room):
        used += cells[last]
        last += 1
    while first > 0 and used + cells[first - 1] <= room:
        first -= 1
        used += cells[first]
    while last < len(cells) and used + cells[last] <= room:
        used += cells[last]
        last += 1
    return first, last
