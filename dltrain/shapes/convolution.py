"""What do the convolutions make of their input? For one, two or three spatial axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dltrain.shapes.axes import Grid, per_axis, split_grid
from dltrain.shapes.dense import count_kernel
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape

_AXES = {
    1: ("steps",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}


def convolution(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Slide `filters` kernels over the input; with `groups`, each over its share of channels."""
    grid = split_grid(rank, arguments, inputs)
    filters, groups = arguments["filters"], arguments["groups"]
    if grid.channels % groups:
        raise ImpossibleShapeError(
            f"channels that {groups} groups divide",
            hint=f"Choose groups that divide {grid.channels}.",
            argument="groups",
        )
    kernel = per_axis(arguments["kernel_size"], rank)
    sizes = slide(grid, kernel, arguments)
    trainable, fixed = count_kernel((*kernel, grid.channels // groups, filters), arguments)
    return Effect(
        output=grid.shape(sizes, filters),
        trainable=trainable + (filters if arguments["use_bias"] else 0),
        fixed=fixed,
        multiply_adds=math.prod(sizes) * math.prod(kernel) * grid.channels // groups * filters,
    )


def depthwise(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Slide `depth_multiplier` kernels over each channel by itself."""
    grid = split_grid(rank, arguments, inputs)
    _refuse_to_judge(rank, arguments)
    kernel = per_axis(arguments["kernel_size"], rank)
    sizes = slide(grid, kernel, arguments)
    filters = grid.channels * arguments["depth_multiplier"]
    weights = math.prod(kernel) * filters
    return Effect(
        output=grid.shape(sizes, filters),
        trainable=weights + (filters if arguments["use_bias"] else 0),
        multiply_adds=math.prod(sizes) * weights,
    )


def separable(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Slide over each channel by itself, then mix the channels at each place."""
    grid = split_grid(rank, arguments, inputs)
    _refuse_to_judge(rank, arguments)
    kernel = per_axis(arguments["kernel_size"], rank)
    sizes = slide(grid, kernel, arguments)
    between, filters = grid.channels * arguments["depth_multiplier"], arguments["filters"]
    weights = math.prod(kernel) * between + between * filters
    return Effect(
        output=grid.shape(sizes, filters),
        trainable=weights + (filters if arguments["use_bias"] else 0),
        multiply_adds=math.prod(sizes) * weights,
    )


def transposed(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Spread each place of the input over a kernel's width: what a convolution's gradient does."""
    grid = split_grid(rank, arguments, inputs)
    kernel = per_axis(arguments["kernel_size"], rank)
    strides = per_axis(arguments["strides"], rank)
    dilation = per_axis(arguments["dilation_rate"], rank)
    if arguments["output_padding"] is not None or max(dilation) > 1:
        raise NoRuleError  # what TensorFlow takes differs from what Keras promises
    filters, weights = arguments["filters"], math.prod(kernel) * grid.channels
    sizes = [
        size * stride if arguments["padding"] == "same" else size * stride + max(width - stride, 0)
        for size, stride, width in zip(grid.sizes, strides, kernel, strict=True)
    ]
    return Effect(
        output=grid.shape(sizes, filters),
        trainable=weights * filters + (filters if arguments["use_bias"] else 0),
        multiply_adds=math.prod(grid.sizes) * weights * filters,
    )


def slide(grid: Grid, kernel: Sequence[int], arguments: Arguments) -> tuple[int, ...]:
    """Return the spatial sizes after a kernel was slid over `grid`.

    `arguments` hold `strides`, `dilation_rate` and `padding`.
    """
    rank = len(grid.sizes)
    strides = per_axis(arguments["strides"], rank)
    dilation = per_axis(arguments["dilation_rate"], rank)
    if arguments["padding"] in ("same", "causal"):
        return tuple(
            (size - 1) // stride + 1 for size, stride in zip(grid.sizes, strides, strict=True)
        )
    reach = [apart * (width - 1) + 1 for apart, width in zip(dilation, kernel, strict=True)]
    check_reach(grid, reach, argument="kernel_size", what="kernel")
    return tuple(
        (size - wide) // stride + 1
        for size, wide, stride in zip(grid.sizes, reach, strides, strict=True)
    )


def check_reach(grid: Grid, reach: Sequence[int], *, argument: str, what: str) -> None:
    """Refuse a window of `reach` places an axis that is larger than the input."""
    names = _AXES[len(grid.sizes)]
    short = [
        f"{name} >= {wide}"
        for name, size, wide in zip(names, grid.sizes, reach, strict=True)
        if size < wide
    ]
    if short:
        raise ImpossibleShapeError(
            f"{' and '.join(short)} for its {what}",
            hint=f"Use padding: same, a smaller {argument}, or less pooling and fewer strides "
            "before it.",
            argument=argument,
        )


def _refuse_to_judge(rank: int, arguments: Arguments) -> None:
    """Leave to Keras what its backend takes or refuses by itself."""
    strides = per_axis(arguments["strides"], rank)
    if len(set(strides)) > 1:
        raise NoRuleError
    if max(strides) > 1 and max(per_axis(arguments["dilation_rate"], rank)) > 1:
        raise NoRuleError
