"""How good is a model on one group of rows and on another? `eval --slice COLUMN`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.evaluation.decisions import count_cells, divide, score_rates, to_value
from dltrain.evaluation.gaps import find_gap, find_p_value, permute_means, permute_rates
from dltrain.evaluation.intervals import (
    Floats,
    Integers,
    make_number,
    resample_cells,
    score_cells,
    wilson_interval,
)
from dltrain.evaluation.regression import compute_errors, resample_errors
from dltrain.evaluation.slice_columns import Grouping
from dltrain.runs.predictions import Predictions

FEW_ROWS = 30
"""A group of fewer rows is marked: its numbers say little."""

TWO_CLASSES = ("accuracy", "f1_macro", "precision", "recall", "false_positive_rate")
MANY_CLASSES = ("accuracy", "f1_macro")
# Within one true class precision is 1, and an average over classes has one term.
ONE_CLASS = ("accuracy",)
ERRORS = ("mae", "rmse", "r2")

Scored = tuple[dict[str, dict[str, float | None]], dict[str, Floats]]


def score_slice(
    grouping: Grouping,
    predictions: Predictions,
    *,
    predicted: Integers | None = None,
    threshold: float | None = None,
) -> dict[str, Any]:
    """Return the JSON-able numbers of each group, and how far the groups are apart.

        {"column": name, "kind": "quartiles" | "categories" | "classes",
         "threshold": x | null,
         "metrics": ["accuracy", ...],
         "groups": [{"group": label, "rows": n, "small": bool,
                     "numbers": {metric: NUMBER}}],
         "gaps": {metric: {"value", "low", "high", "best", "worst", "p_value"} | null}}

    `predicted` `(n,)`, the classes by `threshold`, take the place of the most probable ones.
    Accuracy, and for two classes precision, recall and the false positive rate of class 1; in a
    regression the errors. What doesn't exist in a group is null; `gaps` are as in `gaps`, null for
    fewer than two groups, their "p_value" null for F1 and R², which are no means over rows.
    """
    scored, metrics = _score_groups(grouping, predictions, predicted)
    sizes = np.bincount(grouping.members, minlength=len(grouping.labels))
    permuted = _permute(grouping, predictions, predicted, metrics)
    gaps = {}
    for metric in metrics:
        numbers = [numbers[metric] for numbers, _ in scored]
        samples = [samples.get(metric) for _, samples in scored]
        gap = find_gap(metric, grouping.labels, numbers, samples, p_value=None)
        if gap is not None:
            gap["p_value"] = find_p_value(gap["value"], permuted.get(metric))
        gaps[metric] = gap
    groups = [
        {"group": label, "rows": int(rows), "small": bool(rows < FEW_ROWS), "numbers": numbers}
        for label, rows, (numbers, _) in zip(grouping.labels, sizes, scored, strict=True)
    ]
    return {
        "column": grouping.column,
        "kind": grouping.kind,
        "threshold": threshold,
        "metrics": list(metrics),
        "groups": groups,
        "gaps": gaps,
    }


def _score_groups(
    grouping: Grouping, predictions: Predictions, predicted: Integers | None
) -> tuple[list[Scored], tuple[str, ...]]:
    """Return the numbers of each group and their values on its resamples; and the metrics."""
    order = np.argsort(grouping.members, kind="stable")
    ends = np.cumsum(np.bincount(grouping.members, minlength=len(grouping.labels)))
    rows = np.split(order, ends[:-1])
    true: NDArray[Any] = predictions.true
    answers: NDArray[Any] = predictions.predicted if predicted is None else predicted
    if predictions.task == "regression":
        scored = [_score_errors(true[each], answers[each], at) for at, each in enumerate(rows)]
        return scored, ERRORS
    metrics: tuple[str, ...] = MANY_CLASSES if len(predictions.class_names) > 2 else TWO_CLASSES
    if grouping.kind == "classes":
        metrics = ONE_CLASS
    return [
        _score_classes(true[each], answers[each], metrics, seed=at) for at, each in enumerate(rows)
    ], metrics


def _score_errors(true: Floats, predicted: Floats, seed: int) -> Scored:
    if not len(true):
        return {name: make_number(None) for name in ERRORS}, {}
    points, samples = compute_errors(true, predicted), resample_errors(true, predicted, seed=seed)
    return {name: make_number(points[name], samples[name]) for name in ERRORS}, samples


def _score_classes(
    labels: Integers, predicted: Integers, metrics: tuple[str, ...], *, seed: int
) -> Scored:
    if not len(labels):
        return {name: make_number(None) for name in metrics}, {}
    numbers: dict[str, dict[str, float | None]] = {}
    samples: dict[str, Floats] = {}
    if metrics == TWO_CLASSES:
        names = [name for name in metrics if name != "f1_macro"]
        numbers, samples = score_rates(count_cells(labels, predicted), names=names, seed=seed)
    else:
        right = int((labels == predicted).sum())
        low, high = wilson_interval(right, len(labels))
        numbers["accuracy"] = {"value": right / len(labels), "low": low, "high": high}
    if "f1_macro" in metrics:
        # Of a thousand classes a group may have a few: the others' cells are empty.
        found, packed = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
        cells = count_cells(packed[: len(labels)], packed[len(labels) :], classes=len(found))
        point = score_cells(cells[np.newaxis].astype(np.float64))["f1_macro"][0]
        drawn = resample_cells(cells, _compute_f1, seed=seed)
        samples["f1_macro"] = drawn["f1_macro"]
        numbers["f1_macro"] = make_number(to_value(point), drawn["f1_macro"])
    return {name: numbers[name] for name in metrics}, samples


def _compute_f1(cells: Floats) -> dict[str, Floats]:
    return {"f1_macro": score_cells(cells)["f1_macro"]}


def _permute(
    grouping: Grouping,
    predictions: Predictions,
    predicted: Integers | None,
    metrics: tuple[str, ...],
) -> dict[str, Floats | None]:
    """Return metric → the gaps between groups drawn at random, for metrics that are means."""
    true, members, groups = predictions.true, grouping.members, len(grouping.labels)
    answers = predictions.predicted if predicted is None else predicted
    if predictions.task == "regression":
        errors = np.abs(true - answers)
        return {
            "mae": permute_means(errors, members, groups=groups),
            "rmse": permute_means(errors**2, members, groups=groups, root=True),
        }
    kinds = {
        "accuracy": (true == answers, np.ones(len(true), dtype=bool)),
        "precision": (true == 1, answers == 1),
        "recall": (answers == 1, true == 1),
        "false_positive_rate": (answers == 1, true == 0),
    }
    return {
        name: permute_rates(*count_hits(hit, among, members, groups=groups))
        for name, (hit, among) in kinds.items()
        if name in metrics
    }


def count_hits(
    hit: Any, among: Any, members: Integers, *, groups: int
) -> tuple[Integers, Integers]:
    """Return for each group how many of its rows in `among` are hits, and how many there are."""
    hits = np.bincount(members[hit & among], minlength=groups)
    return hits.astype(np.int64), np.bincount(members[among], minlength=groups).astype(np.int64)


def compute_group_rates(hits: Integers, totals: Integers) -> list[float | None]:
    """Return each group's rate, None where it has no rows."""
    return [to_value(rate) for rate in divide(hits, totals)]
