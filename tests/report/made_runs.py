"""Which runs are the pages tested with? Made in a moment, by the project's own writers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.evaluation.mistakes import choose_mistakes, count_wrong, encode_image
from dltrain.runs.atomic import write_json, write_text
from dltrain.runs.history import write_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.runs.model_table import write_model_table
from dltrain.runs.predictions import Predictions, write_predictions
from dltrain.runs.status import begin_status, write_status
from dltrain.runs.warnings import write_warnings

HOSTILE_CLASS = '"><img src=x onerror=alert(1)>'
HOSTILE_TEXT = "A film. <script>alert(1)</script> </textarea><b>Bold</b> \u2028 & so on. " * 20
SOURCE = "# What this shows: <nothing>\nname: made   # a comment\nseed: 1\n"


@dataclass(frozen=True)
class Layer:
    name: str
    type: str
    shape: tuple[int | None, ...]
    parameters: int


def make_predictions(classes: tuple[str, ...], rows: int, *, right: float = 0.8) -> Predictions:
    """Return predictions for `rows`, of which a share of `right` or so is right."""
    generator = np.random.default_rng(5)
    true = generator.integers(0, len(classes), rows)
    # Beside the true class only its neighbours are ever thought of, as in real confusions.
    other = (true + generator.integers(1, min(8, len(classes)), rows)) % len(classes)
    sure = generator.uniform(0.5, 0.99, rows)
    first = np.where(generator.random(rows) < right, true, other)
    second = np.where(first == true, other, true)
    probabilities = np.zeros((rows, len(classes)))
    every = np.arange(rows)
    probabilities[every, first] = sure
    probabilities[every, second] = 1 - sure
    ids = [f"test/{row}" for row in range(rows)]
    predicted = probabilities.argmax(axis=1)
    return Predictions("classification", classes, ids, true, predicted, probabilities)


def score(predictions: Predictions) -> dict[str, Any]:
    """Return scores as `score_classification` does, but for its slow intervals."""
    classes, size = predictions.class_names, len(predictions.class_names)
    cells = predictions.true * size + predictions.predicted
    matrix = np.bincount(cells, minlength=size * size).reshape(size, size)
    hits, rows, taken = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    per_class: list[dict[str, Any]] = [
        {
            "class": name,
            "precision": hits[i] / max(taken[i], 1),
            "recall": hits[i] / max(rows[i], 1),
            "f1": 2 * hits[i] / max(rows[i] + taken[i], 1),
            "auc_roc": 0.5 + hits[i] / max(rows[i], 1) / 2,
            "support": int(rows[i]),
            "predicted": int(taken[i]),
        }
        for i, name in enumerate(classes)
    ]
    value = float(hits.sum() / len(predictions))
    return {
        "task": "classification",
        "rows": len(predictions),
        "headline": "accuracy",
        "accuracy": {"value": value, "low": value - 0.01, "high": value + 0.01},
        "log_loss": {"value": 0.4567, "low": 0.4, "high": 0.5},
        "classes": list(classes),
        "per_class": per_class,
        "confusion_matrix": matrix,
        "baseline": {"kind": "majority class", "class": classes[0], "accuracy": {"value": 0.4}},
    }


def write_classifier(
    root: Path, classes: tuple[str, ...], rows: int, *, modality: str = "image", side: int = 8
) -> Path:
    """Write a finished classifier's run to `root`; return it."""
    predictions = make_predictions(classes, rows)
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3))
    shown = {
        "image": {"image": encode_image(pixels)},
        "text": {"text": HOSTILE_TEXT},
        "tabular": {"features": [[f"f<{i}>", i / 3] for i in range(12)]},
    }[modality]
    assert predictions.probabilities is not None
    mistakes = [
        {
            "id": predictions.ids[row],
            "true": classes[predictions.true[row]],
            "predicted": classes[predictions.predicted[row]],
            "confidence": predictions.probabilities[row].max(),
            "true_probability": predictions.probabilities[row, predictions.true[row]],
            **shown,
        }
        for row in choose_mistakes(predictions)
    ]
    write_run(root, predictions, score(predictions), mistakes, modality)
    return root


