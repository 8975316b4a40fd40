"""What do the normalization layers hold? They keep the shape."""

from __future__ import annotations

import math

from dltrain.shapes.axes import one_input, row_axes, row_axis
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape


def batch_normalization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Hold gamma and beta, and the moving mean and variance, which no gradient trains."""
    shape = one_input(inputs)
    size = shape[row_axis(arguments["axis"], shape)]
    return Effect(
        output=shape,
        trainable=_count_scale_and_center(arguments) * size,
        fixed=(5 if arguments["renorm"] else 2) * size,
    )


def layer_normalization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Hold gamma and beta over the axes that are normalized."""
    shape = one_input(inputs)
    size = math.prod(shape[axis] for axis in row_axes(arguments["axis"], shape))
    return Effect(output=shape, trainable=_count_scale_and_center(arguments) * size)


def rms_normalization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Hold a scale over the axes that are normalized."""
    shape = one_input(inputs)
    axes = row_axes(arguments["axis"], shape)
    if sorted(axes) != list(range(len(shape) - len(axes), len(shape))):
        raise NoRuleError
    return Effect(output=shape, trainable=math.prod(shape[axis] for axis in axes))


def group_normalization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Hold gamma and beta for each channel; `groups: -1` makes a group of each."""
    shape = one_input(inputs)
    size = shape[row_axis(arguments["axis"], shape)]
    groups = size if arguments["groups"] == -1 else arguments["groups"]
    if size % groups:
        raise ImpossibleShapeError(
            f"channels that {groups} groups divide",
            hint=f"Choose groups that divide {size}.",
            argument="groups",
        )
    return Effect(output=shape, trainable=_count_scale_and_center(arguments) * size)


def unit_normalization(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Divide by the length along the axes."""
    shape = one_input(inputs)
    row_axes(arguments["axis"], shape)
    return Effect(output=shape)


def normalize_by_given(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Subtract a given mean and divide by a given deviation: `normalization`."""
    shape = one_input(inputs)
    if arguments["axis"] not in (-1, len(shape)):
        raise NoRuleError
    mean, variance = arguments["mean"], arguments["variance"]
    lengths = {len(value) if isinstance(value, list) else 1 for value in (mean, variance)}
    if variance is None or isinstance(mean, list) != isinstance(variance, list):
        raise NoRuleError
    if len(lengths) > 1 or not lengths <= {1, shape[-1]}:
        raise NoRuleError
    return Effect(output=shape)


def rescale(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Multiply by a given scale and add an offset: `rescaling`."""
    shape = one_input(inputs)
    for name in ("scale", "offset"):
        value = arguments[name]
        if isinstance(value, list) and len(value) not in (1, shape[-1]):
            raise NoRuleError
    return Effect(output=shape)


def _count_scale_and_center(arguments: Arguments) -> int:
    return int(arguments["scale"]) + int(arguments["center"])
