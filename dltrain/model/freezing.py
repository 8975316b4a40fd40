"""Which layers of a built model are trained at the moment, and which are frozen?

Frozen is Keras's own `layer.trainable = False`: the optimizer leaves the weights alone, and a batch
normalization uses, and keeps, its moving statistics in training, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dltrain.config.trainable import Trainable, find_frozen


class Freezing:
    """Freeze and thaw the layers of `model`, a Keras model as the config describes it.

    `layers` are the names of those of `model.layers`, `pretrained` of those that start from other
    weights, both in order. `backbone` is a model that stands in front of them as one layer: all
    that it holds is pretrained. `trainable` says what is trained where a phase says nothing.
    """

    def __init__(
        self,
        model: Any,
        *,
        layers: Sequence[str],
        pretrained: Sequence[str] = (),
        trainable: Trainable | None = None,
        backbone: Any = None,
    ) -> None:
        self._trainable = trainable
        self._by_name = {layer.name: layer for layer in model.layers}
        inside = {}
        if backbone is not None:
            inside = {f"{backbone.name}/{layer.name}": layer for layer in backbone.layers}
        self._by_name |= inside
        self.pretrained = (*inside, *pretrained)
        self._layers = (*inside, *layers)
        # Parents come before what they hold, so putting the flags back in this order is right.
        every = model._flatten_layers(include_self=False, recursive=True)
        self._built = [(layer, layer.trainable) for layer in every]

    def apply(self, trainable: Trainable | None) -> None:
        """Freeze what `trainable` (None: the model's own) says, and thaw the rest.

        What the config itself freezes, by a layer's own `trainable: false`, stays frozen. Compiled
        functions must be traced anew to notice.
        """
        self._thaw()
        asked = self._trainable if trainable is None else trainable
        for name in find_frozen(asked, layers=self._layers, pretrained=self.pretrained):
            if name in self._by_name:  # a layer whose output nothing takes is not in the model
                self._by_name[name].trainable = False

    @contextmanager
    def as_built(self) -> Iterator[None]:
        """Let every layer be as built for the block: a saved model says nothing of phases."""
        flags = [(layer, layer.trainable) for layer, _ in self._built]
        self._thaw()
        try:
            yield
        finally:
            _set(flags)

    def _thaw(self) -> None:
        _set(self._built)


def _set(flags: list[tuple[Any, bool]]) -> None:
    for layer, trainable in flags:
        layer.trainable = trainable
