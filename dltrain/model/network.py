"""How do the unfolded layers become a Keras model? Input, normalization, layers, output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.catalog.arguments import nested_kind
from dltrain.catalog.components import find
from dltrain.config.layers import INPUT, Layer, free_name
from dltrain.config.paths import Path
from dltrain.errors import TrainingError
from dltrain.model.backbone import Front
from dltrain.model.components import build_component

# Which regularizer arguments `regularization:` fills: those of weight matrices, not of biases
# (Goodfellow et al. 2016, "Deep Learning", 7.1) and not of embedding tables.
_KERNEL_REGULARIZERS = (
    "kernel_regularizer",
    "depthwise_regularizer",
    "pointwise_regularizer",
    "recurrent_regularizer",
)
# Given one input, these attend from it to itself. The first take query and value as arguments,
# the others as a list.
_QUERY_AND_VALUE = {"multi_head_attention", "group_query_attention"}
_QUERY_AND_VALUE_LIST = {"attention", "additive_attention"}
# Layers that compute what they promise on whatever they can be built for; only glu halves an axis.
_KEEPING_THEIR_WORD = {"dense", "dropout", "flatten", "activation"}
_BOLD = re.compile(r"\x1b\[\d+m")


class LayerError(Exception):
    """A layer can't be built or can't take its input; `path` is its place in the config."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


@dataclass(frozen=True)
class Normalization:
    """How raw inputs are scaled inside the model: (x - mean) / scale, a value a channel or feature.

    `mean` and `scale` have the length of the input's last axis, or 1.
    """

    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class InputSpec:
    """What one row is: its shape without the batch axis, its dtype, and how it is normalized."""

    shape: tuple[int, ...]
    dtype: str
    normalization: Normalization | None = None
    axes: tuple[str, ...] = field(default=())


def build_network(
    layers: Sequence[Layer],
    input_spec: InputSpec,
    *,
    name: str,
    l1: float = 0.0,
    l2: float = 0.0,
    backbone: Front | None = None,
) -> Any:
    """Return the Keras model (functional, not compiled).

    The input is `(batch, *shape)` as the dataset stores it; normalization is the model's first
    layer, and a `backbone` follows it and gives what the first of `layers` takes. The output is
    `(batch, units)` float32. Raises LayerError, naming the layer and the shapes, if a layer can't
    be built.
    """
    import keras

    inputs = keras.Input(input_spec.shape, dtype=input_spec.dtype, name=free_name("inputs", layers))
    outputs = _normalize(inputs, input_spec.normalization, layers)
    if backbone is not None:
        outputs = backbone.apply(outputs, layers)
    by_name: dict[str, Any] = {INPUT: outputs}
    for layer in layers:
        built = _build_layer(layer, l1=l1, l2=l2)
        outputs = _call_layer(layer, built, [by_name[source] for source in layer.inputs])
        by_name[layer.name] = outputs
    if len(outputs.shape) != 2:
        raise LayerError(
            layers[-1].path,
            f"the output must be (batch, units), but {layers[-1].name} ({layers[-1].type}) gives "
            f"{_show_shape(outputs)}. End the model with flatten or pooling, then dense.",
        )
    if keras.backend.standardize_dtype(outputs.dtype) != "float32":
        # In mixed precision the loss needs float32 outputs.
        outputs = keras.layers.Activation(
            "linear", dtype="float32", name=free_name("float32_output", layers)
        )(outputs)
    model = keras.Model(inputs, outputs, name=name.replace("-", "_").replace(".", "_"))
    if backbone is not None or not all(map(_keeps_its_word, layers)):
        _trace(model, layers, by_name)
    return model


def _keeps_its_word(layer: Layer) -> bool:
    return layer.type in _KEEPING_THEIR_WORD and "glu" not in str(
        layer.arguments.get("activation", "")
    )


