"""How are training rows shown as the network gets them? Images in a grid, texts word by word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.canvas import open_canvas, put_image
from dltrain.plots.cells import CELL_INCHES, Word, wrap_words, write_words
from dltrain.plots.style import FAINT, INK, RULE, VALIDATION, clean, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 9.4
_STEP = 0.165

# Lines of a text that are shown; of the words cut off, only the first of them.
_LINES = 9
_CUT_WORDS = 12


def draw_images(
    title: str,
    subtitle: str,
    images: NDArray[np.uint8],
    seen: NDArray[np.uint8] | None,
    labels: Sequence[str],
) -> Figure:
    """Draw each image with its label; beside it what `seen` (rows, epochs, …) has of it.

    Without `seen`, the images alone in a grid, six a line. All are uint8.
    """
    columns = 6 if seen is None else 1 + seen.shape[1]
    lines = math.ceil(len(images) / columns) if seen is None else len(images)
    names = 0.0 if seen is None else 1.3
    room = (_WIDTH - names) / columns
    side = room - 0.12
    line = side + (0.32 if seen is None else 0.12)
    head = 0.0 if seen is None else 0.25
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=lines * line + head + 0.05)
    style: dict[str, Any] = {"fontsize": 9, "va": "top"}
    letters = int(side / CELL_INCHES)
    if seen is None:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            x, y = number % columns * room, number // columns * line
            axes.text(x, y, shorten(label, letters), color=INK, **style)
            put_image(axes, _as_picture(image), x=x, y=y + 0.2, side=side)
        return figure
    for column in range(columns):
        text = f"epoch {column}" if column else "original"
        axes.text(names + column * room, 0, text, color=FAINT, **style)
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        y = head + row * line
        axes.text(0, y + side / 2, shorten(label, 16), fontsize=9, va="center", color=INK)
        for column, shown in enumerate((image, *seen[row])):
            put_image(axes, _as_picture(shown), x=names + column * room, y=y, side=side)
    return figure


def _as_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (height, width) of one channel, (height, width, 3) of three or more."""
    return image[..., :3] if image.shape[-1] >= 3 else image[..., 0]


def draw_texts(
    title: str,
    subtitle: str,
    texts: Sequence[tuple[Sequence[tuple[str, str]], int]],
    labels: Sequence[str],
) -> Figure:
    """Draw each text's words, known, unknown or cut, with its label and its padding."""
    cells = int(_WIDTH / CELL_INCHES)
    blocks = []
    for words, padding in texts:
        coloured, kept, unknown, cut = _colour_words(words)
        wrapped = wrap_words(coloured, cells)
        if len(wrapped) > _LINES:
            half = _LINES // 2
            wrapped = [*wrapped[:half], [("…", FAINT)], *wrapped[-half:]]
        facts = f"{kept} words, {unknown} unknown, {cut} cut off, {padding} of padding"
        blocks.append((wrapped, facts))
    height = sum(0.24 + _STEP * len(lines) + 0.2 for lines, _ in blocks)
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=height)
    y = 0.0
    for (lines, facts), label in zip(blocks, labels, strict=True):
        axes.text(0, y, shorten(label, 40), va="top", fontweight="bold", fontsize=9)
        axes.text(_WIDTH, y, facts, va="top", ha="right", color=FAINT, fontsize=8.5)
        y += 0.24
        for line in lines:
            write_words(axes, line, x=0, y=y, colour=INK)
            y += _STEP
        axes.plot([0, _WIDTH], [y + 0.07, y + 0.07], color=RULE, linewidth=0.6)
        y += 0.2
    return figure


def _colour_words(words: Sequence[tuple[str, str]]) -> tuple[list[Word], int, int, int]:
    """Return the words to draw, and how many are kept, unknown among these, and cut off."""
    kinds = [kind for _, kind in words]
    cut = kinds.count("cut")
    shown: list[Word] = []
    seen_cut = 0
    at_start = bool(kinds) and kinds[0] == "cut"
    for text, kind in words:
        if kind == "cut":
            seen_cut += 1
            # Those next to what is kept.
            near = cut - seen_cut < _CUT_WORDS if at_start else seen_cut <= _CUT_WORDS
            if near:
                shown.append((clean(text), FAINT))
        elif kind == "unknown":
            shown.append((f"[{clean(text)}]", VALIDATION))
        else:
            shown.append((clean(text).lower(), INK))
    if cut > _CUT_WORDS:
        shown.insert(0 if at_start else len(shown), ("…", FAINT))
    return shown, len(words) - cut, kinds.count("unknown"), cut
