"""How far are predicted numbers from the true ones, and where? Two pictures of a regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.style import FAINT, INK, RULE, TRAIN, VALIDATION, fit_axes, make_figure
from dltrain.plots.style import format_number as show
from dltrain.plots.subject import NothingToDraw, Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

# From so many points on they are one image within an SVG, which otherwise takes 100 bytes for each.
_RASTERIZED = 1_000


def draw_predicted(subject: Subject) -> Figure:
    """Draw the predicted against the true values."""
    true, predicted = _find_values(subject)
    figure, top = make_figure(
        "Predicted against true", subject.describe(*_facts(subject)), width=8, height=7.4
    )
    axes = figure.add_subplot()
    _scatter(axes, true, predicted)
    low = float(min(true.min(), predicted.min()))
    high = float(max(true.max(), predicted.max()))
    room = 0.04 * (high - low) or 1.0
    limits = (low - room, high + room)
    axes.plot(limits, limits, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        "predicted = true",
        (high, high),
        xytext=(-10, -2),
        textcoords="offset points",
        ha="right",
        va="center",
        color=FAINT,
        fontsize=9,
    )
    axes.set(
        xlim=limits, ylim=limits, aspect="equal", anchor="W", xlabel="true", ylabel="predicted"
    )
    _format_ticks(axes)
    fit_axes(figure, top)
    return figure


def draw_residuals(subject: Subject) -> Figure:
    """Draw the residuals (predicted - true) against the predicted values, and their histogram."""
    true, predicted = _find_values(subject)
    residuals = predicted - true
    mean, deviation = float(residuals.mean()), float(residuals.std())
    facts = f"mean {show(mean)}, standard deviation {show(deviation)}"
    figure, top = make_figure("Residuals", subject.describe(facts), height=5.4)
    axes = figure.add_subplot(1, 3, (1, 2))
    _scatter(axes, predicted, residuals)
    axes.axhline(0, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set(xlabel="predicted", ylabel="residual: predicted − true")
    beside = figure.add_subplot(1, 3, 3, sharey=axes)
    bins = int(np.clip(np.sqrt(len(residuals)), 8, 60))
    beside.hist(residuals, bins=bins, orientation="horizontal", color=RULE)
    beside.axhline(0, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    beside.axhline(mean, color=VALIDATION, linewidth=1.6)
    beside.annotate(
        f"mean {show(mean)}",
        (1, mean),
        xycoords=("axes fraction", "data"),
        xytext=(0, 5 if mean >= 0 else -5),
        textcoords="offset points",
        ha="right",
        va="bottom" if mean >= 0 else "top",
        color=VALIDATION,
        fontsize=9,
    )
    beside.tick_params(labelleft=False)
    beside.set_xlabel("rows")
    _format_ticks(axes)
    fit_axes(figure, top)
    return figure


def _find_values(subject: Subject) -> tuple[Floats, Floats]:
    if subject.task == "classification":
        raise NothingToDraw("A classifier has no residuals.", expected=True)
    predictions = subject.predictions
    if predictions.task != "regression":
        raise NothingToDraw("A classifier has no residuals.", expected=True)
    finite = np.isfinite(predictions.true) & np.isfinite(predictions.predicted)
    if not finite.any():
        raise NothingToDraw("No predicted value is finite.")
    if not finite.all():
        subject.remarks.append(f"residuals: {int((~finite).sum())} rows are not finite.")
    return predictions.true[finite], predictions.predicted[finite]


def _facts(subject: Subject) -> list[str]:
    found = []
    for key, name in (("r2", "R²"), ("rmse", "RMSE"), ("mae", "MAE")):
        value: Any = (subject.scores.get(key) or {}).get("value")
        if value is not None:
            found.append(f"{name} {show(float(value))}")
    return [", ".join(found)] if found else []


def _scatter(axes: Axes, x: Floats, y: Floats) -> None:
    """Draw a point a row, the fainter and smaller the more there are."""
    rows = len(x)
    alpha = float(np.clip(20 / np.sqrt(rows), 0.08, 0.8))
    size = 26 if rows < 500 else 12 if rows < 5_000 else 6
    axes.scatter(
        x, y, s=size, color=TRAIN, alpha=alpha, linewidths=0, rasterized=rows > _RASTERIZED
    )


def _format_ticks(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(
            lambda value, _: f"{value:,g}" if abs(value) < 1e6 else f"{value:g}"
        )
