"""Do the layers of a model get another's weights, those named and no others, or a clear refusal?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.model.taken_weights import TakenWeightsError, take_weights


def build(units: int = 4, *, classes: int = 3) -> Any:
    """Return a model of two dense layers around a batch normalization and a dropout."""
    import keras

    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(units, name="hidden"),
            keras.layers.BatchNormalization(name="normalized"),
            keras.layers.Dropout(0.5, name="dropped"),
            keras.layers.Dense(classes, name="scores"),
        ]
    )


def values(model: Any, name: str) -> list[Any]:
    return [np.array(weight) for weight in model.get_layer(name).get_weights()]


def test_layers_that_are_named_get_the_weights_and_no_others() -> None:
    model, source = build(classes=2), build(classes=5)
    source.get_layer("normalized").moving_mean.assign(np.arange(4.0))
    before = values(model, "scores")
    taken = take_weights(model, source, ["hidden", "normalized", "dropped"])
    assert taken == ("hidden", "normalized"), "a dropout has no weights to take"
    for name in taken:
        for one, other in zip(values(model, name), values(source, name), strict=True):
            assert np.array_equal(one, other)
    assert all(map(np.array_equal, before, values(model, "scores")))


def test_weights_of_another_shape_are_refused_before_anything_changes() -> None:
    model, source = build(classes=2), build(classes=5)
    before = values(model, "hidden")
    with pytest.raises(TakenWeightsError) as error:
        take_weights(model, source, ["hidden", "scores"])
    assert error.value.layer == "scores"
    assert error.value.message == ("scores has weights (4, 5), (5,) there and (4, 2), (2,) here")
    assert all(map(np.array_equal, before, values(model, "hidden")))


def test_a_layer_that_the_other_model_lacks_is_refused() -> None:
    import keras

    source = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, name="other")])
    with pytest.raises(TakenWeightsError) as error:
        take_weights(build(), source, ["hidden"])
    assert error.value.message == "it has no layer 'hidden'"
