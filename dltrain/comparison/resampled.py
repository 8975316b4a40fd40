"""How does each metric of several models vary over the same resampled rows?

The draws are those of `evaluation.intervals`: they depend on the number of rows alone, and every
model is scored on each of them. What needs no probabilities follows from counts of rows, so that
no metric is computed row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from dltrain.evaluation.classification import normalize_probabilities
from dltrain.evaluation.intervals import (
    RESAMPLES,
    Floats,
    Integers,
    make_auc,
    resample,
    score_counts,
)
from dltrain.runs.predictions import Predictions

NEEDS_PROBABILITIES = frozenset({"auc_roc.macro", "log_loss"})

# Metrics that follow from how many rows of which class were predicted as which.
_COUNTED = ("precision", "recall", "f1", "binary")
_ERRORS = ("r2", "rmse", "mae", "mse")


def resample_metrics(
    models: Sequence[Predictions],
    names: Collection[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Floats]:
    """Return metric → (resamples, models): the metrics `names` of `comparison.metrics`.

    All `models` predict the same rows in the same order. NaN is undefined on that resample. A
    metric that none of them has (probabilities that don't sum to 1) is left out, and so is
    accuracy, whose test needs no resamples.
    """
    true, class_names = models[0].true, models[0].class_names
    if models[0].task == "regression":
        return _resample_errors(models, names, seed=seed, resamples=resamples)
    computed: dict[str, Callable[[Floats], Floats]] = {}
    counted = [name for name in names if name.split(".")[0] in _COUNTED]
    if counted:
        cells = [_to_cell_name(name) for name in counted]
        support = _make_counter(true, len(class_names))
        for index, model in enumerate(models):
            computed[f"cells {index}"] = _make_cells(model, support, cells)
    if "log_loss" in names:
        losses = np.stack([_log_losses(model) for model in models], axis=1)
        computed["log_loss"] = lambda weights: weights @ losses / len(true)
    if "auc_roc.macro" in names:
        ranked = _ranked_classes(true, len(class_names))
        for index, model in enumerate(models if ranked else ()):
            assert model.probabilities is not None
            computed[f"auc {index}"] = make_auc(true, model.probabilities, classes=ranked)
    found = resample(len(true), computed, seed=seed, resamples=resamples)
    values: dict[str, Floats] = {}
    if counted:
        stacked = np.stack([found[f"cells {index}"] for index in range(len(models))], axis=1)
        for place, name in enumerate(counted):
            values[name] = stacked[:, :, place]
    if "log_loss" in found:
        values["log_loss"] = found["log_loss"]
    if "auc 0" in found:
        parts = [found[f"auc {index}"] for index in range(len(models))]
        values["auc_roc.macro"] = np.stack(parts, axis=1)
    return values


def _to_cell_name(name: str) -> str:
    """Return the key of `score_counts`: `f1.macro` is `f1_macro`, `binary.f1` is `f1_binary`."""
    first, second = name.split(".")
    return f"{second}_binary" if first == "binary" else f"{first}_{second}"


def _make_counter(classes: Integers, count: int) -> Callable[[Floats], Floats]:
    """Return a function from row counts (some resamples, rows) to how often each class was taken.

    Rows of class -1 count nowhere. Sorted once, each class is a run of columns to sum.
    """
    order = np.argsort(classes, kind="stable")
    order = order[np.searchsorted(classes[order], 0) :]
    present, starts = np.unique(classes[order], return_index=True)

    def count_classes(weights: Floats) -> Floats:
        counts = np.zeros((len(weights), count))
        if present.size:
            # The counts are whole numbers: their sums are exact in any order.
            counts[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
        return counts

    return count_classes


def _make_cells(
    model: Predictions, support: Callable[[Floats], Floats], cells: Sequence[str]
) -> Callable[[Floats], Floats]:
    """Return a function from row counts to the metrics `cells`: (some resamples, metrics)."""
    classes = len(model.class_names)
    hits = _make_counter(np.where(model.predicted == model.true, model.true, -1), classes)
    predicted = _make_counter(model.predicted, classes)

    def compute(weights: Floats) -> Floats:
        scores = score_counts(hits(weights), support=support(weights), predicted=predicted(weights))
        return np.stack([scores[cell] for cell in cells], axis=1)

    return compute


def _log_losses(model: Predictions) -> Floats:
    """Return each row's loss; NaN for a model whose outputs are no probabilities."""
    assert model.probabilities is not None
    normalized = normalize_probabilities(model.probabilities)
    if normalized is None:
        return np.full(len(model), np.nan)
    losses: Floats = -np.log(normalized[np.arange(len(model)), model.true])
    return losses


def _ranked_classes(true: Integers, classes: int) -> list[int]:
    """Return the classes whose AUC is averaged, as in `score_classification`."""
    support = np.bincount(true, minlength=classes)
    ranked = [index for index in range(classes) if 0 < support[index] < len(true)]
    return [1] if classes == 2 and ranked else ranked


def _resample_errors(
    models: Sequence[Predictions], names: Collection[str], *, seed: int, resamples: int
) -> dict[str, Floats]:
    true = models[0].true
    count = len(models)
    errors = np.stack([true - model.predicted for model in models], axis=1)
    # R² needs squares about each resample's own mean: take the overall mean away first.
    centred = (true - true.mean())[:, np.newaxis]
    terms = np.concatenate([errors**2, np.abs(errors), centred, centred**2], axis=1)
    means = resample(
        len(true),
        {"means": lambda weights: weights @ terms / len(true)},
        seed=seed,
        resamples=resamples,
    )["means"]
    mse, mae = means[:, :count], means[:, count : 2 * count]
    shift, square = means[:, -2:-1], means[:, -1:]
    variance = square - shift**2
    # A resample may take one row over and over: its variance is 0 but for rounding.
    flat = variance <= 1e-12 * square.max(initial=0.0)
    r2 = np.where(flat, np.nan, 1 - mse / np.where(flat, 1.0, variance))
    values = {"mse": mse, "mae": mae, "rmse": np.sqrt(mse), "r2": r2}
    return {name: values[name] for name in _ERRORS if name in names}
