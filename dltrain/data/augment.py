"""How are images augmented so that the result depends on (seed, epoch, row) and nothing else?

What a layer of Keras draws for each image is drawn from that image's row. What it draws once for a
whole batch (the operations that rand_augment and aug_mix choose, random_elastic_transform's field,
which images mix_up and cut_mix bring together) is drawn from the step. Neither has a state: any
step of any epoch can be entered again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dltrain.catalog.components import find
from dltrain.config.placement import LABEL_MIXING
from dltrain.data.keyed_random import KeyedRandom

Augment = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]
"""(inputs, labels, rows, epoch, step) -> (inputs, labels)"""


def build_augmentation(
    specs: Sequence[dict[str, Any]],
    build: Callable[[dict[str, Any]], Any],
    *,
    largest: float,
    seed: int,
) -> Augment:
    """Return a function `(images, labels, rows, epoch, step) -> (images, labels)`.

    It is for use inside a tf.function. `images` is `(batch, height, width, channels)` float32 from
    0 to `largest`, `rows` `(batch,)` int64 numbers of rows, `epoch` and `step` int64 scalars, from
    0. `build` makes a Keras layer of a spec. `labels` `(batch, columns)` float32 are changed only
    by layers that mix rows, and then as the images are.
    """
    import tensorflow as tf

    draws = KeyedRandom(seed)
    layers = [
        (build(_with_value_range(spec, largest)), spec["type"] in LABEL_MIXING) for spec in specs
    ]
    for layer, _ in layers:
        _replace_randomness(layer, draws)

    def augment(images: Any, labels: Any, rows: Any, epoch: Any, step: Any) -> tuple[Any, Any]:
        static, static_labels = images.shape, labels.shape
        # Keras's layers ask for the batch size: as a tensor it can't be taken for another number.
        images = tf.raw_ops.PlaceholderWithDefault(input=images, shape=(None, *static[1:]))
        rows = tf.raw_ops.PlaceholderWithDefault(input=rows, shape=(None,))
        with draws.keyed_by(rows, epoch, step), _python_random(seed):
            for layer, mixes_labels in layers:
                if mixes_labels:
                    mixed = layer({"images": images, "labels": labels}, training=True)
                    images, labels = mixed["images"], mixed["labels"]
                else:
                    images = layer(images, training=True)
        images = tf.ensure_shape(images, (static[0], *images.shape[1:]))
        return images, tf.ensure_shape(labels, static_labels)

    return augment


def _with_value_range(spec: dict[str, Any], largest: float) -> dict[str, Any]:
    """Tell a layer that asks for it which values the images have (digits: 0 to 16)."""
    component = find("layers", spec["type"])
    if component and "value_range" in component.arguments and "value_range" not in spec:
        return {**spec, "value_range": [0, largest]}
    return spec


def _replace_randomness(layer: Any, draws: KeyedRandom) -> None:
    """Give `layer` and the layers inside it (rand_augment has many) `draws` to draw from."""
    import keras

    for inner in layer._flatten_layers():
        for name, value in list(vars(inner).items()):
            if isinstance(value, keras.random.SeedGenerator):
                setattr(inner, name, draws.seeds)
        if hasattr(inner, "backend"):
            inner.backend = draws.wrap_backend(inner.backend)


@contextmanager
def _python_random(seed: int) -> Iterator[None]:
    """Seed Python's `random`, by which aug_mix chooses its chains when it is traced."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
