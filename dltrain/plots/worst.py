"""Where was the model most wrong? Its worst mistakes as images, as texts or as rows of a table."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.canvas import open_canvas, put_image
from dltrain.plots.cells import CELL_INCHES, fit, wrap_text, write_words
from dltrain.plots.style import (
    BEST,
    FAINT,
    INK,
    MONOSPACE_POINTS,
    RULE,
    VALIDATION,
    clean,
    format_number,
    shorten,
)
from dltrain.plots.subject import NothingToDraw, Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 9.4

_IMAGES_A_LINE = 6
_IMAGES = 24
_TEXTS = 7
_LINES_OF_TEXT = 4
_TABLE_ROWS = 15

Mistake = Mapping[str, Any]


def draw_mistakes(subject: Subject) -> Figure:
    """Draw the mistakes of the highest confidence, or the largest errors of a regression."""
    record = subject.contents.mistakes
    path = subject.contents.paths.mistakes
    if record is None:
        known = [each for each in subject.contents.problems if str(path) in each]
        raise NothingToDraw(known[0] if known else f"{path} can't be read.")
    try:
        rows: Sequence[Mistake] = record["mistakes"]
        if not rows:
            raise NothingToDraw(f"There is no mistake in {record['split']}.", expected=True)
        draw = {"image": _draw_images, "text": _draw_texts}.get(record["modality"], _draw_table)
        title = "Worst mistakes" if record["task"] == "classification" else "Largest errors"
        return draw(title, _describe(subject, record), rows)
    except (KeyError, TypeError, ValueError, AttributeError, OSError, binascii.Error) as error:
        raise NothingToDraw(f"{path} is damaged: {clean(error)}.") from error


def _describe(subject: Subject, record: Mapping[str, Any]) -> str:
    split, rows = clean(record["split"]), int(record["rows"])
    if record["task"] == "regression":
        return f"{subject.run} · {split}: {rows:,} rows · largest error first"
    wrong = int(record["wrong"])
    facts = f"{split}: {wrong:,} of {rows:,} rows wrong · most confident first"
    return f"{subject.run} · {facts}"


def _draw_images(title: str, subtitle: str, mistakes: Sequence[Mistake]) -> Figure:
    shown = mistakes[:_IMAGES]
    room = _WIDTH / _IMAGES_A_LINE
    side, line = room - 0.2, room + 0.36
    lines = math.ceil(len(shown) / _IMAGES_A_LINE)
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=lines * line)
    letters = int((room - 0.1) / CELL_INCHES * 1.1)
    for number, mistake in enumerate(shown):
        row, column = divmod(number, _IMAGES_A_LINE)
        x, y = column * room + 0.1, row * line
        put_image(axes, decode_image(mistake["image"]), x=x, y=y + 0.42, side=side)
        true, predicted = _name_values(mistake, letters)
        axes.text(x, y + 0.05, f"true {true}", va="top", fontsize=8.5, color=BEST)
        axes.text(x, y + 0.22, predicted, va="top", fontsize=8.5, color=VALIDATION)
    return figure


def _name_values(mistake: Mistake, letters: int) -> tuple[str, str]:
    """Return the true value, and what was predicted with its confidence, in so many letters."""
    if "confidence" not in mistake:
        predicted = format_number(float(mistake["predicted"]))
        return format_number(float(mistake["true"])), f"predicted {predicted}"
    sure = f" ({_show_confidence(mistake)})"
    # "predicted" only where it leaves the class some room: the colours say it too.
    short = min(len(clean(mistake["predicted"])), 6)
    word = "predicted " if letters >= len("predicted ") + len(sure) + short else "as "
    name = shorten(mistake["predicted"], max(letters - len(word) - len(sure), 4))
    return shorten(mistake["true"], max(letters - 5, 4)), f"{word}{name}{sure}"


def _show_confidence(mistake: Mistake) -> str:
    # 99.95% is not certain.
    return f"{math.floor(float(mistake['confidence']) * 1000) / 10:.1f}%"


def decode_image(text: str) -> NDArray[np.uint8]:
    """Return the pixels of a PNG in base64: (height, width), or (height, width, 3)."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
        plain = image if image.mode in ("L", "RGB") else image.convert("RGB")
        return np.asarray(plain, dtype=np.uint8)


