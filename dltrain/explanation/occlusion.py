"""How far does the score fall when a part of the image is covered? Occlusion.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", arXiv:1311.2901,
section 4.2: a square slides over the image, and the class's score is watched.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dltrain.explanation.gradients import Floats

# A sixth of the image is about a part of an object, or of a digit; it moves by half of itself.
_SIDES_OF_AN_IMAGE = 6


def choose_patch(height: int, width: int) -> tuple[int, int]:
    """Return the side of the square and by how much it moves, in pixels."""
    side = max(1, round(min(height, width) / _SIDES_OF_AN_IMAGE))
    return side, max(1, side // 2)


def compute_occlusion(
    score: Callable[[Floats, Floats], Floats], image: Floats, weights: Floats, *, fill: float
) -> Floats:
    """Return `(height, width)`: the mean fall of the score over all squares that cover a pixel.

    `score` is of `score_inputs`, `image` `(height, width, channels)` has the dataset's own values,
    `fill` covers it, and `weights` `(units,)` are those of the score. Below 0 the score rose.
    """
    height, width, _ = image.shape
    side, step = choose_patch(height, width)
    places = [
        (top, left)
        for top in _list_places(height, side, step)
        for left in _list_places(width, side, step)
    ]
    whole = score(image[None], weights[None])[0]
    falls = []
    # A few hundred copies of a large image would be gigabytes.
    for at in range(0, len(places), 64):
        part = places[at : at + 64]
        rows = np.repeat(image[None], len(part), axis=0)
        for row, (top, left) in zip(rows, part, strict=True):
            row[top : top + side, left : left + side] = fill
        falls.append(whole - score(rows, np.repeat(weights[None], len(part), axis=0)))
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for (top, left), fall in zip(places, np.concatenate(falls), strict=True):
        total[top : top + side, left : left + side] += fall
        count[top : top + side, left : left + side] += 1
    return (total / count).astype(np.float32)


def _list_places(length: int, side: int, step: int) -> list[int]:
    """Return where the square begins along one axis; the last one ends with the image."""
    places = list(range(0, length - side + 1, step))
    if places[-1] != length - side:
        places.append(length - side)
    return places
