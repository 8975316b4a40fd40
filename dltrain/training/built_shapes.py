"""What do the layers look like once Keras has built them? For those that no rule knows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dltrain.config.layers import INPUT
from dltrain.config.load import LoadedConfig
from dltrain.model.backbone import Front
from dltrain.model.network import InputSpec, LayerError, Normalization, build_network
from dltrain.model.preset import UnfitPresetError
from dltrain.shapes.effect import ImpossibleShapeError, NoRuleError, Shape
from dltrain.shapes.infer import infer_shapes
from dltrain.shapes.rules import find_effect
from dltrain.shapes.table import LayerShape, ShapeTable
from dltrain.training.engine import start_engine
from dltrain.training.prepare import resolve_built_targets
from dltrain.training.pretrained import build_asked


def measure_built_shapes(loaded: LoadedConfig) -> ShapeTable:
    """Build the model on the CPU, without data, and return its layers with Keras's own numbers.

    Multiply-adds, which Keras doesn't count, come from the rules. Imports TensorFlow. Raises
    ConfigError if a rule finds a mistake, which needs no TensorFlow, or if Keras can't build the
    model; it points at the layer.
    """
    table = infer_shapes(loaded)
    table.raise_any()
    config = loaded.config
    start_engine(device="cpu", precision=config.training.precision, seed=config.seed)
    try:
        model = build_network(
            loaded.layers,
            InputSpec(table.row, table.dtype, _stand_in(table)),
            name=config.name,
            l1=config.regularization.l1,
            l2=config.regularization.l2,
            backbone=_build_front(loaded, table),
        )
    except LayerError as error:
        raise loaded.problem(error.path, error.message) from error
    except UnfitPresetError as error:
        raise loaded.problem(("model", "pretrained"), f"{error}.") from error
    resolve_built_targets(loaded, units=int(model.output_shape[-1]))
    built = {layer.name: layer for layer in model.layers}
    shapes: dict[str, Shape | None] = {INPUT: table.row}
    before = table.before
    if config.model.pretrained is not None:
        front = _measure(before[0], built[before[0].name], {})
        before, shapes[INPUT] = (replace(front, multiply_adds=None),), front.output
    layers = []
    for layer, row in zip(loaded.layers, table.layers, strict=True):
        row = replace(row, inputs=tuple(shapes[name] for name in layer.inputs))
        if layer.name in built:
            row = _measure(row, built[layer.name], layer.arguments)
        shapes[layer.name] = row.output
        layers.append(row)
    after = tuple(
        replace(row, inputs=(layers[-1].output,), output=layers[-1].output)
        for row in table.after
        if row.name in built
    )
    return replace(table, before=before, layers=tuple(layers), after=after)


def _build_front(loaded: LoadedConfig, table: ShapeTable) -> Front | None:
    """Return the pretrained model with new weights, which change no shape."""
    if loaded.config.model.pretrained is None:
        return None
    return build_asked(
        loaded, table.row, largest=255.0, padding_id=0, offline=True, is_filled=False
    )


def _stand_in(table: ShapeTable) -> Normalization | None:
    """Return statistics of the right number: what they are changes no shape."""
    if not table.before or table.before[0].path:  # none, or the pretrained model
        return None
    if table.before[0].type == "rescaling":
        return Normalization((0.0,), (255.0,))
    return Normalization((0.5,) * table.row[-1], (1.0,) * table.row[-1])


def _measure(row: LayerShape, layer: Any, arguments: dict[str, Any]) -> LayerShape:
    """Return the row with Keras's shape and counts; multiply-adds are a rule's, or unknown."""
    trainable = _count(layer.trainable_weights)
    return replace(
        row,
        output=tuple(layer.output.shape[1:]),
        trainable=trainable,
        fixed=int(layer.count_params()) - trainable,
        multiply_adds=_multiply_adds(row, arguments),
    )


def _multiply_adds(row: LayerShape, arguments: dict[str, Any]) -> int | None:
    known = tuple(shape for shape in row.inputs if shape is not None)
    if len(known) < len(row.inputs):
        return None
    try:
        return find_effect(row.type, arguments, known).multiply_adds
    except (ImpossibleShapeError, NoRuleError):
        return None


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
