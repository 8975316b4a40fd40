"""What do padding, cropping, up-sampling and resizing make of the spatial axes?"""

from __future__ import annotations

from typing import Any

from dltrain.shapes.axes import per_axis, split_grid
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape


def zero_padding(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Add cells before and after each spatial axis."""
    grid = split_grid(rank, arguments, inputs)
    margins = _margins(arguments["padding"], rank)
    sizes = [size + sum(pair) for size, pair in zip(grid.sizes, margins, strict=True)]
    return Effect(output=grid.shape(sizes, grid.channels))


def cropping(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Cut cells off before and after each spatial axis."""
    grid = split_grid(rank, arguments, inputs)
    margins = _margins(arguments["cropping"], rank)
    sizes = [size - sum(pair) for size, pair in zip(grid.sizes, margins, strict=True)]
    if min(sizes) < 1:
        cut = " × ".join(str(sum(pair)) for pair in margins)
        raise ImpossibleShapeError(
            f"an input larger than the {cut} cells that it cuts off",
            hint="Use a smaller cropping.",
            argument="cropping",
        )
    return Effect(output=grid.shape(sizes, grid.channels))


def up_sampling(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Repeat each cell `size` times."""
    grid = split_grid(rank, arguments, inputs)
    factors = per_axis(arguments["size"], rank)
    sizes = [size * factor for size, factor in zip(grid.sizes, factors, strict=True)]
    return Effect(output=grid.shape(sizes, grid.channels))


def resize(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Give an image of `height` and `width`, whatever its size: resizing and center_crop."""
    if len(inputs) != 1 or len(inputs[0]) != 3:
        raise NoRuleError  # Keras takes (height, width, channels) for one image without a batch
    grid = split_grid(2, arguments, inputs)
    return Effect(output=grid.shape((arguments["height"], arguments["width"]), grid.channels))


def _margins(value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Return [before, after] an axis for all the ways in which Keras lets it be written."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if rank == 1:
        before, after = value
        return ((before, after),)
    return tuple((item, item) if isinstance(item, int) else tuple(item) for item in value)
