"""How did loss, metrics and learning rate go over the epochs? One panel each, in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.style import (
    BEST,
    FAINT,
    INK,
    TRAIN,
    VALIDATION,
    clean,
    fit_axes,
    format_number,
    make_figure,
    shorten,
)
from dltrain.plots.subject import NothingToDraw, Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

# Columns of history.csv that are no curve of the model's.
_OTHER = ("epoch", "seconds", "learning_rate")

# A learning rate that changes by more than this is drawn on a logarithmic scale; a loss needs more.
_DECADES_OF_RATE = 10.0
_DECADES_OF_LOSS = 100.0

# Up to so many epochs each is a dot too: a single epoch is no line.
_DOTTED = 30

_MOST_PANELS = 12


def draw_curves(subject: Subject) -> Figure:
    """Draw a panel for the loss, for every metric and for the learning rate, over the epochs."""
    rows = subject.contents.history
    if not rows:
        raise NothingToDraw(f"{subject.contents.paths.history} has no epoch.")
    epochs = np.array([row.get("epoch", number) for number, row in enumerate(rows, 1)], float)
    names = _find_names(rows)
    if len(names) > _MOST_PANELS:
        subject.remarks.append(
            f"curves: only the first {_MOST_PANELS} of {len(names)} metrics have a panel."
        )
        names = names[:_MOST_PANELS]
    best = subject.contents.best_epoch
    best = best if best in epochs else None
    has_rate = any("learning_rate" in row for row in rows)
    panels = len(names) + has_rate
    columns = 1 if panels == 1 else 2 if panels <= 4 else 3
    lines = math.ceil(panels / columns)
    count = f"{len(rows)} epoch{'' if len(rows) == 1 else 's'}"
    status = subject.contents.status
    if status and len(rows) < status.epochs_done:
        count = f"only {len(rows)} of {status.epochs_done} epochs are known"
    facts = [count] if best is None else [count, f"best epoch {best}"]
    figure, top = make_figure(
        "Training curves",
        " · ".join((subject.run, *facts)),
        width=9.0 if columns < 3 else 10.6,
        height=0.8 + (4.2 if lines == 1 else 2.9 * lines),
    )
    for position, name in enumerate(names):
        axes = figure.add_subplot(lines, columns, position + 1)
        _draw_metric(axes, name, epochs, rows, best=best)
        if position >= panels - columns:
            axes.set_xlabel("epoch")
    if has_rate:
        axes = figure.add_subplot(lines, columns, panels)
        _draw_rate(axes, epochs, _column(rows, "learning_rate"), best=best)
        axes.set_xlabel("epoch")
    fit_axes(figure, top)
    return figure


def _find_names(rows: Sequence[dict[str, float]]) -> list[str]:
    """Return the loss and the metrics, each once for training and validation together."""
    columns = dict.fromkeys(name for row in rows for name in row)
    names = (
        name.removeprefix("val_") if name.startswith("val_") else name
        for name in columns
        if name not in _OTHER
    )
    return list(dict.fromkeys(names))


def _column(rows: Sequence[dict[str, float]], name: str) -> Floats:
    values = np.array([row.get(name, math.nan) for row in rows], dtype=np.float64)
    values[~np.isfinite(values)] = math.nan
    return values


def _draw_metric(
    axes: Axes,
    name: str,
    epochs: Floats,
    rows: Sequence[dict[str, float]],
    *,
    best: int | None,
) -> None:
    curves = [
        (label, colour, _column(rows, column))
        for label, colour, column in (
            ("training", TRAIN, name),
            ("validation", VALIDATION, f"val_{name}"),
        )
        if any(column in row for row in rows)
    ]
    known = np.concatenate([values[np.isfinite(values)] for _, _, values in curves])
    _scale(axes, known, threshold=_DECADES_OF_LOSS if name == "loss" else math.inf)
    title = shorten(name, 40)
    if best is not None:
        at_best = curves[-1][2][epochs == best]
        _mark_best(axes, epochs, best)
        if len(at_best) and math.isfinite(at_best[0]):
            title += f"   {format_number(float(at_best[0]))} at epoch {best}"
            axes.plot([best], at_best, "o", color=BEST, markersize=7, zorder=4)
    axes.set_title(title, color=INK, fontweight="bold")
    for _, colour, values in curves:
        _draw_line(axes, epochs, values, colour)
    _limit(axes, epochs, known)
    _label_ends(axes, epochs, curves)
    if not len(known):
        _say(axes, "no finite value")
    elif len(known) < len(curves) * len(epochs):
        lost = sorted({int(epoch) for _, _, v in curves for epoch in epochs[~np.isfinite(v)]})
        _say(axes, f"no finite value in epoch {_list_epochs(lost)}", small=True)


def _draw_rate(axes: Axes, epochs: Floats, rate: Floats, *, best: int | None) -> None:
    known = rate[np.isfinite(rate)]
    _scale(axes, known, threshold=_DECADES_OF_RATE)
    axes.set_title("learning rate", color=INK, fontweight="bold")
    if best is not None:
        _mark_best(axes, epochs, best)
    _draw_line(axes, epochs, rate, FAINT)
    _limit(axes, epochs, known)
    _label_ends(axes, epochs, [("", FAINT, rate)])


def _draw_line(axes: Axes, epochs: Floats, values: Floats, colour: str) -> None:
    marker = "o" if len(epochs) <= _DOTTED else ""
    axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, zorder=3)


def _mark_best(axes: Axes, epochs: Floats, best: int) -> None:
    axes.axvline(best, color=BEST, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
    # Beside the line, on the side with more room, where the axes end: nothing else is there.
    right = best <= (epochs[0] + epochs[-1]) / 2
    axes.annotate(
        f"best epoch {best}",
        (best, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4 if right else -4, -1),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        color=BEST,
        fontsize=8.5,
    )


def _scale(axes: Axes, known: Floats, *, threshold: float) -> None:
    """Choose a logarithmic scale where the values span more than `threshold`; name its ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if len(known) and known.min() > 0 and known.max() / known.min() >= threshold:
        axes.set_yscale("log")
        span = math.log10(known.max() / known.min())
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if span > 2 else (1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{_round(value):g}"))


def _round(value: float) -> float:
    """Return `value` without what binary fractions add to 0.1."""
    return float(f"{value:.6g}")


def _limit(axes: Axes, epochs: Floats, known: Floats) -> None:
    from matplotlib.ticker import MaxNLocator

    first, last = float(epochs[0]), float(epochs[-1])
    width = max(last - first, 1.0)
    # Room at the right for the lines' names.
    axes.set_xlim(first - 0.03 * width, last + 0.2 * width)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    if first == last:
        axes.set_xlim(first - 1, last + 1)
        axes.set_xticks([first])
    if not len(known):
        axes.set_yticks([])
        return
    low, high = float(known.min()), float(known.max())
    if axes.get_yscale() == "log":
        axes.set_ylim(low / (high / low) ** 0.06, high * (high / low) ** 0.16)
        return
    if low == high:  # a scale from 0, not one that enlarges nothing
        axes.set_ylim(min(0.0, 2 * low), max(0.0, 2 * high) or 1.0)
        return
    height = high - low
    axes.set_ylim(low - 0.06 * height, high + 0.16 * height)


def _label_ends(axes: Axes, epochs: Floats, curves: Sequence[tuple[str, str, Floats]]) -> None:
    """Write each line's name at its end; two that would stand on each other are moved apart."""
    ends: list[list[Any]] = []
    for label, colour, values in curves:
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            last = known[-1]
            text = label or f"{values[last]:.4g}"
            ends.append([_height_of(axes, values[last]), text, colour, epochs[last]])
    ends.sort(key=lambda end: end[0])
    apart = 0.075
    if len(ends) == 2 and ends[1][0] - ends[0][0] < apart:
        middle = (ends[0][0] + ends[1][0]) / 2
        ends[0][0], ends[1][0] = middle - apart / 2, middle + apart / 2
    for height, text, colour, epoch in ends:
        axes.annotate(
            clean(text),
            (epoch, height),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=9,
        )


def _height_of(axes: Axes, value: float) -> float:
    """Return where `value` stands between the bottom (0) and the top (1) of the axes."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _say(axes: Axes, sentence: str, *, small: bool = False) -> None:
    axes.text(
        0.02 if small else 0.5,
        0.03 if small else 0.5,
        sentence,
        transform=axes.transAxes,
        ha="left" if small else "center",
        fontsize=8.5,
        color=FAINT,
    )


def _list_epochs(epochs: Sequence[int]) -> str:
    shown = ", ".join(map(str, epochs[:4]))
    return shown if len(epochs) <= 4 else f"{shown} and {len(epochs) - 4} more"
