"""What does a run leave on disk? Written without a training, so that numbers can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tiny_runs import CONFIG, change

from dltrain.evaluation.score import score_predictions
from dltrain.runs.atomic import write_json
from dltrain.runs.history import write_history
from dltrain.runs.metrics import write_metrics
from dltrain.runs.predictions import Predictions, write_predictions
from dltrain.runs.status import begin_status, write_status

DIGITS = {"name": "digits", "checksum": "built in", "origin": "scikit-learn 1.9.1", "options": {}}


def classify(accuracy: float, *, rows: int = 300, classes: int = 10, seed: int = 0) -> Predictions:
    """Return predictions that are right in about `accuracy` of the rows; the rows are the same."""
    true = np.random.default_rng(99).integers(0, classes, rows)
    generator = np.random.default_rng(seed)
    wrong = generator.random(rows) > accuracy
    predicted = np.where(wrong, (true + generator.integers(1, classes, rows)) % classes, true)
    probabilities = generator.dirichlet(np.ones(classes), rows) * 0.4
    probabilities[np.arange(rows), predicted] += 0.6
    return Predictions(
        "classification",
        tuple(map(str, range(classes))),
        [f"train/{row}" for row in range(rows)],
        true,
        probabilities.argmax(axis=1),
        probabilities,
    )


def estimate(noise: float, *, rows: int = 80, seed: int = 0) -> Predictions:
    """Return predictions of a regression that miss by about `noise`; the rows are the same."""
    true = np.random.default_rng(99).normal(10, 2, rows)
    predicted = true + np.random.default_rng(seed).normal(0, noise, rows)
    return Predictions("regression", (), [f"train/{row}" for row in range(rows)], true, predicted)


def make_run(
    label: str,
    predictions: Predictions | None,
    *,
    root: Path = Path("runs"),
    config: Mapping[str, Any] = CONFIG,
    dataset: Mapping[str, Any] = DIGITS,
    data: Any = "real",
    epochs: int = 3,
    score: Callable[..., dict[str, Any]] = score_predictions,
    **changes: Any,
) -> Path:
    """Write the run `root/label`, finished, with `predictions` of test; `changes` as in `change`.

    Without predictions it has no scores either.
    """
    run = root / label
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(yaml.safe_dump(change(config, **changes)))
    status = begin_status(epochs_goal=epochs, data=data).progress(epochs).end("finished")
    write_status(run / "status.json", status)
    write_json(run / "environment.json", {"format": 1, "seed": 3, "dataset": dataset})
    rows = [
        {"epoch": epoch, "loss": 1 / epoch, "val_loss": 1.2 / epoch, "seconds": 0.5}
        for epoch in range(1, epochs + 1)
    ]
    write_history(run / "history.csv", rows)
    layers = [{"name": "dense", "type": "Dense", "shape": [10], "parameters": 650}]
    table = {"format": 1, "parameters": 650, "trainable_parameters": 650, "layers": layers}
    write_json(run / "model.json", table)
    (run / "model.keras").write_bytes(bytes(2048))
    if predictions is not None:
        scores = score(predictions, train_labels=predictions.true)
        training = {"best_epoch": 2, "epochs": epochs}
        write_metrics(run / "metrics.json", {"test": scores}, data=data, training=training)
        write_predictions(run / "predictions.parquet", {"test": predictions})
    return run


def score_accuracy(predictions: Predictions, *, train_labels: Any) -> dict[str, Any]:
    """Return the scores that a ranking of many runs needs, without scikit-learn's time."""
    value = float((predictions.true == predictions.predicted).mean())
    return {
        "task": "classification",
        "rows": len(predictions),
        "headline": "accuracy",
        "accuracy": {"value": value, "low": value - 0.01, "high": value + 0.01},
        "classes": list(predictions.class_names),
    }
