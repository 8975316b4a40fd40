"""Is every layer of use, and none out of proportion?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dltrain.config.layers import Layer
from dltrain.config.load import LoadedConfig
from dltrain.lint.finding import Note
from dltrain.lint.layers import DROPOUTS, Graph, activation_name, build_graph, write_layer

# Classic small networks flatten some 2,000 to 9,000 features (LeNet-5 has 400, AlexNet 9,216); the
# map after one unpooled convolution of 28×28 pixels has 21,632.
_MOST_FEATURES = 10_000
_MOST_WEIGHTS = 2_000_000

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


def find_huge_flattening(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a flattened map that makes the dense layer after it the bulk of the model."""
    graph = build_graph(loaded.layers)
    flattened = {layer.name: layer for layer in graph.layers if _flattens_a_layer(graph, layer)}
    if not flattened:
        return
    from dltrain.shapes.infer import infer_shapes  # no other rule needs shapes

    for row in infer_shapes(loaded).layers:
        shape = row.inputs[0] if row.name in flattened else None
        dense = _dense_behind(graph, flattened[row.name]) if shape else None
        if shape is None or dense is None or len(shape) not in (2, 3, 4):
            continue
        features = math.prod(shape)
        weights = features * dense.arguments["units"]
        if features > _MOST_FEATURES and weights > _MOST_WEIGHTS:
            yield Note(
                row.path,
                f"{row.name} makes {features:,} features of a map of "
                f"{' × '.join(map(str, shape))}, and {dense.name} has {weights:,} weights for "
                "them: enough to learn the training rows by heart.",
                f"Write `- global_average_pooling{len(shape) - 1}d` instead.",
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


def _flattens_a_layer(graph: Graph, layer: Layer) -> bool:
    """Say whether `layer` flattens another layer's output, and not the rows themselves."""
    return layer.type == "flatten" and graph.before(layer) is not None


def _dense_behind(graph: Graph, layer: Layer) -> Layer | None:
    """Return the first dense layer that gets all values of `layer`."""
    waiting = graph.after(layer)
    while waiting:
        follower, *waiting = waiting
        if follower.type == "dense":
            return follower
        if follower.type in DROPOUTS | {"batch_normalization", "layer_normalization", "activation"}:
            waiting += graph.after(follower)
    return None


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
