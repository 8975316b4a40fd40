"""What do the tests of pictures share? Run directories made by hand, and readers of pictures."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.regression import score_regression
from dltrain.runs.atomic import write_json
from dltrain.runs.contents import RunContents
from dltrain.runs.history import write_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import write_metrics
from dltrain.runs.predictions import Predictions, write_predictions

SVG = "{http://www.w3.org/2000/svg}"


def make_predictions(
    classes: int,
    rows: int,
    *,
    names: tuple[str, ...] = (),
    without: tuple[int, ...] = (),
    seed: int = 0,
) -> Predictions:
    """Return predictions that are right more often than not, of rows of all but some classes."""
    generator = np.random.default_rng(seed)
    true = generator.choice([each for each in range(classes) if each not in without], rows)
    logits = generator.normal(size=(rows, classes))
    logits[np.arange(rows), true] += 2.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    # Equal probabilities, as float32 and float16 have: curves must take them together.
    probabilities = np.round(probabilities, 3)
    return Predictions(
        "classification",
        names or tuple(f"class {number}" for number in range(classes)),
        [f"test/{row}" for row in range(rows)],
        true,
        probabilities.argmax(axis=1),
        probabilities,
    )


def make_regression(rows: int) -> Predictions:
    generator = np.random.default_rng(1)
    true = generator.normal(100, 30, rows)
    ids = [f"test/{row}" for row in range(rows)]
    return Predictions("regression", (), ids, true, true + generator.normal(5, 10, rows))


def make_history(epochs: int) -> list[dict[str, float]]:
    return [
        {
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "accuracy": 1 - 0.5 / epoch,
            "val_loss": 2.2 / epoch,
            "val_accuracy": 1 - 0.6 / epoch,
            "learning_rate": 10.0 ** (-epoch / 4),
            "seconds": 1.0,
        }
        for epoch in range(1, epochs + 1)
    ]


def write_run(
    root: Path,
    predictions: Predictions,
    *,
    history: list[dict[str, float]] | None = None,
    mistakes: list[dict[str, Any]] | None = None,
    modality: str = "image",
    best_epoch: int = 2,
) -> RunContents:
    """Write the files of a finished run that pictures are made of; scores are dltrain's own."""
    root.mkdir(parents=True)
    paths = RunPaths(root)
    write_history(paths.history, make_history(3) if history is None else history)
    write_predictions(paths.predictions, {"test": predictions})
    if predictions.task == "regression":
        scores = score_regression(predictions.true, predictions.predicted)
    else:
        assert predictions.probabilities is not None
        names = predictions.class_names
        scores = score_classification(
            predictions.true, predictions.probabilities, class_names=names
        )
    training = {"best_epoch": best_epoch, "epochs": 3, "train_seconds": 3.0}
    write_metrics(paths.metrics, {"test": scores}, training=training)
    record = {
        "format": 1,
        "split": "test",
        "task": predictions.task,
        "modality": modality,
        "rows": len(predictions),
        "wrong": 3,
        "mistakes": mistakes or [],
    }
    write_json(paths.mistakes, record)
    return RunContents(paths)


def encode_picture(shape: tuple[int, ...] = (8, 8)) -> str:
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def read_png(path: Path) -> np.ndarray[Any, Any]:
    """Return the pixels; assert that the picture is large enough and not blank."""
    with Image.open(path) as image:
        image.load()
        pixels = np.asarray(image.convert("RGB"))
    assert 1200 <= pixels.shape[1] <= 1600
    assert pixels.shape[0] >= 200
    assert (pixels[:8] == 255).all(), "the border is white"
    dark = (pixels < 120).all(axis=2).mean()
    assert 0.0005 < dark < 0.6, f"{dark:.2%} of the pixels are dark"
    return pixels


def read_svg(path: Path) -> list[str]:
    """Return the texts of an SVG, which must be well-formed XML and not too large."""
    assert path.stat().st_size < 300_000
    texts = ElementTree.parse(path).getroot().iter(f"{SVG}text")
    return ["".join(text.itertext()).strip() for text in texts]
