"""Is every layer of use, and none out of proportion?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dltrain.config.layers import Layer
from dltrain.config.load import LoadedConfig
from dltrain.lint.finding import Note
from dltrain.lint.layers import DROPOUTS, Graph, activation_name, build_graph, write_layer

_CONVOLUTIONS = {"conv1d", "conv2d", "conv3d"}
# What leaves a linear map linear, or drops values of it.
_LINEAR = {"batch_normalization", "flatten", "reshape", "identity", "rescaling"} | DROPOUTS


def find_linear_pairs(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a dense layer (or a convolution) without activation that feeds another one."""
    graph = build_graph(loaded.layers)
    for layer in graph.layers:
        if _is_linear_map(layer):
            for follower in _linear_followers(graph, layer):
                yield Note(
                    layer.path,
                    f"{layer.name} has no activation before {follower.name}: two linear layers in "
                    "a row can do no more than one.",
                    f"Write `- {write_layer(layer, activation='relu')}`.",
                )


def find_unused_layers(loaded: LoadedConfig) -> Iterator[Note]:
    """Find layers whose output nothing takes."""
    taken = {name for layer in loaded.layers for name in layer.inputs}
    for layer in loaded.layers[:-1]:
        if layer.name not in taken:
            yield Note(
                layer.path,
                f"no layer takes the output of {layer.name} ({layer.type}): "
                "it is left out of the model.",
                f"Write `inputs: [{layer.name}]` in a later layer, or delete it.",
            )


def _is_linear_map(layer: Layer) -> bool:
    if activation_name(layer.arguments.get("activation")) is not None:
        return False
    # A 1×1 convolution without activation is a bottleneck, and often meant as one.
    return layer.type == "dense" or (layer.type in _CONVOLUTIONS and _kernel_area(layer) > 1)


def _kernel_area(layer: Layer) -> int:
    size = layer.arguments["kernel_size"]
    return math.prod(size) if isinstance(size, list) else int(size)


def _linear_followers(graph: Graph, layer: Layer) -> Iterator[Layer]:
    """Yield the first layer of the same type that gets the output of `layer` unbent."""
    waiting = graph.after(layer)
    while waiting:
        follower, *waiting = waiting
        if follower.type == layer.type and (follower.type == "dense" or _kernel_area(follower) > 1):
            yield follower
            return
        if follower.type in _LINEAR:
            waiting += graph.after(follower)
