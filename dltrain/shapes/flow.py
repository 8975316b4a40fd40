"""What flows from layer to layer besides a shape? Whether numbers are whole, and a mask."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.shapes.dtypes import gives_integers
from dltrain.shapes.effect import Effect, NoRuleError, Shape
from dltrain.shapes.masks import carries_mask
from dltrain.shapes.rules import find_effect

# TensorFlow counts in 64 bits. A block that grows its input may ask for more, again and again: a
# number of thousands of digits, which Python itself refuses to print.
_LARGEST = 2**63


@dataclass(frozen=True)
class Flow:
    """What a layer takes or gives for a row: the shape, and what decides who can take it."""

    shape: Shape
    integers: bool = False
    masked: bool = False


def apply_layer(
    kind: str, arguments: Mapping[str, Any], inputs: tuple[Flow, ...]
) -> tuple[Effect, Flow]:
    """Return a layer's effect, and what flows on.

    Raises ImpossibleShapeError where Keras fails, NoRuleError where only Keras knows.
    """
    shapes = tuple(flow.shape for flow in inputs)
    effect = find_effect(kind, arguments, shapes)
    if math.prod(effect.output) >= _LARGEST:
        raise NoRuleError
    return effect, Flow(
        shape=effect.output,
        integers=gives_integers(kind, arguments, [flow.integers for flow in inputs]),
        masked=carries_mask(kind, arguments, shapes, [flow.masked for flow in inputs]),
    )
