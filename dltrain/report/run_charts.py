"""Which charts does the page of a run have, and what do they show?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dltrain.report.charts import Axis, Chart, Series, make_chart
from dltrain.report.curves import GRID, ClassCurves, compute_class_curves, compute_reliability
from dltrain.runs.predictions import Predictions

# As many as there are colours; of more classes the hardest are drawn.
MOST_CLASSES = 10

# Points of predicted against true; more would only cover each other.
MOST_POINTS = 1_000

_NOT_METRICS = ("epoch", "seconds", "learning_rate")
_UNIT = (0.0, 1.0)


def chart_history(history: Sequence[Mapping[str, float]], best_epoch: int | None) -> list[Chart]:
    """Return a chart for the loss and each metric, training against validation; then the rate."""
    if not history:
        return []
    columns = dict.fromkeys(name for row in history for name in row)
    epochs = [row["epoch"] for row in history]
    best = None if best_epoch is None else (best_epoch, f"best: {best_epoch}")
    told_best = "" if best_epoch is None else f" The best epoch is {best_epoch}."
    names = dict.fromkeys(name.removeprefix("val_") for name in columns if name not in _NOT_METRICS)
    charts = []
    for number, name in enumerate(names):
        series = [
            Series(label, [row.get(column) for row in history])
            for label, column in (("training", name), ("validation", f"val_{name}"))
            if column in columns
        ]
        summary = f"{_spell(name)} after each of {len(epochs)} epochs, " + " and ".join(
            f"{one.name} {_tell_ends(one.values)}" for one in series
        )
        charts.append(
            make_chart(
                f"history-{number}",
                _spell(name),
                x=Axis("epoch", "whole"),
                y=Axis(),
                xs=epochs,
                series=series,
                summary=f"{summary}.{told_best}",
                mark=best,
            )
        )
    if "learning_rate" in columns:
        rates = [row.get("learning_rate") for row in history]
        charts.append(
            make_chart(
                "learning-rate",
                "Learning rate",
                x=Axis("epoch", "whole"),
                y=Axis(),
                xs=epochs,
                series=[Series("learning rate", rates)],
                summary=f"Learning rate at the end of each epoch, {_tell_ends(rates)}.",
                mark=best,
            )
        )
    return charts


def chart_classes(predictions: Predictions, *, split: str) -> list[Chart]:
    """Return ROC, precision-recall and reliability of a classifier's probabilities."""
    probabilities = predictions.probabilities
    if probabilities is None or not len(predictions):
        return []
    chosen, note = _choose_classes(predictions)
    charts = []
    if chosen:
        charts += [_chart_roc(chosen, split, note), _chart_precision(chosen, split, note)]
    confidence = probabilities[np.arange(len(predictions)), predictions.predicted]
    found = compute_reliability(confidence, predictions.true == predictions.predicted)
    summary = (
        f"How often the model was right on {split}, by how sure it was. The expected calibration "
        f"error is {found.error:.3f}."
    )
    series = [
        Series("share that was right", found.accuracy.tolist()),
        Series("as sure as right", found.confidence.tolist(), "reference"),
        Series("rows", found.rows.tolist(), "told"),
    ]
    charts.append(
        make_chart(
            "reliability",
            "Reliability",
            x=Axis("confidence (mean of a bin)", domain=_UNIT),
            y=Axis("right", domain=_UNIT),
            xs=found.confidence.tolist(),
            series=series,
            summary=summary,
            note=f"Expected calibration error {found.error:.3f}. Below the dotted line the model "
            "is surer than it should be.",
        )
    )
    return charts


