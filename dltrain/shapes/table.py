"""What is known of a model's layers before it is built? A row a layer, and their sums."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dltrain.config.paths import Path
from dltrain.errors import ConfigError, Problem
from dltrain.shapes.effect import Shape


@dataclass(frozen=True)
class LayerShape:
    """One layer of the unfolded model, as `loaded.layers` has it, and what is known of it.

    `path` is where it stands in the config, `()` for a layer that dltrain adds itself. Shapes leave
    the batch axis out. None means unknown: the layer has no rule, or an input of it is unknown.
    `in_model` is False for a layer whose output nothing takes: Keras leaves it out.
    """

    name: str
    type: str
    path: Path
    inputs: tuple[Shape | None, ...]
    output: Shape | None
    trainable: int | None = None
    fixed: int | None = None
    multiply_adds: int | None = None
    in_model: bool = True
    frozen: bool = False
    """Whether its weights are not trained though its kind trains them: `dltrain.shapes.frozen`."""

    @property
    def parameters(self) -> int | None:
        """Return how many parameters the layer has, trained or not."""
        return None if self.trainable is None or self.fixed is None else self.trainable + self.fixed

    def activation_bytes(self, *, batch_size: int, value_bytes: int) -> int | None:
        """Return the size of the layer's output for a batch."""
        if self.output is None:
            return None
        return math.prod(self.output) * batch_size * value_bytes


@dataclass(frozen=True)
class ShapeTable:
    """All layers of a model, and the mistakes that their shapes show.

    `layers` has one entry for each of `loaded.layers`, in the same order. `before` and `after` are
    what dltrain adds: the normalization of the input, and the float32 output of mixed precision.
    """

    row: Shape
    dtype: str
    before: tuple[LayerShape, ...]
    layers: tuple[LayerShape, ...]
    after: tuple[LayerShape, ...]
    batch_size: int
    value_bytes: int
    """Bytes of one number of an activation: 4, or 2 in mixed precision."""
    problems: tuple[Problem, ...] = ()

    @property
    def rows(self) -> tuple[LayerShape, ...]:
        """Return the layers that Keras's model has, in its order."""
        used = tuple(layer for layer in self.layers if layer.in_model)
        return (*self.before, *used, *self.after)

    @property
    def is_complete(self) -> bool:
        """Tell whether every layer is known."""
        return all(layer.output is not None for layer in self.layers)

    @property
    def parameters(self) -> int | None:
        """Return how many parameters the model has; None if a layer is unknown."""
        return _add(layer.parameters for layer in self.rows)

    @property
    def trainable(self) -> int | None:
        """Return how many parameters are trained; None if a layer is unknown."""
        return _add(layer.trainable for layer in self.rows)

    @property
    def multiply_adds(self) -> int | None:
        """Return the multiply-adds of one row's prediction; None if a layer is unknown."""
        return _add(layer.multiply_adds for layer in self.rows)

    @property
    def activation_bytes(self) -> int | None:
        """Return the size of all outputs for a batch; None if a layer is unknown."""
        return _add(self.bytes_of(layer) for layer in self.rows)

    def bytes_of(self, layer: LayerShape) -> int | None:
        """Return the size of one layer's output for a batch; None if it is unknown."""
        return layer.activation_bytes(batch_size=self.batch_size, value_bytes=self.value_bytes)

    def raise_any(self) -> None:
        """Raise ConfigError with all problems, if there is one."""
        if self.problems:
            raise ConfigError(self.problems)


def _add(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
