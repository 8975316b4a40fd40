"""What does a rule say of a layer? Its output's shape and what it costs, or that it can't be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Shape = tuple[int, ...]
"""The shape of what a layer takes or gives for one row: the batch axis is left out."""

Arguments = Mapping[str, Any]
"""A layer's arguments by Keras's names, defaults written out."""


@dataclass(frozen=True)
class Effect:
    """What a layer gives, and what it costs.

    `trainable` and `fixed` count parameters: those that training changes, and those it doesn't.
    `multiply_adds` counts, for one row, the products that matrix products, convolutions and
    attention add up; work that goes over each number once or twice (activation, bias,
    normalization, pooling) is left out.
    """

    output: Shape
    trainable: int = 0
    fixed: int = 0
    multiply_adds: int = 0

    def frozen(self) -> Effect:
        """Return the same with no parameter trained, as `trainable: false` has it."""
        return replace(self, trainable=0, fixed=self.trainable + self.fixed)


class ImpossibleShapeError(Exception):
    """Keras can't build the layer on such an input.

    `expected` completes "expects …", `hint` says what to change, and `argument` names the one that
    is at fault, if one is.
    """

    def __init__(self, expected: str, *, hint: str = "", argument: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint
        self.argument = argument


class NoRuleError(Exception):
    """There is no rule for the layer, or none for these arguments: only Keras knows."""


Rule = Callable[[Arguments, tuple[Shape, ...]], Effect]
"""From a layer's arguments and the shapes of its inputs to its effect.

Raises ImpossibleShapeError where Keras fails, NoRuleError where only Keras knows.
"""


def show_shape(shape: Shape) -> str:
    """Return `(28, 28, 1)`; `(10,)` as Python writes it."""
    return str(tuple(shape))
