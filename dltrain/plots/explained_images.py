"""Which pixels speak for a class? Each image beside the maps of each method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.canvas import open_canvas, put_image
from dltrain.plots.cells import CELL_INCHES
from dltrain.plots.style import BEST, FAINT, INK, TRAIN, VALIDATION, format_number, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dltrain.explanation.explained import ExplainedRow

_WIDTH = 9.4
_LABELS = 1.95
_LINE = 0.175
_LARGEST_SIDE = 1.6

# What speaks for the class, and what against it.
FOR, AGAINST = VALIDATION, TRAIN

TITLES = {
    "saliency": "saliency",
    "integrated_gradients": "integrated gradients",
    "grad_cam": "Grad-CAM",
    "occlusion": "occlusion",
}


def draw_explained_images(
    title: str, subtitle: str, rows: Sequence[ExplainedRow], methods: Sequence[str]
) -> Figure:
    """Draw a line for each row: what is known of it, the image, and each method's map."""
    room = (_WIDTH - _LABELS) / (1 + len(methods))
    side = min(room - 0.1, _LARGEST_SIDE)
    line = max(side + 0.14, 6 * _LINE + 0.1)
    head = 0.62
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=head + len(rows) * line)
    write_legend(axes, "each map has its own scale · saliency: dark changes the score most")
    for place, name in enumerate(("image", *(TITLES[method] for method in methods))):
        axes.text(_LABELS + place * room, 0.34, name, va="top", fontsize=9, color=FAINT)
    for number, row in enumerate(rows):
        y = head + number * line
        _write_facts(axes, row, y)
        assert row.pixels is not None
        put_image(axes, row.pixels, x=_LABELS, y=y, side=side)
        for place, method in enumerate(methods, 1):
            picture = paint_map(method, row.maps[method], row.pixels)
            put_image(axes, picture, x=_LABELS + place * room, y=y, side=side)
    return figure


def write_legend(axes: Axes, rest: str, *, of: str = "speaks {} the class") -> None:
    """Write which colour speaks for what is explained and which against it, and `rest`.

    `of` is what they say of a class, or `{} the value` of a regression.
    """
    words = ("for", "against") if "speaks" in of else ("raises", "lowers")
    style: dict[str, Any] = {"va": "top", "fontsize": 9}
    axes.text(0, 0, f"■ {of.format(words[0])}", color=FOR, **style)
    axes.text(1.6, 0, f"■ {of.format(words[1])}", color=AGAINST, **style)
    axes.text(3.5, 0, rest, color=FAINT, **style)


def _write_facts(axes: Axes, row: ExplainedRow, y: float) -> None:
    letters = int(_LABELS / CELL_INCHES)
    style: dict[str, Any] = {"va": "top", "fontsize": 8.5}
    lines = [(shorten(row.id, letters), FAINT), *describe_verdict(row, letters)]
    if row.completeness is not None:
        lines.append((describe_gap(row), FAINT))
    for number, (text, colour) in enumerate(lines):
        axes.text(0, y + number * _LINE, text, color=colour, **style)


def describe_verdict(row: ExplainedRow, letters: int) -> list[tuple[str, str]]:
    """Return the true and the predicted value, and what is explained, each with its colour."""
    sure = "" if row.confidence is None else f" ({math.floor(row.confidence * 1000) / 10:.1f}%)"
    right = row.confidence is None or row.true == row.predicted
    lines = [
        (f"true {shorten(row.true, letters - 6)}", BEST),
        (
            f"predicted {shorten(row.predicted, max(letters - 10 - len(sure), 4))}{sure}",
            BEST if right else VALIDATION,
        ),
    ]
    if not row.explained:  # of a regression the score is what it predicts
        return lines
    name = shorten(row.explained, max(letters - 17, 4))
    return [*lines, (f"score of {name}: {format_number(row.score)}", INK)]


def describe_gap(row: ExplainedRow) -> str:
    """Return how well the attributions of integrated gradients sum to the difference."""
    assert row.completeness is not None
    measured = row.completeness
    said = "" if measured.is_met else "!"
    return f"sums to within {format_gap(measured.gap)}{said}"


def format_gap(gap: float) -> str:
    """Return a share as percent, two digits of it: 0.31%."""
    if not math.isfinite(gap):
        return "∞"
    return "0.01%" if gap < 1e-4 else f"{100 * gap:.2g}%"


def paint_map(method: str, found: NDArray[Any], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a map `(height, width)` as colours `(height, width, 3)` uint8, by its own scale.

    Saliency goes from white to dark, Grad-CAM lies over the image, and the others have a colour for
    each sign.
    """
    size = float(np.abs(found).max())
    shares = np.asarray(found, dtype=np.float64) / (size if size > 0 else 1.0)
    if method == "grad_cam":
        grey = pixels.astype(np.float64)
        grey = grey.mean(axis=-1) if grey.ndim == 3 else grey
        under = np.repeat((255 - 0.45 * (255 - grey))[..., None], 3, axis=-1)
        return _mix(under, FOR, 0.85 * np.clip(shares, 0, 1))
    white = np.full((*found.shape, 3), 255.0)
    if method == "saliency":
        return _mix(white, INK, np.clip(shares, 0, 1))
    painted = _mix(white, FOR, np.clip(shares, 0, 1)).astype(np.float64)
    return _mix(painted, AGAINST, np.clip(-shares, 0, 1))


def _mix(under: NDArray[Any], colour: str, alpha: NDArray[Any]) -> NDArray[np.uint8]:
    over = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float64)
    mixed = under * (1 - alpha[..., None]) + over * alpha[..., None]
    return np.asarray(np.rint(mixed), dtype=np.uint8)
