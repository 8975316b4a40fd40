"""How do a layer's axes read? The inputs it wants, its spatial axes, an axis by its number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dltrain.shapes.effect import Arguments, ImpossibleShapeError, NoRuleError, Shape

_WANTED = {
    1: "a sequence (steps, channels)",
    2: "an image (height, width, channels)",
    3: "a volume (depth, height, width, channels)",
}


@dataclass(frozen=True)
class Grid:
    """A row with spatial axes: their sizes, and the channels at each place."""

    sizes: tuple[int, ...]
    channels: int
    channels_first: bool

    def shape(self, sizes: Iterable[int], channels: int) -> Shape:
        """Return the shape of a row with other sizes and channels, its axes in the same order."""
        return (channels, *sizes) if self.channels_first else (*sizes, channels)


def one_input(inputs: tuple[Shape, ...]) -> Shape:
    """Return the only input."""
    if len(inputs) != 1:
        raise ImpossibleShapeError(
            "one input", hint="Merge them first: add, concatenate, ….", argument="inputs"
        )
    return inputs[0]


def with_rank(inputs: tuple[Shape, ...], rank: int, wanted: str, *, hint: str = "") -> Shape:
    """Return the only input, which must have `rank` axes besides the batch's."""
    shape = one_input(inputs)
    if len(shape) != rank:
        raise ImpossibleShapeError(wanted, hint=hint)
    return shape


def split_grid(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Grid:
    """Return the only input as `rank` spatial axes and channels."""
    shape = one_input(inputs)
    if len(shape) != rank + 1:
        raise ImpossibleShapeError(_WANTED[rank], hint=_rank_hint(len(shape), rank + 1))
    if arguments.get("data_format") == "channels_first":
        return Grid(shape[1:], shape[0], channels_first=True)
    return Grid(shape[:-1], shape[-1], channels_first=False)


def _rank_hint(received: int, wanted: int) -> str:
    if received == 1:
        return "Put it before flatten, pooling over everything and dense, or reshape first."
    if received < wanted:
        return f"Take the layer for {received - 1} spatial axes, or reshape first."
    return f"Take the layer for {received - 1} spatial axes, or reshape or flatten first."


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """Return one number an axis for `3` as for `[3, 3]`."""
    return tuple(value) if isinstance(value, list | tuple) else (value,) * rank


def row_axis(axis: int, shape: Shape) -> int:
    """Return the index into a row's `shape` of an axis that Keras counts with the batch's.

    Raises NoRuleError for the batch axis itself, and ImpossibleShapeError for one that isn't there.
    """
    rank = len(shape) + 1
    if not -rank <= axis < rank:
        raise ImpossibleShapeError(
            f"an input with an axis {axis}",
            hint=f"The batch is axis 0; the last of this input is {len(shape)}, or -1.",
            argument="axis",
        )
    if axis % rank == 0:
        raise NoRuleError
    return axis % rank - 1


def row_axes(axes: Any, shape: Shape) -> tuple[int, ...]:
    """Return the indices into `shape` of one axis or several; NoRuleError if one comes twice."""
    several = axes if isinstance(axes, list | tuple) else [axes]
    found = tuple(row_axis(axis, shape) for axis in several)
    if len(set(found)) < len(found):
        raise NoRuleError
    return found
