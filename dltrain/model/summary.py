"""What does the model look like? A row a layer: name, type, output shape, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerRow:
    """One layer of the table; `shape` leaves the batch axis out.

    `is_frozen` tells that it was told to train none of its parameters.
    """

    name: str
    type: str
    shape: tuple[int | None, ...]
    parameters: int
    is_frozen: bool = False


@dataclass(frozen=True)
class ModelSummary:
    """All layers, and how many parameters are trained."""

    layers: tuple[LayerRow, ...]
    parameters: int
    trainable_parameters: int


def summarize_model(model: Any) -> ModelSummary:
    """Return a row for each layer of a functional Keras model, inputs left out."""
    import keras

    rows = tuple(
        LayerRow(
            layer.name,
            type(layer).__name__,
            _shape(layer),
            layer.count_params(),
            is_frozen=bool(layer.weights) and not layer.trainable_weights,
        )
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    )
    trainable = sum(
        int(variable.value.shape.num_elements()) for variable in model.trainable_weights
    )
    return ModelSummary(rows, model.count_params(), trainable)


def _shape(layer: Any) -> tuple[int | None, ...]:
    output = layer.output
    first = output[0] if isinstance(output, (list, tuple)) else output
    return tuple(first.shape[1:])
