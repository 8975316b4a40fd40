"""Does the LSTM of one operation compute what Keras's loop computes, and only where it may?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.model.fused import fuse
from dltrain.model.fused_lstm import FusedLSTM

BATCH, STEPS, FEATURES, UNITS = 5, 7, 3, 4


def make_model(layer: Any, *, masked: bool = False) -> Any:
    inputs = keras.Input((STEPS, FEATURES))
    before = keras.layers.Masking(0.0)(inputs) if masked else inputs
    outputs = layer(before)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(outputs)))


def lstm(**arguments: Any) -> Any:
    return keras.layers.LSTM(UNITS, **arguments)


def bidirectional(merge_mode: str | None = "concat", **arguments: Any) -> Any:
    return keras.layers.Bidirectional(lstm(**arguments), merge_mode=merge_mode)


def make_rows() -> Any:
    return np.random.default_rng(1).normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)


def randomize(model: Any) -> None:
    """Give every variable values that differ, biases among them: zeros would hide an order."""
    generator = np.random.default_rng(2)
    for variable in model.variables:
        variable.assign(generator.normal(scale=0.5, size=variable.shape))


def compute(model: Any, rows: Any) -> list[Any]:
    """Return the outputs, and the gradients of inputs and weights."""
    inputs = tf.constant(rows)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=True)
        loss = tf.reduce_sum(outputs**2 * np.linspace(-1, 2, BATCH, dtype=np.float32)[:, None])
    found = tape.gradient(loss, [inputs, *model.trainable_weights])
    return [np.asarray(value) for value in (outputs, *found)]


FUSED: dict[str, Callable[[], Any]] = {
    "last output": lstm,
    "sequences": lambda: lstm(return_sequences=True),
    "backwards": lambda: lstm(go_backwards=True),
    "backwards sequences": lambda: lstm(go_backwards=True, return_sequences=True),
    "no unit forget bias": lambda: lstm(unit_forget_bias=False),
    "both, last outputs": bidirectional,
    "both, sequences": lambda: bidirectional(return_sequences=True),
    "both, sum": lambda: bidirectional("sum", return_sequences=True),
    "both, mean": lambda: bidirectional("ave"),
    "both, product": lambda: bidirectional("mul", return_sequences=True),
}


@pytest.mark.parametrize("name", FUSED)
def test_outputs_and_gradients_equal_those_of_the_loop(name: str) -> None:
    model = make_model(FUSED[name]())
    randomize(model)
    twin = fuse(model)
    assert any(isinstance(layer, FusedLSTM) for layer in twin.layers)
    assert [id(one) for one in twin.variables] == [id(one) for one in model.variables]
    for own, kept in zip(compute(twin, make_rows()), compute(model, make_rows()), strict=True):
        np.testing.assert_allclose(own, kept, rtol=2e-4, atol=2e-5)


def test_regularizers_of_the_kernels_still_count() -> None:
    model = make_model(bidirectional(kernel_regularizer="l2", recurrent_regularizer="l1"))
    twin = fuse(model)
    assert len(twin.losses) == len(model.losses) == 4
    np.testing.assert_allclose(twin.losses, model.losses)


def test_the_same_call_gives_the_same_bits() -> None:
    twin = fuse(make_model(bidirectional(return_sequences=True)))
    step = tf.function(lambda rows: compute_in_graph(twin, rows))
    rows = tf.constant(np.repeat(make_rows(), 40, axis=0))
    first = [np.asarray(value) for value in step(rows)]
    for _ in range(10):
        assert all(np.array_equal(one, two) for one, two in zip(first, step(rows), strict=True))


def compute_in_graph(model: Any, rows: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(rows, training=True) ** 2)
    return list(tape.gradient(loss, model.trainable_weights))


def test_two_in_a_row_and_one_behind_an_embedding_are_all_replaced() -> None:
    inputs = keras.Input((STEPS,), dtype="int32")
    vectors = keras.layers.Embedding(10, FEATURES)(inputs)
    outputs = lstm()(lstm(return_sequences=True)(vectors))
    model = keras.Model(inputs, outputs)
    twin = fuse(model)
    assert sum(isinstance(layer, FusedLSTM) for layer in twin.layers) == 2
    ids = np.arange(BATCH * STEPS, dtype=np.int32).reshape(BATCH, STEPS) % 10
    np.testing.assert_allclose(twin(ids), model(ids), rtol=1e-4, atol=1e-6)


class OwnLSTM(keras.layers.LSTM):
    """A subclass may compute something else."""


def make_shared() -> Any:
    layer = lstm()
    inputs = keras.Input((STEPS, FEATURES))
    return keras.Model(inputs, keras.layers.Add()([layer(inputs), layer(inputs)]))


def make_masked_embedding() -> Any:
    inputs = keras.Input((STEPS,), dtype="int32")
    return keras.Model(inputs, lstm()(keras.layers.Embedding(9, 3, mask_zero=True)(inputs)))


def make_with_initial_state() -> Any:
    inputs = keras.Input((STEPS, FEATURES))
    state = keras.layers.Dense(UNITS)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, lstm()(inputs, initial_state=[state, state]))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: make_model(lstm(activation="relu")), id="activation"),
        pytest.param(
            lambda: make_model(lstm(recurrent_activation="hard_sigmoid")), id="recurrent activation"
        ),
        pytest.param(lambda: make_model(lstm(use_bias=False)), id="no bias"),
        pytest.param(lambda: make_model(lstm(dropout=0.1)), id="dropout"),
        pytest.param(lambda: make_model(lstm(recurrent_dropout=0.1)), id="recurrent dropout"),
        pytest.param(lambda: make_model(lstm(dtype="mixed_float16")), id="mixed precision"),
        pytest.param(lambda: make_model(lstm(dtype="float64")), id="float64"),
        pytest.param(lambda: make_model(lstm(activity_regularizer="l2")), id="activity penalty"),
        pytest.param(lambda: make_model(lstm(), masked=True), id="mask"),
        pytest.param(lambda: make_model(bidirectional(), masked=True), id="mask, both directions"),
        pytest.param(make_masked_embedding, id="mask of an embedding"),
        pytest.param(make_with_initial_state, id="initial state"),
        pytest.param(make_shared, id="called twice"),
        pytest.param(lambda: make_model(OwnLSTM(UNITS)), id="subclass"),
        pytest.param(lambda: make_model(keras.layers.GRU(UNITS)), id="gru"),
        pytest.param(
            lambda: make_model(keras.layers.Bidirectional(keras.layers.GRU(UNITS))), id="both gru"
        ),
    ],
)
def test_what_is_no_plain_lstm_stays_the_same_model(make: Callable[[], Any]) -> None:
    model = make()
    assert fuse(model) is model
