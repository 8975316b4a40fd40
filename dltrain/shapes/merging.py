"""What do the layers make of several inputs that put them together?"""

from __future__ import annotations

import math

from dltrain.shapes.axes import row_axis
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape

_SEVERAL = "Name them under inputs: [a, b], and give those layers a name:."


def merge(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Put inputs together number by number: add, multiply, average, maximum, minimum."""
    _check_count(inputs)
    output = inputs[0]
    for shape in inputs[1:]:
        output = _broadcast(output, shape)
    return Effect(output=output)


def subtract(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Subtract the second input from the first."""
    if len(inputs) != 2:
        raise ImpossibleShapeError("two inputs", hint=_SEVERAL, argument="inputs")
    return merge(arguments, inputs)


def concatenate(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Put the inputs one behind the other along `axis`."""
    _check_count(inputs)
    first = inputs[0]
    if len({len(shape) for shape in inputs}) > 1:
        raise ImpossibleShapeError(
            "inputs with the same number of axes", hint="Flatten or reshape them first."
        )
    axis = row_axis(arguments["axis"], first)
    rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in inputs}
    if len(rest) > 1:
        raise ImpossibleShapeError(
            f"inputs that differ along axis {arguments['axis']} alone",
            hint="Give the layers before it the same sizes, or flatten both.",
        )
    size = sum(shape[axis] for shape in inputs)
    return Effect(output=(*first[:axis], size, *first[axis + 1 :]))


def dot(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Multiply two inputs and add up along one axis of each."""
    if len(inputs) != 2:
        raise ImpossibleShapeError("two inputs", hint=_SEVERAL, argument="inputs")
    axes = arguments["axes"]
    first, second = inputs
    one, other = (axes, axes) if isinstance(axes, int) else axes
    if not isinstance(axes, int) and min(axes) < 0:
        raise NoRuleError
    try:
        left, right = row_axis(one, first), row_axis(other, second)
    except ImpossibleShapeError:
        raise NoRuleError from None
    if first[left] != second[right]:
        raise ImpossibleShapeError(
            "the same size along axes", hint="Choose axes of the same size.", argument="axes"
        )
    output = (*first[:left], *first[left + 1 :], *second[:right], *second[right + 1 :])
    return Effect(output=output or (1,), multiply_adds=math.prod(output) * first[left])


def _check_count(inputs: tuple[Shape, ...]) -> None:
    if len(inputs) < 2:
        raise ImpossibleShapeError("two inputs or more", hint=_SEVERAL, argument="inputs")


def _broadcast(first: Shape, second: Shape) -> Shape:
    """Return the shape of both together: axes are paired from the last, and 1 goes with any."""
    rank = max(len(first), len(second))
    one = (1,) * (rank - len(first)) + first
    other = (1,) * (rank - len(second)) + second
    if any(a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True)):
        raise ImpossibleShapeError(
            "inputs of the same shape (1 goes with any size)",
            hint="Give the layers before it the same units, filters, strides and padding.",
        )
    return tuple(b if a == 1 else a for a, b in zip(one, other, strict=True))
