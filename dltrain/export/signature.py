"""What must a program know that runs an exported model? The text of signature.json."""

from __future__ import annotations

from typing import Any

from dltrain.data.preset_tokenizer import PresetTokenizer
from dltrain.export.formats import FILES, ExportFormat
from dltrain.export.graph import INPUT, Interface
from dltrain.prediction.run_input import RunInput

FORMAT = 1

_AXES = {
    "image": ("batch", "height", "width", "channels"),
    "text": ("batch", "words"),
    "tabular": ("batch", "features"),
}


def describe_signature(run: RunInput, interface: Interface, form: ExportFormat) -> dict[str, Any]:
    """Return the JSON-able description of input and output.

    In shapes null stands for any number of rows.
    """
    is_class = run.task == "classification"
    return {
        "format": FORMAT,
        "run": run.paths.label,
        "task": run.task,
        "model": {"format": form, "file": FILES[form]},
        "input": {
            "name": INPUT,
            "dtype": interface.dtype,
            "shape": [None, *interface.shape],
            "axes": _AXES[run.modality],
            "meaning": _explain_input(run, interface),
        },
        "output": {
            "name": interface.output,
            "dtype": "float32",
            "shape": [None, len(run.class_names) if is_class else 1],
            "meaning": "the probability of each class, in the order of classes"
            if is_class
            else "the predicted value",
            "classes": list(run.class_names),
        },
        "features": [
            {"column": feature.column, "kind": feature.kind, "value": feature.value}
            for column in run.preprocessing.columns
            for feature in column.features
        ],
    }


def _explain_input(run: RunInput, interface: Interface) -> str:
    has_words = run.modality == "text" and not run.takes_ids
    if has_words and isinstance(run.load_tokenizer(), PresetTokenizer):
        return (
            "ids of the pieces of a text, made by the tokenizer of the preset in tokenizer.json "
            "(KerasHub), with the marks of its begin and end, cut and padded"
        )
    if run.modality == "text":
        text = (
            "ids of words, made by tokenizer.json (Hugging Face tokenizers: it lower-cases, cuts "
            "and pads); a text without words begins with the id 1"
        )
        if run.dataset.get("ngrams") == 2 and interface.pairs is None:
            vocabulary, buckets = run.dataset["max_words"], run.dataset["ngram_buckets"]
            text += (
                "; behind them the ids of each two neighbours a and b, 0 where b is 0, else "
                "((((a * 0x9E3779B97F4A7C15 + b) * 0xC2B2AE3D27D4EB4F) mod 2**64) >> 32) mod "
                f"{buckets} + {vocabulary}"
            )
        return text
    if run.takes_ids:
        return "ids of words, as the model was trained on them"
    if run.preprocessing.columns:
        return (
            "the features of the columns in preprocessing.json, in its order, made as docs/data.md "
            "says; their scaling is in the model"
        )
    if run.modality == "tabular":
        return "the features in the order of the training data; their scaling is in the model"
    height, width, channels = interface.shape
    colour = {1: "grey", 3: "red, green and blue"}.get(channels, f"{channels} channels")
    return (
        f"pixels from 0 to {run.largest_pixel}, {colour}, of an image resized to {width} by "
        f"{height} (bilinear, antialiased); their scaling is in the model"
    )
