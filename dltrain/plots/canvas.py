"""How is a picture laid out in inches? A figure whose one axes is as large as what lies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dltrain.plots.style import RULE, make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What the two lines of the head take above, and the border beside.
HEAD = 0.85
BORDER = 0.18


def open_canvas(title: str, subtitle: str, *, width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure and axes of `width` × `height` inches: (0, 0) is at the upper left.

    One axes for all: each further one would cost as much time as the rest of the picture.
    """
    full = height + HEAD + BORDER
    figure, _ = make_figure(title, subtitle, width=width + 2 * BORDER, height=full)
    box = (BORDER / (width + 2 * BORDER), BORDER / full, width / (width + 2 * BORDER))
    axes = figure.add_axes((*box, height / full))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))
    return figure, axes


def put_image(axes: Axes, pixels: NDArray[Any], *, x: float, y: float, side: float) -> None:
    """Draw an image, (height, width) or (height, width, 3) of 0..255, within a square.

    Its upper left corner is at (`x`, `y`), in inches.
    """
    rows, columns = pixels.shape[:2]
    largest = max(rows, columns)
    width, height = side * columns / largest, side * rows / largest
    left, up = x + (side - width) / 2, y + (side - height) / 2
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(
        pixels,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + width, up + height, up),
        aspect="auto",
    )
    axes.set(xlim=limits[0], ylim=limits[1])
    edges = [left, left + width, left + width, left, left], [up, up, up + height, up + height, up]
    axes.plot(*edges, color=RULE, linewidth=0.6)
