"""How is a confusion matrix shown: as a table, or, of many classes, as a picture and a list?"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A wider table fits no screen.
MOST_COLUMNS = 20

# How many confusions are listed of a matrix that is shown as a picture.
LONGEST_LIST = 50

# Shades of a cell; page.css has a class for each.
SHADES = 10

# Pixels of the picture's longer side; more classes share a pixel.
_LARGEST_SIDE = 1_000


@dataclass(frozen=True)
class Cell:
    """Hold one cell; `share` is of the true class's rows, `shade` 0..SHADES shows it."""

    true: int
    predicted: int
    rows: int
    share: float
    shade: int


@dataclass(frozen=True)
class Confusion:
    """Hold what the page shows: `cells` as a table, or else `picture` (a PNG in base64) and list.

    `worst` are the most frequent confusions, the most frequent first.
    """

    classes: list[str]
    cells: list[list[Cell]]
    picture: str
    worst: list[Cell]
    confusions: int
    """How many cells beside the diagonal have rows."""


def make_confusion(scores: Mapping[str, Any]) -> Confusion | None:
    """Return the confusion of a split's `scores`; None if they have none."""
    classes, counts = scores.get("classes"), scores.get("confusion_matrix")
    if not classes or not counts:
        return None
    matrix = np.asarray(counts, dtype=np.int64)
    rows = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(rows, 1)
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    true, predicted = np.nonzero(wrong)
    order = np.lexsort((predicted, true, -wrong[true, predicted]))[:LONGEST_LIST]
    small = len(classes) <= MOST_COLUMNS

    def cell(i: int, j: int) -> Cell:
        share = float(shares[i, j])
        # The root shows small shares, which the confusions are.
        return Cell(i, j, int(matrix[i, j]), share, math.ceil(SHADES * math.sqrt(share)))

    indices = range(len(classes))
    return Confusion(
        classes=list(classes),
        cells=[[cell(i, j) for j in indices] for i in indices] if small else [],
        picture="" if small else _paint(shares),
        worst=[cell(int(true[k]), int(predicted[k])) for k in order],
        confusions=len(true),
    )


def _paint(shares: NDArray[np.float64]) -> str:
    """Return a PNG in base64, blue on the diagonal and orange beside it, on nothing.

    A transparent ground lets it stand on a light and a dark page.
    """
    from PIL import Image

    step = math.ceil(len(shares) / _LARGEST_SIDE)
    if step > 1:
        padding = -len(shares) % step
        padded = np.pad(shares, ((0, padding), (0, padding)))
        side = len(padded) // step
        shares = padded.reshape(side, step, side, step).max(axis=(1, 3))
    strength = np.ceil(15 * np.sqrt(shares)).astype(np.uint8)
    diagonal = np.eye(len(shares), dtype=bool)
    image = Image.fromarray(np.where(diagonal, strength, strength + 16).astype(np.uint8), "P")
    image.putpalette([59, 125, 216] * 16 + [217, 105, 15] * 16)
    # The weakest shade still shows: a single row is what one looks for.
    alphas = bytes([0, *(96 + 159 * level // 15 for level in range(1, 16))])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, transparency=alphas + alphas)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
