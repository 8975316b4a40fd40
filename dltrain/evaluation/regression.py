"""How near are predicted numbers to the true ones?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.errors import DataError, TrainingError
from dltrain.evaluation.intervals import Floats, make_number, resample


def score_regression(
    targets: NDArray[Any], predictions: NDArray[Any], *, seed: int = 0
) -> dict[str, Any]:
    """Score `predictions` against `targets`, both (rows,) or (rows, 1), in the target's unit.

    The result goes into JSON as it is. NUMBER is {"value", "low", "high"}, the 95% interval as in
    `intervals`:

        {"task": "regression", "rows": n, "headline": "r2",
         "mse": NUMBER, "mae": NUMBER, "rmse": NUMBER, "r2": NUMBER}

    R² is null (undefined) for fewer than two rows, and where all targets are equal. Raises
    TrainingError if a prediction is not finite, DataError if there are no rows, ValueError if the
    shapes disagree.
    """
    true, predicted = check_predictions(targets, predictions)
    points = compute_errors(true, predicted)
    samples = resample_errors(true, predicted, seed=seed)
    numbers = {name: make_number(value, samples[name]) for name, value in points.items()}
    return {"task": "regression", "rows": len(true), "headline": "r2", **numbers}


def check_predictions(targets: NDArray[Any], predictions: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return both as float64 (rows,), or raise as `score_regression` does."""
    if targets.size != len(targets) or predictions.size != len(predictions):
        raise ValueError(
            "expected one number a row, received targets "
            f"{targets.shape} and predictions {predictions.shape}"
        )
    true = targets.astype(np.float64).reshape(-1)
    predicted = predictions.astype(np.float64).reshape(-1)
    if true.shape != predicted.shape:
        raise ValueError(f"expected {len(true)} predictions, received {len(predicted)}")
    if len(true) == 0:
        raise DataError("There is nothing to evaluate: the split has no rows.")
    if not np.isfinite(true).all():
        raise DataError("The targets are not finite (NaN or infinity) in some rows.")
    if not np.isfinite(predicted).all():
        count = int((~np.isfinite(predicted)).sum())
        raise TrainingError(
            f"The model's predictions are not finite (NaN or infinity) in {count} of "
            f"{len(predicted)} rows.",
            hint="Its weights have probably diverged: try a smaller learning_rate.",
        )
    return true, predicted


def compute_errors(true: Floats, predicted: Floats) -> dict[str, float | None]:
    """Return mse, mae, rmse and r2 (None where undefined) as scikit-learn computes them."""
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    mse = float(mean_squared_error(true, predicted))
    varies = len(true) > 1 and bool(np.ptp(true) > 0)
    return {
        "mse": mse,
        "mae": float(mean_absolute_error(true, predicted)),
        "rmse": float(np.sqrt(mse)),
        "r2": float(r2_score(true, predicted)) if varies else None,
    }


def resample_errors(true: Floats, predicted: Floats, *, seed: int) -> dict[str, Floats]:
    """Return the values of mse, mae, rmse and r2 on the resamples; NaN where undefined."""
    rows = len(true)
    # R² needs sums of squares about each resample's own mean: take the overall mean away first,
    # or targets far from 0 would lose their digits.
    centred = true - true.mean()
    errors = true - predicted
    terms = np.stack([errors**2, np.abs(errors), centred, centred**2], axis=1)
    means = resample(rows, {"means": lambda weights: weights @ terms / rows}, seed=seed)["means"]
    mse, mae, shift, square = means.T
    variance = square - shift**2
    # A resample may take one row over and over: its variance is 0 but for rounding.
    flat = variance <= 1e-12 * square.max(initial=0.0)
    r2 = np.where(flat, np.nan, 1 - mse / np.where(flat, 1.0, variance))
    return {"mse": mse, "mae": mae, "rmse": np.sqrt(mse), "r2": r2}
