"""Is exactly what should be frozen left alone, and does the saved model say nothing of it?"""

from __future__ import annotations

from typing import Any

import numpy as np

from dltrain.model.freezing import Freezing

NAMES = ("first", "normalized", "second", "scores")


def build() -> Any:
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, name="first"),
            layers.BatchNormalization(name="normalized"),
            layers.Dense(4, name="second", trainable=False),
            layers.Dense(2, name="scores"),
        ]
    )


def trained(model: Any) -> list[str]:
    """Return the names of the layers of which anything is trained."""
    return [layer.name for layer in model.layers if layer.trainable_weights]


def test_words_speak_of_the_pretrained_layers_and_a_list_of_all() -> None:
    model = build()
    freezing = Freezing(model, layers=NAMES, pretrained=("first", "normalized"), trainable="none")
    freezing.apply(None)
    assert trained(model) == ["scores"]
    freezing.apply({"last_n": 1})
    assert trained(model) == ["normalized", "scores"]
    freezing.apply({"last_n": 7})
    assert trained(model) == ["first", "normalized", "scores"]
    freezing.apply(["first"])
    assert trained(model) == ["first"]
    freezing.apply("all")
    assert trained(model) == ["first", "normalized", "scores"], "second says trainable: false"


def test_a_frozen_batch_normalization_uses_and_keeps_its_moving_statistics() -> None:
    model = build()
    freezing = Freezing(model, layers=NAMES, pretrained=("first", "normalized"))
    rows = np.random.default_rng(0).normal(5, 3, (32, 3)).astype("float32")
    freezing.apply("none")
    before = np.array(model.get_layer("normalized").moving_mean)
    quiet = model(rows, training=True)
    assert np.array_equal(quiet, model(rows, training=False))
    assert np.array_equal(before, model.get_layer("normalized").moving_mean)
    freezing.apply("all")
    assert not np.allclose(model(rows, training=True), quiet)
    assert not np.array_equal(before, model.get_layer("normalized").moving_mean)


def test_inside_as_built_nothing_is_frozen_that_the_config_does_not_freeze() -> None:
    model = build()
    freezing = Freezing(model, layers=NAMES, pretrained=NAMES[:3], trainable="none")
    freezing.apply(None)
    with freezing.as_built():
        assert trained(model) == ["first", "normalized", "scores"]
    assert trained(model) == ["scores"]