def chart_regression(predictions: Predictions, *, split: str) -> list[Chart]:
    """Return predicted against true values, of at most MOST_POINTS rows."""
    rows = len(predictions)
    if not rows:
        return []
    shown = np.linspace(0, rows - 1, min(rows, MOST_POINTS)).astype(np.int64)
    shown = shown[np.argsort(predictions.true[shown], kind="stable")]
    true, predicted = predictions.true[shown], predictions.predicted[shown]
    which = f"{len(shown):,} of {rows:,} rows" if len(shown) < rows else f"{rows:,} rows"
    ends = (float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max())))
    return [
        make_chart(
            "predicted",
            "Predicted against true",
            x=Axis("true", domain=ends),
            y=Axis("predicted", domain=ends),
            xs=true.tolist(),
            series=[
                Series("predicted", predicted.tolist(), "points"),
                Series("right", true.tolist(), "reference"),
            ],
            summary=f"Predicted against true values on {split}, {which}.",
            note=f"On {split}, {which}. On the dotted line a prediction is right.",
        ),
        make_chart(
            "residuals",
            "Errors",
            x=Axis("true", domain=ends),
            y=Axis("predicted − true"),
            xs=true.tolist(),
            series=[
                Series("error", (predicted - true).tolist(), "points"),
                Series("none", [0.0] * len(true), "reference"),
            ],
            summary=f"Predicted minus true value by true value on {split}, {which}.",
            note="A slope means that large values are predicted too small.",
        ),
    ]


def _choose_classes(predictions: Predictions) -> tuple[list[tuple[str, ClassCurves]], str]:
    """Return the curves to draw, and which they are where that isn't all of them."""
    names, probabilities = predictions.class_names, predictions.probabilities
    assert probabilities is not None
    numbers = [1] if len(names) == 2 else range(len(names))
    if len(names) > MOST_CLASSES:
        numbers = _find_hardest(predictions)
    found = [
        (names[number], curves)
        for number in numbers
        if (curves := compute_class_curves(predictions.true == number, probabilities[:, number]))
    ]
    if len(names) == 2:
        return found, f"Of the class “{names[1]}”."
    if len(names) > MOST_CLASSES:
        return found, f"The {len(found)} of {len(names):,} classes that were found least often."
    return found, "Each class against all others."


def _find_hardest(predictions: Predictions) -> list[int]:
    """Return the classes of the lowest recall, the lowest first; without rows there is none."""
    classes = len(predictions.class_names)
    rows = np.bincount(predictions.true, minlength=classes)
    right = np.bincount(
        predictions.true[predictions.true == predictions.predicted], minlength=classes
    )
    recall = np.where(rows > 0, right / np.maximum(rows, 1), np.inf)
    hardest = np.argsort(recall, kind="stable")[:MOST_CLASSES]
    return [int(number) for number in hardest if rows[number]]


def _chart_roc(chosen: Sequence[tuple[str, ClassCurves]], split: str, note: str) -> Chart:
    series = [Series(f"{name} ({c.auc_roc:.3f})", c.recall.tolist()) for name, c in chosen]
    series.append(Series("chance (0.500)", GRID.tolist(), "reference"))
    return make_chart(
        "roc",
        "ROC",
        x=Axis("false positive rate", domain=_UNIT),
        y=Axis("recall (true positive rate)", domain=_UNIT),
        xs=GRID.tolist(),
        series=series,
        summary=f"ROC curves on {split}, with the area under each in brackets: "
        + ", ".join(one.name for one in series),
        note=f"{note} In brackets: the area under the curve.",
    )


def _chart_precision(chosen: Sequence[tuple[str, ClassCurves]], split: str, note: str) -> Chart:
    series = [
        Series(f"{name} ({c.average_precision:.3f})", c.precision.tolist()) for name, c in chosen
    ]
    return make_chart(
        "precision-recall",
        "Precision and recall",
        x=Axis("recall", domain=_UNIT),
        y=Axis("precision", domain=_UNIT),
        xs=GRID.tolist(),
        series=series,
        summary=f"Precision-recall curves on {split}, with the average precision in brackets: "
        + ", ".join(one.name for one in series),
        note=f"{note} In brackets: the average precision.",
    )


def _spell(name: str) -> str:
    """Return a column's name as a heading: `top_5` → `Top 5`; abbreviations stay as they are."""
    words = name.replace("_", " ")
    return (
        words.upper() if words in ("mae", "mse", "rmse", "auc") else words[:1].upper() + words[1:]
    )


def _tell_ends(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"from {known[0]:.4g} to {known[-1]:.4g}" if known else "without values"
