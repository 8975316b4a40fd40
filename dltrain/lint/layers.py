"""How do the layers of a config hang together? What the rules ask of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.config.layers import Layer
from dltrain.config.paths import Path

DROPOUTS = {
    *("dropout", "alpha_dropout", "gaussian_dropout"),
    *("spatial_dropout1d", "spatial_dropout2d", "spatial_dropout3d"),
}
"""Layers that drop values at random in training."""

_ELEMENTWISE = {
    *("activation", "relu", "softmax"),
    *("flatten", "reshape", "identity", "activity_regularization"),
}


@dataclass(frozen=True)
class Graph:
    """The layers that the output depends on, in order, and which of them take which."""

    layers: tuple[Layer, ...]
    by_name: dict[str, Layer]
    takers: dict[str, list[Layer]]

    def before(self, layer: Layer) -> Layer | None:
        """Return the layer that `layer` takes, None for several or for the model's input."""
        return self.by_name.get(layer.inputs[0]) if len(layer.inputs) == 1 else None

    def after(self, layer: Layer) -> list[Layer]:
        """Return the layers that take the output of `layer`."""
        return self.takers.get(layer.name, [])

    def from_the_output(self) -> Iterator[Layer]:
        """Yield the last layer, the one that it takes, and so on up to a merge or the input."""
        layer: Layer | None = self.layers[-1]
        while layer is not None:
            yield layer
            layer = self.before(layer)


def build_graph(layers: Sequence[Layer]) -> Graph:
    """Return the graph of `layers`, which are in an order in which each follows its inputs."""
    wanted = {layers[-1].name}
    for layer in reversed(layers):
        if layer.name in wanted:
            wanted.update(layer.inputs)
    used = tuple(layer for layer in layers if layer.name in wanted)
    takers: dict[str, list[Layer]] = {}
    for layer in used:
        for name in dict.fromkeys(layer.inputs):
            takers.setdefault(name, []).append(layer)
    return Graph(used, {layer.name: layer for layer in used}, takers)


def activation_name(spec: object) -> str | None:
    """Return the name of an activation argument, None for linear."""
    name = spec.get("type") if isinstance(spec, dict) else spec
    return None if name in (None, "linear") else str(name)


def is_elementwise(layer: Layer) -> bool:
    """Say whether a layer only rearranges values, or applies an activation to them."""
    return layer.type in _ELEMENTWISE


def output_activation(graph: Graph) -> tuple[str, Path] | None:
    """Return the last activation before the output and where it stands, None where there is none.

    Agrees with `dltrain.config.targets.last_layer`.
    """
    for layer in graph.from_the_output():
        if layer.type in ("softmax", "relu"):
            return layer.type, layer.path
        name = activation_name(layer.arguments.get("activation"))
        if layer.type in ("activation", "dense", "einsum_dense") and name is not None:
            return name, (*layer.path, "activation")
        if not is_elementwise(layer) and layer.type not in DROPOUTS:
            return None
    return None


def write_flow(value: Any) -> str:
    """Return a value as YAML in one line: `{type: dense, units: 10}`."""
    if isinstance(value, dict):
        if set(value) == {"type"}:
            return str(value["type"])
        return "{" + ", ".join(f"{key}: {write_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write_flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_layer(layer: Layer, **changes: Any) -> str:
    """Return the line of YAML that makes `layer` with other arguments; None leaves one out."""
    arguments = {**layer.arguments, **changes}
    kept = {name: value for name, value in arguments.items() if value is not None}
    return write_flow({"type": layer.type, **kept})
