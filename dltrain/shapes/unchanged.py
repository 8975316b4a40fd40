"""Which layers keep the shape? Activations, dropout and noise, masking; and what PReLU holds."""

from __future__ import annotations

import math

from dltrain.shapes.axes import one_input, row_axes, split_grid
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape


def keep(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give each number a new value in its place."""
    if len(inputs) != 1:
        raise NoRuleError
    activation = arguments.get("activation")
    if isinstance(activation, dict) and len(activation) > 1:
        raise NoRuleError  # an activation with arguments of its own, such as an axis
    return Effect(output=inputs[0])


def keep_grid(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Drop whole channels of an input with `rank` spatial axes."""
    split_grid(rank, arguments, inputs)
    return Effect(output=inputs[0])


def softmax(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Normalize along the axes to a sum of one."""
    shape = one_input(inputs)
    row_axes(arguments["axis"], shape)
    return Effect(output=shape)


def prelu(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Hold a slope for each number of a row, except along `shared_axes`."""
    shape = one_input(inputs)
    given = arguments["shared_axes"]
    shared = given if isinstance(given, list) else [] if given is None else [given]
    if any(axis < 1 for axis in shared):
        raise NoRuleError
    if any(axis > len(shape) for axis in shared):
        raise ImpossibleShapeError(
            f"an input with an axis {max(shared)}",
            hint=f"The axes of this input are 1 to {len(shape)}.",
            argument="shared_axes",
        )
    sizes = [1 if axis in shared else size for axis, size in enumerate(shape, start=1)]
    return Effect(output=shape, trainable=math.prod(sizes))
