"""Does a confidence of 0.8 mean right in 8 of 10 rows? The reliability diagram and its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.style import FAINT, INK, RULE, TRAIN, VALIDATION, fit_axes, make_figure
from dltrain.plots.subject import NothingToDraw, Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

# Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks", section 2 and
# the experiments: 15 bins of equal width.
BINS = 15


@dataclass(frozen=True)
class Calibration:
    """Hold how often the predicted class was right at which confidence.

    `edges` (bins + 1,); `counts`, `accuracy`, `confidence` (bins,), NaN for a bin without rows.
    `error` is the expected calibration error: the mean distance, weighted by rows.
    """

    edges: Floats
    counts: NDArray[np.int64]
    accuracy: Floats
    confidence: Floats
    error: float


def measure_calibration(confidence: Floats, right: NDArray[np.bool_]) -> Calibration:
    """Return the calibration of the rows' `confidence` (rows,), in 0..1, and whether it was right.

    Bin m of M holds confidences in ((m-1)/M, m/M], after Guo et al. 2017.
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.searchsorted(edges[1:-1], confidence, side="left")
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        accuracy = np.bincount(bins, weights=right, minlength=BINS) / counts
        mean = np.bincount(bins, weights=confidence, minlength=BINS) / counts
    some = counts > 0
    error = float(np.abs(accuracy - mean)[some] @ counts[some] / len(confidence))
    return Calibration(edges, counts, accuracy, mean, error)


def draw_reliability(subject: Subject) -> Figure:
    """Draw accuracy against confidence, a bar a bin, and below it how many rows each bin has."""
    subject.require_classifier("reliability diagram")
    predictions = subject.predictions
    if predictions.probabilities is None:
        raise NothingToDraw(f"{subject.contents.paths.predictions} holds no probabilities.")
    confidence = predictions.probabilities[np.arange(len(predictions)), predictions.predicted]
    right = predictions.true == predictions.predicted
    measured = measure_calibration(confidence, right)
    figure, top = make_figure(
        "Reliability",
        subject.describe(f"expected calibration error {measured.error:.4f}"),
        width=8.2,
        height=7.4,
    )
    grid = figure.add_gridspec(3, 1)
    axes = figure.add_subplot(grid[:2])
    width = 1 / BINS
    middles = measured.edges[:-1] + width / 2
    some = measured.counts > 0
    axes.bar(
        middles[some],
        measured.accuracy[some],
        width=width * 0.92,
        color=TRAIN,
        alpha=0.85,
        label="accuracy",
    )
    gap = measured.confidence - measured.accuracy
    axes.bar(
        middles[some],
        gap[some],
        bottom=measured.accuracy[some],
        width=width * 0.92,
        facecolor="none",
        edgecolor=VALIDATION,
        hatch="////",
        linewidth=1,
        label="gap to the mean confidence",
    )
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        "perfectly calibrated",
        (0.27, 0.27),
        xytext=(-6, 6),
        textcoords="offset points",
        ha="right",
        color=FAINT,
        fontsize=9,
    )
    axes.legend(loc="upper left")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    below = figure.add_subplot(grid[2], sharex=axes)
    _draw_histogram(below, measured, float(confidence.mean()), float(right.mean()))
    axes.tick_params(labelbottom=False)
    fit_axes(figure, top)
    return figure


def _draw_histogram(
    axes: object, measured: Calibration, mean_confidence: float, accuracy: float
) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    width = 1 / BINS
    middles = measured.edges[:-1] + width / 2
    axes.bar(middles, measured.counts, width=width * 0.92, color=RULE)
    for value, colour, name in (
        (mean_confidence, VALIDATION, "mean confidence"),
        (accuracy, TRAIN, "accuracy"),
    ):
        axes.axvline(value, color=colour, linewidth=1.6, label=f"{name} {value:.4f}")
    axes.legend(loc="upper left")
    axes.set_ylabel("rows")
    axes.set_xlabel(f"confidence: probability of the predicted class ({BINS} bins)")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