def _trace(model: Any, layers: Sequence[Layer], outputs: dict[str, Any]) -> None:
    """Run the model on two rows that aren't there, which costs no arithmetic, but 10 ms and more.

    Some layers of Keras (hashed_crossing, category_encoding, multi_head_attention) promise an
    output shape while the model is built that their computation then can't give. Raises LayerError
    for the first layer that can't.
    """
    import keras
    import tensorflow as tf

    row = model.input
    rows = tf.TensorSpec((2, *row.shape[1:]), row.dtype)

    def run(part: Any) -> Exception | None:
        try:
            tf.function(part, autograph=False).get_concrete_function(rows)
        except (ValueError, TypeError, IndexError, tf.errors.OpError) as error:
            return error
        return None

    if run(model) is None:
        return
    for layer in layers:
        error = run(keras.Model(model.input, outputs[layer.name]))
        if error is not None:
            raise LayerError(
                layer.path, f"{layer.name} ({layer.type}) can't be computed: {one_line(error)}"
            ) from error


def _normalize(inputs: Any, normalization: Normalization | None, layers: Sequence[Layer]) -> Any:
    import keras

    if normalization is None:
        return inputs
    if len(normalization.scale) == 1 and normalization.mean == (0.0,):
        return keras.layers.Rescaling(
            1.0 / normalization.scale[0], name=free_name("rescaling", layers)
        )(inputs)
    return keras.layers.Normalization(
        axis=-1,
        mean=list(normalization.mean),
        variance=[scale**2 for scale in normalization.scale],
        name=free_name("normalization", layers),
    )(inputs)


def _build_layer(layer: Layer, *, l1: float, l2: float) -> Any:
    spec = _with_regularizers({"type": layer.type, **layer.arguments}, l1=l1, l2=l2)
    try:
        return build_component("layers", spec, name=layer.name)
    except (ValueError, TypeError) as error:
        raise LayerError(
            layer.path, f"{layer.name} ({layer.type}) can't be built: {one_line(error)}"
        ) from error


def _with_regularizers(spec: dict[str, Any], *, l1: float, l2: float) -> dict[str, Any]:
    """Give every kernel without a regularizer of its own the default one, in held layers too."""
    component = find("layers", spec["type"])
    if component is None or not (l1 or l2):
        return spec
    filled = dict(spec)
    for argument in _KERNEL_REGULARIZERS:
        if argument in component.arguments and argument not in spec:
            filled[argument] = {"type": "l1l2", "l1": l1, "l2": l2}
    for name, held in spec.items():
        if nested_kind(component, name) != "layers":
            continue
        if isinstance(held, dict):
            filled[name] = _with_regularizers(held, l1=l1, l2=l2)
        elif isinstance(held, list):
            filled[name] = [_with_regularizers(item, l1=l1, l2=l2) for item in held]
    return filled


def _call_layer(layer: Layer, built: Any, inputs: list[Any]) -> Any:
    import tensorflow as tf

    try:
        if layer.type in _QUERY_AND_VALUE:
            outputs = built(*(inputs * 2 if len(inputs) == 1 else inputs))
        elif layer.type in _QUERY_AND_VALUE_LIST and len(inputs) == 1:
            outputs = built(inputs * 2)
        else:
            outputs = built(inputs[0] if len(inputs) == 1 else inputs)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise TrainingError(
            f"Memory ran out while {layer.name} ({layer.type}) was built: its weights don't fit.",
            hint="Make the layer smaller.",
        ) from error
    except (ValueError, TypeError, IndexError, tf.errors.OpError) as error:
        shapes = " and ".join(_show_shape(tensor) for tensor in inputs)
        raise LayerError(
            layer.path,
            f"{layer.name} ({layer.type}) can't take an input of shape {shapes}: {one_line(error)}",
        ) from error
    if isinstance(outputs, (list, tuple, dict)):
        raise LayerError(
            layer.path,
            f"{layer.name} ({layer.type}) gives {len(outputs)} outputs; a layer of a model gives "
            "one. Leave out return_state, return_attention_scores or merge_mode: null.",
        )
    return outputs


def _show_shape(tensor: Any) -> str:
    return "(" + ", ".join("batch" if n is None else str(n) for n in tensor.shape) + ")"


def one_line(error: Exception) -> str:
    """Return what Keras says, without the call's arguments that it prints after an empty line."""
    text = _BOLD.sub("", str(error)).split("Arguments received by")[0].strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:] or lines
    return " ".join(lines)[:400]
