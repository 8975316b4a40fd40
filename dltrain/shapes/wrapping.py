"""What do the layers do that hold others?

Their rules are given `find_effect` of `dltrain.shapes.rules` besides, for the layer inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dltrain.shapes.axes import one_input
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape

FindEffect = Callable[[str, Mapping[str, Any], tuple[Shape, ...]], Effect]

_WITH_KERNEL = {
    "conv1d": "filters",
    "conv2d": "filters",
    "conv3d": "filters",
    "dense": "units",
    "embedding": "output_dim",
}


def bidirectional(
    arguments: Arguments, inputs: tuple[Shape, ...], find_effect: FindEffect
) -> Effect:
    """Run a recurrent layer forwards and a twin of it backwards."""
    layer = arguments["layer"]
    if arguments["backward_layer"] is not None or layer.get("go_backwards"):
        raise NoRuleError
    if arguments["merge_mode"] is None:
        raise ImpossibleShapeError(
            "merge_mode: concat, sum, mul or ave, since a layer of a model gives one output",
            argument="merge_mode",
        )
    one = _effect_inside(layer, inputs, find_effect)
    width = 2 if arguments["merge_mode"] == "concat" else 1
    return Effect(
        output=(*one.output[:-1], one.output[-1] * width),
        trainable=2 * one.trainable,
        fixed=2 * one.fixed,
        multiply_adds=2 * one.multiply_adds,
    )


def time_distributed(
    arguments: Arguments, inputs: tuple[Shape, ...], find_effect: FindEffect
) -> Effect:
    """Apply a layer to each step by itself."""
    shape = one_input(inputs)
    if len(shape) < 2:
        raise ImpossibleShapeError("a sequence (steps, …)", hint="Leave time_distributed out.")
    one = _effect_inside(arguments["layer"], (shape[1:],), find_effect)
    return replace(one, output=(shape[0], *one.output), multiply_adds=shape[0] * one.multiply_adds)


def pipeline(arguments: Arguments, inputs: tuple[Shape, ...], find_effect: FindEffect) -> Effect:
    """Apply layers one after the other."""
    total = Effect(output=one_input(inputs))
    for layer in arguments["layers"]:
        one = _effect_inside(layer, (total.output,), find_effect)
        total = Effect(
            output=one.output,
            trainable=total.trainable + one.trainable,
            fixed=total.fixed + one.fixed,
            multiply_adds=total.multiply_adds + one.multiply_adds,
        )
    return total


def spectral_normalization(
    arguments: Arguments, inputs: tuple[Shape, ...], find_effect: FindEffect
) -> Effect:
    """Keep a vector beside the kernel of the layer inside, to measure its largest stretch."""
    layer = arguments["layer"]
    if layer["type"] not in _WITH_KERNEL or layer.get("lora_rank"):
        raise NoRuleError
    one = _effect_inside(layer, inputs, find_effect)
    return replace(one, fixed=one.fixed + layer[_WITH_KERNEL[layer["type"]]])


def _effect_inside(
    layer: Mapping[str, Any], inputs: tuple[Shape, ...], find_effect: FindEffect
) -> Effect:
    arguments = {name: value for name, value in layer.items() if name != "type"}
    return find_effect(layer["type"], arguments, inputs)
