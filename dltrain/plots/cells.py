"""How does text of fixed width fit into a picture? Widths, wrapping, coloured words, in letters.

A letter of the monospaced font takes one cell, a Chinese one two, as in a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from dltrain.plots.style import MONOSPACE_ADVANCE, MONOSPACE_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A word and its colour; "" is the axes' own.
Word = tuple[str, str]

POINTS_PER_INCH = 72


CELL_INCHES = MONOSPACE_ADVANCE * MONOSPACE_POINTS / POINTS_PER_INCH


def fit(text: str, cells: int) -> str:
    """Return `text` in exactly `cells` cells: padded, or cut with a … at its end."""
    if cell_len(text) > cells:
        return set_cell_size(set_cell_size(text, max(cells - 1, 0)).rstrip() + "…", cells)
    return set_cell_size(text, cells)


def wrap_words(words: Iterable[Word], cells: int) -> list[list[Word]]:
    """Return the words in lines of at most `cells` cells; a longer word is broken."""
    lines: list[list[Word]] = [[]]
    used = 0
    for text, colour in words:
        for part in _break(text, cells):
            size = cell_len(part)
            if used and used + 1 + size > cells:
                lines.append([])
                used = 0
            lines[-1].append((part, colour))
            used += size + (1 if used else 0)
    return lines


def wrap_text(text: str, cells: int, *, most: int) -> list[str]:
    """Return `text` in at most `most` lines of at most `cells` cells, ending in … if cut."""
    lines = [
        " ".join(word for word, _ in line)
        for line in wrap_words(((word, "") for word in text.split()), cells)
    ]
    if len(lines) > most:
        lines = [*lines[: most - 1], fit(lines[most - 1] + " …", cells).rstrip()]
    return lines


def write_words(axes: Axes, line: Sequence[Word], *, x: float, y: float, colour: str) -> None:
    """Write a line of words from (`x`, `y`), in inches; neighbours of one colour are one text."""
    place = 0
    run, run_colour, start = "", None, 0
    for text, own in line:
        chosen = own or colour
        if chosen != run_colour and run:
            _write(axes, run, x, y, start, run_colour or colour)
            run, start = "", place
        if not run:
            start = place
        run = f"{run} {text}" if run else text
        run_colour = chosen
        place += cell_len(text) + 1
    if run:
        _write(axes, run, x, y, start, run_colour or colour)


def _write(axes: Axes, text: str, x: float, y: float, start: int, colour: str) -> None:
    axes.text(
        x + start * CELL_INCHES,
        y,
        text,
        family="monospace",
        fontsize=MONOSPACE_POINTS,
        color=colour,
        va="top",
    )


def _break(word: str, cells: int) -> Iterable[str]:
    while cell_len(word) > cells:
        head = set_cell_size(word, cells).rstrip()
        head = head if word.startswith(head) else head[:-1]
        yield head
        word = word[len(head) :]
    yield word
