"""How are images augmented so that the result depends on (seed, epoch, step) and nothing else?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dltrain.catalog.components import find


def build_augmentation(
    specs: Sequence[dict[str, Any]], build: Callable[[dict[str, Any]], Any], *, largest: float
) -> Callable[[Any, Any], Any]:
    """Return a function `(images, key) -> images`, to be called inside a tf.data map.

    `images` is `(batch, height, width, channels)` float32 from 0 to `largest`, `key` `(2,)` int32.
    Equal keys give equal images. `build` makes a Keras layer of a spec.
    """
    import keras
    import tensorflow as tf

    class KeyedSeeds(keras.random.SeedGenerator):  # type: ignore[misc]
        """Draw seeds from a key that comes with each batch, instead of from a state.

        Keras's own generator is a variable: in a parallel map its order would depend on threads.
        """

        key: Any = None
        draws = 0

        def next(self, ordered: bool = True) -> Any:
            self.draws += 1
            seed = tf.random.experimental.stateless_fold_in(self.key, self.draws)
            # int64 as Keras's own on TensorFlow: RandomElasticTransform refuses uint32.
            return tf.cast(seed & 0x7FFFFFFF, "int64")

    seeds = KeyedSeeds(seed=0)
    layers = [build(_with_value_range(spec, largest)) for spec in specs]
    for layer in layers:
        _replace_generators(layer, seeds)

    def augment(images: Any, key: Any) -> Any:
        seeds.key, seeds.draws = key, 0
        for layer in layers:
            images = layer(images, training=True)
        return images

    return augment


def _with_value_range(spec: dict[str, Any], largest: float) -> dict[str, Any]:
    """Tell a layer that asks for it which values the images have (digits: 0 to 16)."""
    component = find("layers", spec["type"])
    if component and "value_range" in component.arguments and "value_range" not in spec:
        return {**spec, "value_range": [0, largest]}
    return spec


def _replace_generators(layer: Any, seeds: Any) -> None:
    """Give `layer` and the layers inside it (RandAugment has many) `seeds` to draw from."""
    import keras

    for inner in layer._flatten_layers():
        for name, value in list(vars(inner).items()):
            if isinstance(value, keras.random.SeedGenerator):
                setattr(inner, name, seeds)
