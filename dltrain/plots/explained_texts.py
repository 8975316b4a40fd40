"""Which words speak for a class? Each text with its words coloured by what they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from dltrain.plots.canvas import open_canvas
from dltrain.plots.cells import CELL_INCHES, Word, wrap_words, write_words
from dltrain.plots.explained_images import (
    AGAINST,
    FOR,
    describe_gap,
    describe_verdict,
    write_legend,
)
from dltrain.plots.style import FAINT, INK, RULE, clean, format_number, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dltrain.explanation.explained import ExplainedRow

_WIDTH = 9.4
_STEP = 0.19
_HEAD = 0.46
_GAP = 0.24
_LEGEND = 0.32

# Lines of a text that are shown: those that bring most.
_LINES = 9

# Dark letters must stay readable on the strongest colour.
_STRONGEST = 0.75


def draw_explained_texts(title: str, subtitle: str, rows: Sequence[ExplainedRow]) -> Figure:
    """Draw the lines of each text whose words bring most, on a ground of their colour."""
    blocks = [_choose_lines(row) for row in rows]
    height = _LEGEND + sum(_HEAD + _STEP * len(lines) + _GAP for lines, _, _ in blocks)
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=height)
    write_legend(axes, "each text has its own scale · [unknown] to the vocabulary")
    y = _LEGEND
    for row, (lines, before, after) in zip(rows, blocks, strict=True):
        _write_heading(axes, row, y, before, after)
        y += _HEAD
        _colour_ground(axes, row, lines, y)
        for line in lines:
            write_words(axes, [(text, INK) for text, _ in line], x=0, y=y, colour=INK)
            y += _STEP
        axes.plot([0, _WIDTH], [y + _GAP / 3, y + _GAP / 3], color=RULE, linewidth=0.6)
        y += _GAP
    return figure


def _choose_lines(row: ExplainedRow) -> tuple[list[list[Word]], int, int]:
    """Return the lines to show, and how many words stand before and after them.

    In the place of a colour each part of a word has the word's number.
    """
    shown = [
        (clean(word) if known else f"[{clean(word)}]", str(number))
        for number, (word, known, _) in enumerate(row.words)
    ]
    lines = wrap_words(shown, int(_WIDTH / CELL_INCHES))
    if not row.words or len(lines) <= _LINES:
        return lines, 0, 0
    weights = [sum(abs(row.words[int(n)][2]) for n in {n for _, n in line}) for line in lines]
    sums = np.convolve(weights, np.ones(_LINES), mode="valid")
    first = int(sums.argmax())
    chosen = lines[first : first + _LINES]
    before, last = int(chosen[0][0][1]), int(chosen[-1][-1][1])
    return chosen, before, len(row.words) - 1 - last


def _write_heading(axes: Axes, row: ExplainedRow, y: float, before: int, after: int) -> None:
    style: dict[str, Any] = {"va": "top", "fontsize": 9}
    x = 0.0
    for text, colour in describe_verdict(row, 34):
        axes.text(x, y, text, color=colour, fontweight="bold", **style)
        x += 2.3
    axes.text(_WIDTH, y, shorten(row.id, 30), color=FAINT, ha="right", **style)
    facts = [f"{len(row.words)} words"]
    if before or after:
        facts.append(f"{before} before and {after} after these lines")
    if row.cut:
        facts.append(f"{row.cut} cut off before the model")
    if row.completeness is not None:
        facts.append(describe_gap(row))
    if abs(row.padding) > 1e-6:
        facts.append(f"padding brings {format_number(row.padding)}")
    axes.text(0, y + 0.19, " · ".join(facts), color=FAINT, va="top", fontsize=8.5)


def _colour_ground(
    axes: Axes, row: ExplainedRow, lines: Sequence[Sequence[Word]], y: float
) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    largest = max((abs(value) for _, _, value in row.words), default=0.0)
    if largest == 0:
        return
    boxes, colours = [], []
    for number, line in enumerate(lines):
        top, place = y + number * _STEP - 0.025, 0
        for text, word in line:
            value = row.words[int(word)][2] / largest
            left, right = place * CELL_INCHES, (place + cell_len(text)) * CELL_INCHES
            boxes.append([(left, top), (right, top), (right, top + 0.165), (left, top + 0.165)])
            colours.append(to_rgba(FOR if value > 0 else AGAINST, _STRONGEST * abs(value)))
            place += cell_len(text) + 1
    axes.add_collection(PolyCollection(boxes, facecolors=colours, linewidths=0), autolim=False)