def write_regression(root: Path, rows: int = 200) -> Path:
    """Write a finished regression's run to `root`; return it."""
    generator = np.random.default_rng(2)
    true = generator.normal(100, 20, rows)
    predicted = true + generator.normal(0, 5, rows)
    ids = [f"test/{row}" for row in range(rows)]
    predictions = Predictions("regression", (), ids, true, predicted)
    number = {"value": 0.93, "low": 0.91, "high": 0.95}
    scores = {"task": "regression", "rows": rows, "headline": "r2", "r2": number, "mae": number}
    scores["baseline"] = {"kind": "training mean", "mean": 100.0, "r2": {"value": -0.001}}
    mistakes = [
        {
            "id": ids[row],
            "true": true[row],
            "predicted": predicted[row],
            "error": predicted[row] - true[row],
            "features": [["age", 1.0], ["height", 2.0]],
        }
        for row in choose_mistakes(predictions)
    ]
    write_run(root, predictions, scores, mistakes, "tabular")
    return root


def write_run(
    root: Path,
    predictions: Predictions,
    scores: dict[str, Any],
    mistakes: list[dict[str, Any]],
    modality: str,
) -> None:
    root.mkdir(parents=True)
    paths = RunPaths(root)
    write_status(paths.status, begin_status(epochs_goal=5).progress(5).end("finished"))
    write_text(paths.config, "name: made\nseed: 1\n")
    write_text(paths.source, SOURCE)
    history = [
        {
            "epoch": epoch,
            "loss": 2 / epoch,
            "accuracy": 1 - 0.5 / epoch,
            "val_loss": 2.2 / epoch,
            "val_accuracy": 1 - 0.6 / epoch,
            "learning_rate": 0.001 * epoch,
            "seconds": 1.5,
        }
        for epoch in range(1, 6)
    ]
    write_history(paths.history, history)
    training = {"best_epoch": 4, "epochs": 5, "train_seconds": 7.5}
    write_metrics(paths.metrics, {"test": scores}, training=training)
    write_predictions(paths.predictions, {"test": predictions})
    record = {
        "format": 1,
        "split": "test",
        "task": predictions.task,
        "modality": modality,
        "rows": len(predictions),
        "wrong": count_wrong(predictions),
        "mistakes": mistakes,
    }
    write_json(paths.mistakes, record)
    layers = [Layer("dense", "Dense", (None, 10), 7850)]
    write_model_table(paths.model_table, layers, parameters=7850, trainable_parameters=7850)
    finding = {
        "file": "made.yaml",
        "line": 3,
        "column": 1,
        "key": "training.shuffle",
        "code": "no-shuffle",
        "title": "The rows are not shuffled",
        "why": "Batches of one class <each>.",
        "fix": "Remove shuffle: false.",
    }
    write_warnings(paths.warnings, check=[finding], training=["A tracker <failed> once."])
    environment = {
        "format": 1,
        "command_line": "dltrain fit made.yaml",
        "python": "3.11.7",
        "packages": {"dltrain": "0.1.0", "tensorflow": "2.21.0"},
        "platform": "Linux",
        "cpu": "A processor",
        "cpu_count": 2,
        "usable_cpu_count": 2,
        "memory_bytes": 25_000_000_000,
        "host": "here",
        "git": {"commit": "0123abc", "dirty": True},
        "device": {"kind": "cpu", "name": "cpu"},
        "seed": 1,
        "dataset": {"name": "made"},
        "rows": {"train": 100, "test": len(predictions)},
    }
    write_json(paths.environment, environment)


def change_status(root: Path, **changes: Any) -> None:
    """Write the run's status.json anew with `changes`."""
    import json

    path = RunPaths(root).status
    write_json(path, {**json.loads(path.read_text()), **changes})
