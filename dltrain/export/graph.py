"""What computation is exported? From raw input to probabilities, with nothing random in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from dltrain.config.targets import Targets
from dltrain.export.formats import ExportFormat
from dltrain.export.full_precision import to_full_precision

if TYPE_CHECKING:
    from dltrain.prediction.predict import ModelOfRun

INPUT = "input"

# Losses whose labels Keras turns into -1 and 1: see `dltrain.evaluation.predict`.
_SIGNED_LOSSES = {"hinge", "squared_hinge"}

# Of `dltrain.data.tokenize.append_bigrams`.
_HASH_LEFT = 0x9E3779B97F4A7C15
_HASH_ALL = 0xC2B2AE3D27D4EB4F
_WORD, _HALF = 1 << 32, 1 << 16


@dataclass(frozen=True)
class Pairs:
    """Say how the ids of pairs of words are made inside the export: see `append_bigrams`."""

    vocabulary: int
    buckets: int


@dataclass(frozen=True)
class Interface:
    """Describe what the exported model takes and gives.

    `shape` is one row's. `dtype` is uint8 of images (float32 where the run was trained on other
    numbers), int32 of ids, float32 of tables.
    """

    shape: tuple[int, ...]
    dtype: str
    output: str
    pairs: Pairs | None

    def to_raw(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return rows `(n, …)` as the model itself takes them in the form that the export takes."""
        raw = rows[:, : self.shape[0]] if self.pairs else rows
        return raw.astype(self.dtype)


def describe_interface(model: ModelOfRun, form: ExportFormat, *, input_dtype: str) -> Interface:
    """Return what the export of a run's model takes; `input_dtype` is that of its data's rows.

    LiteRT can't divide the large numbers of which the ids of pairs are made: they are given to it.
    """
    run, shape = model.run, model.row_shape
    output = "probabilities" if run.task == "classification" else "value"
    if run.modality == "image":
        return Interface(shape, "uint8" if input_dtype == "uint8" else "float32", output, None)
    if run.modality == "tabular":
        return Interface(shape, "float32", output, None)
    pairs = None
    if run.dataset.get("ngrams") == 2 and form != "litert":
        pairs = Pairs(int(run.dataset["max_words"]), int(run.dataset["ngram_buckets"]))
        shape = ((shape[0] + 1) // 2,)
    return Interface(shape, "int32", output, pairs)


def write_saved_model(
    model: ModelOfRun, interface: Interface, path: Path, *, full_precision: bool = False
) -> None:
    """Write a SavedModel whose signature `serving_default` is `interface`, into the folder `path`.

    Keras's random layers are called as in inference: a plain export would leave them at work. With
    `full_precision` a model of mixed precision is computed in float32.
    """
    import tensorflow as tf

    keras_model = model.predictor.model
    if full_precision:
        keras_model = to_full_precision(keras_model)

    class Exported(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = keras_model

        @tf.function(  # type: ignore[untyped-decorator]
            autograph=False,
            input_signature=[tf.TensorSpec((None, *interface.shape), interface.dtype, name=INPUT)],
        )
        def run(self, input: Any) -> Any:
            outputs = compute_outputs(self.model, model.targets, interface, input)
            return {interface.output: outputs}

    exported = Exported()
    tf.saved_model.save(exported, str(path), signatures={"serving_default": exported.run})


def compute_outputs(model: Any, targets: Targets, interface: Interface, rows: Any) -> Any:
    """Return what the export gives for a tensor of rows, on the backend that Keras runs on."""
    from keras import ops

    if interface.pairs is not None:
        rows = _append_pairs(rows, interface.pairs)
    outputs = model(ops.cast(rows, model.inputs[0].dtype), training=False)
    return _finish(ops.cast(outputs, "float32"), targets)


def _finish(outputs: Any, targets: Targets) -> Any:
    """Return what `to_probabilities` makes of outputs, in float32; of a regression the value."""
    from keras import ops

    if targets.task == "regression":
        return outputs[:, :1]
    if targets.units == 1:
        column = outputs
        if targets.output == "scores":
            signed = targets.loss["type"] in _SIGNED_LOSSES
            column = ops.sigmoid(column if signed else column - 0.5)
        elif targets.output == "logits":
            column = ops.sigmoid(column)
        column = ops.clip(column, 0.0, 1.0)
        return ops.concatenate([1.0 - column, column], axis=1)
    if targets.output == "probabilities":
        total = ops.sum(outputs, axis=1, keepdims=True)
        known = total > 0
        shares = outputs / ops.where(known, total, ops.ones_like(total))
        return ops.where(known, shares, ops.ones_like(outputs) / targets.units)
    return ops.softmax(outputs)


def _append_pairs(ids: Any, pairs: Pairs) -> Any:
    """Do what `append_bigrams` does, in int64 and without a number below 0.

    ONNX has no products of uint64, and tf2onnx takes the remainder of a negative number wrongly.
    """
    from keras import ops

    left, right = ops.cast(ids[:, :-1], "int64"), ops.cast(ids[:, 1:], "int64")
    upper, lower = _multiply(ops.zeros_like(left), left, _HASH_LEFT)
    lower += right
    upper, lower = (upper + lower // _WORD) % _WORD, lower % _WORD
    upper, _ = _multiply(upper, lower, _HASH_ALL)
    hashed = upper % pairs.buckets + pairs.vocabulary
    hashed = ops.where(ops.equal(right, 0), ops.zeros_like(hashed), hashed)
    return ops.concatenate([ids, ops.cast(hashed, "int32")], axis=1)


def _multiply(upper: Any, lower: Any, factor: int) -> tuple[Any, Any]:
    """Return (upper * 2^32 + lower) * factor mod 2^64, its upper and lower 32 bits.

    By halves of 16 bits, so that no product reaches 2^63.
    """
    high, low = factor // _WORD, factor % _WORD
    first, second = (lower % _HALF) * low, (lower // _HALF) * low
    sum_ = first + (second % _HALF) * _HALF
    carried = sum_ // _WORD + second // _HALF
    upper = carried + _multiply_word(upper, low) + _multiply_word(lower, high)
    return upper % _WORD, sum_ % _WORD


def _multiply_word(number: Any, factor: int) -> Any:
    """Return number * factor mod 2^32, both below 2^32."""
    product = (number % _HALF) * factor + ((number // _HALF) * factor % _HALF) * _HALF
    return product % _WORD
