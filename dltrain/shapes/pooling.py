"""What do the pooling layers make of their input? They hold no parameters."""

from __future__ import annotations

from dltrain.shapes.axes import per_axis, split_grid
from dltrain.shapes.convolution import check_reach
from dltrain.shapes.effect import Arguments, Effect, Shape


def pool(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Take the largest or the average of each window of `pool_size`."""
    grid = split_grid(rank, arguments, inputs)
    window = per_axis(arguments["pool_size"], rank)
    strides = window if arguments["strides"] is None else per_axis(arguments["strides"], rank)
    if arguments["padding"] == "same":
        window = (1,) * rank
    check_reach(grid, window, argument="pool_size", what="window")
    sizes = [
        (size - wide) // stride + 1
        for size, wide, stride in zip(grid.sizes, window, strides, strict=True)
    ]
    return Effect(output=grid.shape(sizes, grid.channels))


def pool_globally(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Take the largest or the average of each channel."""
    grid = split_grid(rank, arguments, inputs)
    sizes = (1,) * rank if arguments["keepdims"] else ()
    return Effect(output=grid.shape(sizes, grid.channels))


def pool_adaptively(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Pool to `output_size`, whatever the input's size."""
    grid = split_grid(rank, arguments, inputs)
    return Effect(output=grid.shape(per_axis(arguments["output_size"], rank), grid.channels))
