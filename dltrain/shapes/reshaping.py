"""What do the layers make of their input that arrange it anew, and compute nothing?"""

from __future__ import annotations

import math

from dltrain.shapes.axes import one_input, with_rank
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, Shape, show_shape


def flatten(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give one axis."""
    return Effect(output=(math.prod(one_input(inputs)),))


def reshape(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give `target_shape`, in which one -1 stands for what is left."""
    shape = one_input(inputs)
    target = tuple(arguments["target_shape"])
    size, given = math.prod(shape), math.prod(axis for axis in target if axis != -1)
    left = target.count(-1)
    if left > 1:
        raise ImpossibleShapeError(
            "at most one -1 in target_shape", hint="Write the others out.", argument="target_shape"
        )
    if (left and size % given) or (not left and size != given):
        numbers = f"a multiple of {given:,}" if left else f"{given:,}"
        raise ImpossibleShapeError(
            f"{numbers} numbers for target_shape {show_shape(target)}",
            hint=f"The input has {size:,} numbers: choose sizes whose product that is, "
            "or let one be -1.",
            argument="target_shape",
        )
    return Effect(output=tuple(size // given if axis == -1 else axis for axis in target))


def permute(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give the axes in the order of `dims`, which counts them from 1."""
    dims = arguments["dims"]
    if sorted(dims) != list(range(1, len(dims) + 1)):
        raise ImpossibleShapeError(f"dims with each of 1 to {len(dims)} once", argument="dims")
    shape = one_input(inputs)
    if len(shape) != len(dims):
        raise ImpossibleShapeError(
            f"an input of {len(dims)} axes for its dims",
            hint=f"Give dims an order of 1 to {len(shape)}.",
            argument="dims",
        )
    return Effect(output=tuple(shape[axis - 1] for axis in dims))


def repeat_vector(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Take `(features,)`, give `(n, features)`."""
    shape = with_rank(inputs, 1, "a vector (features,)", hint="Put flatten before it.")
    return Effect(output=(arguments["n"], *shape))
