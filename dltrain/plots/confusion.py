"""Which classes are taken for which? The confusion matrix, of two classes or of a thousand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.style import EMPTY, FAINT, INK, SHADES, fit_axes, make_figure, shorten
from dltrain.plots.subject import NothingToDraw, Subject, name_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

# Up to so many classes a cell holds its count and its share, then the count alone, then nothing.
MOST_WITH_SHARES = 12
MOST_WITH_COUNTS = 25

_MOST_LABELS = 40
_LISTED = 12

# Cells of a picture: more classes than that are shown by the largest share of each block.
_MOST_CELLS = 1_000


def draw_confusion(subject: Subject) -> Figure:
    """Draw the confusion matrix of the run's split: rows are true, columns predicted classes.

    The shade is the share of the row. It is in metrics.json, so that runs without predictions
    have one too.
    """
    subject.require_classifier("confusion matrix")
    counts, names = _find_counts(subject)
    support = counts.sum(axis=1)
    if not counts.sum():
        raise NothingToDraw(f"The {subject.split} split has no rows.")
    shares = np.divide(
        counts, support[:, None], out=np.full(counts.shape, np.nan), where=support[:, None] > 0
    )
    empty = [str(names[index]) for index in np.flatnonzero(support == 0)]
    if empty:
        subject.remarks.append(
            f"confusion: {len(empty)} of {len(names)} classes have no rows in {subject.split} "
            f"({', '.join(shorten(name, 40) for name in empty[:5])}{', …' * (len(empty) > 5)}): "
            "their rows are left grey."
        )
    classes = len(names)
    right = np.trace(counts) / counts.sum()
    facts = subject.describe(
        f"accuracy {right:.4f}",
        *(["share of the true class in percent"] if classes <= MOST_WITH_SHARES else []),
    )
    with_cells = classes <= MOST_WITH_COUNTS
    figure, top = make_figure(
        "Confusion matrix",
        facts,
        width=9.4 if with_cells else 10.6,
        height={True: 5.4 if classes <= 3 else 8.6, False: 8.6}[with_cells],
    )
    axes = figure.add_subplot() if with_cells else figure.add_subplot(1, 10, (1, 7))
    _shade(figure, axes, shares, many=not with_cells)
    _name_axes(axes, names, support)
    if with_cells:
        _write_cells(axes, counts, shares)
    else:
        _list_confusions(figure.add_subplot(1, 10, (8, 10)), counts, shares, names)
    fit_axes(figure, top)
    return figure


def _find_counts(subject: Subject) -> tuple[Counts, list[str]]:
    """Return the counts (true, predicted) and the names, from metrics.json or the predictions."""
    counts = np.asarray(subject.scores.get("confusion_matrix") or [], dtype=np.int64)
    names = list(subject.scores.get("classes") or [])
    if len(names) and counts.shape == (len(names), len(names)):
        return counts, names
    predictions = subject.predictions
    classes = len(predictions.class_names)
    cells = predictions.true * classes + predictions.predicted
    counts = np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    return counts, list(predictions.class_names)


def _shade(figure: Figure, axes: Axes, shares: Floats, *, many: bool) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import FixedLocator, FuncFormatter

    classes = len(shares)
    colours = colormaps[SHADES].with_extremes(bad=EMPTY)
    # The root shows the few percent that go elsewhere, which is what one looks for.
    norm = PowerNorm(0.5 if many else 1, 0, 1)
    image = axes.imshow(
        _pool(shares),
        cmap=colours,
        norm=norm,
        extent=(-0.5, classes - 0.5, classes - 0.5, -0.5),
        aspect="equal" if classes > 3 else "auto",
    )
    axes.grid(False)
    axes.set_anchor("NW")
    for spine in axes.spines.values():
        spine.set_visible(many)
    axes.tick_params(length=0)
    if not many:  # the numbers are in the cells
        return
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.7, pad=0.01, aspect=40)
    bar.outline.set_visible(False)
    bar.set_label("share of the true class (square-root scale)")
    bar.ax.xaxis.set_major_locator(FixedLocator([0, 0.01, 0.05, 0.1, 0.25, 0.5, 1]))
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    bar.ax.minorticks_off()


def _pool(shares: Floats) -> Floats:
    """Return the largest share of each block, where there are more cells than a picture has."""
    block = math.ceil(len(shares) / _MOST_CELLS)
    if block == 1:
        return shares
    size = math.ceil(len(shares) / block) * block
    padded = np.full((size, size), np.nan)
    padded[: len(shares), : len(shares)] = shares
    blocks = padded.reshape(size // block, block, size // block, block)
    filled = np.where(np.isnan(blocks), -1.0, blocks).max(axis=(1, 3))
    pooled: Floats = np.where(filled < 0, np.nan, filled)
    return pooled


def _name_axes(axes: Axes, names: list[str], support: Counts) -> None:
    classes = len(names)
    every = math.ceil(classes / _MOST_LABELS)
    # A step that people count in.
    every = next(step for step in (1, 2, 5, 10, 20, 25, 50, 100, 10**9) if step >= every)
    places = list(range(0, classes, every))
    longest = 26 if classes <= MOST_WITH_COUNTS else 18
    labels = name_classes([names[place] for place in places], longest=longest)
    size = 9 if classes <= MOST_WITH_SHARES else 7.5
    down = [
        label if support[place] else f"{label} (no rows)"
        for place, label in zip(places, labels, strict=True)
    ]
    axes.set_yticks(places, down, fontsize=size, color=INK)
    wide = max(map(len, labels)) * min(classes, _MOST_LABELS) > 75
    steep = 90 if classes > MOST_WITH_SHARES else 40
    axes.set_xticks(
        places,
        labels,
        fontsize=size,
        color=INK,
        rotation=steep if wide else 0,
        ha="right" if wide and steep != 90 else "center",
        rotation_mode="anchor" if wide and steep != 90 else "default",
    )
    hint = "" if every == 1 else f" (every {every}th is named)"
    axes.set_xlabel("predicted class" + hint)
    axes.set_ylabel("true class" + hint)


def _write_cells(axes: Axes, counts: Counts, shares: Floats) -> None:
    classes = len(counts)
    both = classes <= MOST_WITH_SHARES
    size = 15 if classes <= 3 else 10 if classes <= 6 else 8 if both else 6.5
    if counts.max() >= 10_000 and classes > 6:
        size -= 1
    for row, column in np.ndindex(counts.shape):
        count, share = int(counts[row, column]), shares[row, column]
        if math.isnan(share):
            continue
        colour = "white" if share > 0.55 else INK if count else FAINT
        text: Any = f"{count:,}"
        if both and count:
            text += f"\n{share:.1%}"
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def _list_confusions(axes: Axes, counts: Counts, shares: Floats, names: list[str]) -> None:
    """Write beside a matrix too fine to read which confusions are the most frequent."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    flat = np.argsort(-wrong, axis=None, kind="stable")[:_LISTED]
    axes.set_axis_off()
    axes.text(0, 1, "Most frequent confusions", va="top", fontweight="bold", fontsize=9.5)
    height = 0.95
    for cell in flat.tolist():
        row, column = divmod(cell, len(counts))
        if not wrong[row, column]:
            break
        axes.text(
            0,
            height,
            f"{shorten(names[row], 30)}\n  → {shorten(names[column], 28)}",
            va="top",
            fontsize=8.5,
        )
        amount = f"    {int(wrong[row, column]):,} ({shares[row, column]:.0%} of the class)"
        axes.text(0, height - 0.045, amount, va="top", fontsize=8, color=FAINT)
        height -= 0.078
    if height == 0.95:
        axes.text(0, height, "none: every row is right", va="top", fontsize=8.5)
    axes.set(xlim=(0, 1), ylim=(0, 1))