def _draw_texts(title: str, subtitle: str, mistakes: Sequence[Mistake]) -> Figure:
    shown = mistakes[:_TEXTS]
    cells = int(_WIDTH / CELL_INCHES)
    blocks = [
        wrap_text(clean(mistake["text"], longest=2_100), cells, most=_LINES_OF_TEXT)
        for mistake in shown
    ]
    step, head, gap = 0.165, 0.22, 0.2
    height = sum(head + step * len(block) + gap for block in blocks)
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=height)
    y = 0.0
    for mistake, block in zip(shown, blocks, strict=True):
        _write_heading(axes, mistake, y)
        y += head
        for line in block:
            write_words(axes, [(line, INK)], x=0, y=y, colour=INK)
            y += step
        axes.plot([0, _WIDTH], [y + gap / 3, y + gap / 3], color=RULE, linewidth=0.6)
        y += gap
    return figure


def _write_heading(axes: Axes, mistake: Mistake, y: float) -> None:
    style: dict[str, Any] = {"va": "top", "fontsize": 9, "fontweight": "bold"}
    true, predicted = mistake["true"], mistake["predicted"]
    if "confidence" in mistake:
        said = f"predicted {shorten(predicted, 30)} ({_show_confidence(mistake)})"
        known = f"true {shorten(true, 30)}"
    else:
        said = f"predicted {format_number(float(predicted))}"
        known = f"true {format_number(float(true))}"
    axes.text(0, y, known, color=BEST, **style)
    axes.text(2.7, y, said, color=VALIDATION, **style)
    name = shorten(mistake["id"], 40)
    axes.text(_WIDTH, y, name, color=FAINT, va="top", ha="right", fontsize=8.5)


def _draw_table(title: str, subtitle: str, mistakes: Sequence[Mistake]) -> Figure:
    shown = mistakes[:_TABLE_ROWS]
    columns = _make_columns(shown)
    cells = int(_WIDTH / CELL_INCHES)
    kept, used = [], 0
    for heading, values in columns:
        width = max(map(len, (heading, *values)))
        if used + width > cells:
            break
        kept.append((heading, values, width))
        used += width + 2
    left_out = len(columns) - len(kept)
    if left_out:
        subtitle += f" · {len(columns) - left_out - 4} of {len(columns) - 4} features"
    step = 0.2
    height = step * (len(shown) + 1) + 0.1
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=height)
    x = 0.0
    for heading, values, width in kept:
        end = x + width * CELL_INCHES
        style: dict[str, Any] = {"va": "top", "fontsize": MONOSPACE_POINTS, "family": "monospace"}
        axes.text(end, 0, heading, ha="right", color=FAINT, **style)
        for number, value in enumerate(values):
            y = step * (number + 1) + 0.08
            axes.text(end, y, value, ha="right", color=INK, **style)
        x = end + 2 * CELL_INCHES
    axes.plot([0, _WIDTH], [step, step], color=RULE, linewidth=0.8)
    return figure


def _make_columns(mistakes: Sequence[Mistake]) -> list[tuple[str, list[str]]]:
    """Return the columns' headings and values: id, true, predicted, confidence or error, then the
    features."""
    number = "confidence" if "confidence" in mistakes[0] else "error"
    columns = [
        ("row", [shorten(each["id"], 20) for each in mistakes]),
        ("true", [_show_value(each["true"]) for each in mistakes]),
        ("predicted", [_show_value(each["predicted"]) for each in mistakes]),
        (
            number,
            [
                _show_confidence(each) if number == "confidence" else _show_value(each["error"])
                for each in mistakes
            ],
        ),
    ]
    for position, (name, _) in enumerate(mistakes[0]["features"]):
        values = [_show_value(each["features"][position][1]) for each in mistakes]
        columns.append((fit(shorten(name, 14), min(len(clean(name)), 14)), values))
    return columns


def _show_value(value: Any) -> str:
    return shorten(value, 20) if isinstance(value, str) else format_number(float(value))
