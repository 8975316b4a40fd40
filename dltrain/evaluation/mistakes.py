"""On which rows was the model most wrong? With the rows themselves, for people to look at.

mistakes.json of a run:

    {"format": 1, "split": "test", "task": "classification" | "regression",
     "modality": "image" | "text" | "tabular", "wrong": n, "rows": n,
     "mistakes": [{"id": "test/17", "true": "4", "predicted": "9",
                   "confidence": 0.99, "true_probability": 0.01,      a regression: "error"
                   "image": "base64 of a PNG" | "text": "..." | "features": [[name, value], ...]}]}

Of a classifier they are the mistakes of the highest confidence, and the surest few behind each
cell of the confusion matrix; of a regression the largest errors.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.data.load import Source
from dltrain.data.texts import Texts
from dltrain.runs.atomic import write_json
from dltrain.runs.predictions import Predictions
from dltrain.runs.records import read_record

FORMAT = 1

# Enough to scroll through; at some 500 bytes a digit and 3 kB a photo a report page can hold them.
WORST = 100
OF_A_CELL = 4
LIMIT = 300

# Larger images are shown as thumbnails: the file is for looking at.
_LARGEST_SIDE = 96
_LONGEST_TEXT = 2_000


def write_mistakes(
    path: Path, split: str, predictions: Predictions, source: Source, *, largest: float
) -> None:
    """Replace `path` (a run's mistakes.json) by the worst rows of `split`.

    `source` holds the rows that were predicted, in the same order; `largest` is the greatest value
    of its pixels. Raises MachineError as `atomic` does.
    """
    rows = choose_mistakes(predictions)
    write_json(
        path,
        {
            "format": FORMAT,
            "split": split,
            "task": predictions.task,
            "modality": source.modality,
            "rows": len(predictions),
            "wrong": count_wrong(predictions),
            "mistakes": [
                {
                    "id": predictions.ids[row],
                    **_describe_prediction(predictions, int(row)),
                    **_describe_input(source, int(row), largest=largest),
                }
                for row in rows
            ],
        },
    )


def read_mistakes(path: Path) -> dict[str, Any]:
    """Return what `path` holds. Raises RunError if it is missing, damaged or of another format."""
    return read_record(path, format_number=FORMAT)


def count_wrong(predictions: Predictions) -> int | None:
    """Return in how many rows the class is wrong; None for a regression."""
    if predictions.task == "regression":
        return None
    return int((predictions.true != predictions.predicted).sum())


def choose_mistakes(predictions: Predictions) -> NDArray[np.int64]:
    """Return the rows to show, the worst first; an earlier row wins among equals."""
    if predictions.task == "regression":
        errors = np.abs(predictions.true - predictions.predicted)
        worst = np.argsort(-errors, kind="stable")[:WORST]
        return np.asarray(worst[errors[worst] > 0], dtype=np.int64)
    assert predictions.probabilities is not None
    wrong = np.flatnonzero(predictions.true != predictions.predicted)
    confidence = predictions.probabilities[wrong, predictions.predicted[wrong]]
    ranked = wrong[np.argsort(-confidence, kind="stable")]
    chosen = set(ranked[:WORST].tolist())
    cells = predictions.true * len(predictions.class_names) + predictions.predicted
    _, where, frequency = np.unique(cells[ranked], return_inverse=True, return_counts=True)
    # Of many classes not every cell has room: the most frequent confusions come first.
    seen: dict[int, int] = {}
    for place in np.argsort(-frequency[where], kind="stable"):
        row, cell = int(ranked[place]), int(where[place])
        seen[cell] = seen.get(cell, 0) + 1
        if seen[cell] <= OF_A_CELL and len(chosen) < LIMIT:
            chosen.add(row)
    return np.array([row for row in ranked.tolist() if row in chosen], dtype=np.int64)


def _describe_prediction(predictions: Predictions, row: int) -> dict[str, Any]:
    true, predicted = predictions.true[row], predictions.predicted[row]
    if predictions.task == "regression":
        return {
            "true": float(true),
            "predicted": float(predicted),
            "error": float(predicted - true),
        }
    assert predictions.probabilities is not None
    return {
        "true": predictions.class_names[true],
        "predicted": predictions.class_names[predicted],
        "confidence": float(predictions.probabilities[row, predicted]),
        "true_probability": float(predictions.probabilities[row, true]),
    }


def _describe_input(source: Source, row: int, *, largest: float) -> dict[str, Any]:
    inputs, index = source.rows.inputs, int(source.indices[row])
    if isinstance(inputs, Texts):
        text = inputs[index]
        return {"text": text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " …"}
    if source.modality == "image":
        return {"image": encode_image(inputs[index], largest=largest)}
    values = [float(value) for value in np.asarray(inputs[index]).reshape(-1)]
    names = source.feature_names or [f"feature {number}" for number in range(len(values))]
    return {"features": [list(pair) for pair in zip(names, values, strict=True)]}


def encode_image(pixels: NDArray[Any], *, largest: float = 255) -> str:
    """Return an image `(height, width, channels)` of values 0..`largest` as a PNG in base64."""
    from PIL import Image

    scaled = np.clip(np.rint(np.asarray(pixels, dtype=np.float64) * (255 / largest)), 0, 255)
    array = scaled.astype(np.uint8)
    if array.shape[-1] not in (3, 4):
        array = array[..., 0]
    image = Image.fromarray(array)
    image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
