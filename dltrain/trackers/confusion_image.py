"""How does a confusion matrix look as a small picture for a tracker?"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

# Beyond this many classes counts and names can't be read any more.
_MAX_WRITTEN = 20


def draw_confusion_matrix(
    counts: Sequence[Sequence[int]], classes: Sequence[str]
) -> tuple[int, int, bytes]:
    """Return height and width in pixels, and the PNG; rows are true classes, shaded by their share.

    A row without any rows of data is white.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = np.asarray(counts, dtype=np.int64)
    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    is_small = len(classes) <= _MAX_WRITTEN
    size = max(3.5, 1.5 + 0.5 * len(classes)) if is_small else 8.0
    # Without pyplot, which holds state of the whole process.
    figure = Figure(figsize=(size, size), dpi=100, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if is_small:
        # A dollar sign would begin a formula.
        names = [name.replace("$", r"\$") for name in classes]
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        for (row, column), count in np.ndenumerate(table):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)
    canvas.draw()
    width, height = canvas.get_width_height()
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return height, width, buffer.getvalue()
