"""How do layers of a model get the weights of another's? By name; every shape must agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class TakenWeightsError(Exception):
    """The weights of `layer` aren't there, or don't fit."""

    def __init__(self, layer: str, message: str) -> None:
        super().__init__(message)
        self.layer = layer
        self.message = message


def take_weights(model: Any, source: Any, names: Sequence[str]) -> tuple[str, ...]:
    """Copy the weights of the layers `names` from `source` to `model`, Keras models both.

    A layer without weights is passed over; so is the state of random layers, which is no weight.
    Returns the names of those that were given weights. Raises TakenWeightsError before anything is
    changed if one is missing in `source` or has another shape.
    """
    there = {layer.name: layer for layer in source.layers}
    pairs = []
    for name in names:
        layer = model.get_layer(name)
        if not layer.weights:
            continue
        if name not in there:
            raise TakenWeightsError(name, f"it has no layer '{name}'")
        shapes = [[tuple(weight.shape) for weight in each.weights] for each in (layer, there[name])]
        if shapes[0] != shapes[1]:
            here, other = (", ".join(map(str, each)) or "no weights" for each in shapes)
            raise TakenWeightsError(name, f"{name} has weights {other} there and {here} here")
        pairs.append((layer, there[name]))
    for layer, other in pairs:
        layer.set_weights(other.get_weights())
    return tuple(layer.name for layer, _ in pairs)
