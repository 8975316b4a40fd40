"""Does the fused embedding compute what Keras's two layers compute, and only where it may?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.model.fused import PooledEmbedding, fuse

WORDS, UNITS, LENGTH, BATCH = 30, 4, 12, 16

masks = pytest.mark.parametrize("mask_zero", [False, True])


def make_model(
    between: Callable[[Any], Any] = lambda vectors: vectors,
    pooling: Any = None,
    **arguments: Any,
) -> Any:
    inputs = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(WORDS, UNITS, **arguments)(inputs)
    pooled = (pooling or keras.layers.GlobalAveragePooling1D())(between(vectors))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(pooled)))


def make_ids(*, rows: int = BATCH, length: int = LENGTH) -> Any:
    """Return ids in which words repeat and each row ends in padding, the first one without any."""
    generator = np.random.default_rng(0)
    ids = generator.integers(1, WORDS, (rows, length)).astype(np.int32)
    for row in range(1, rows):
        ids[row, generator.integers(1, length) :] = 0
    return ids


def gradients(model: Any, ids: Any, loss_of: Callable[[Any], Any]) -> list[Any]:
    with tf.GradientTape() as tape:
        loss = loss_of(model(ids, training=True))
    found = tape.gradient(loss, model.trainable_weights)
    return [None if one is None else np.asarray(tf.convert_to_tensor(one)) for one in found]


def is_fused(model: Any) -> bool:
    return any(isinstance(layer, PooledEmbedding) for layer in fuse(model).layers)


@masks
def test_outputs_and_gradients_equal_those_of_the_two_layers(mask_zero: bool) -> None:
    model, ids = make_model(mask_zero=mask_zero), make_ids()
    twin = fuse(model)
    assert twin is not model
    np.testing.assert_allclose(twin(ids), model(ids), rtol=1e-5, atol=1e-7)
    weigh = np.linspace(-1, 2, BATCH, dtype=np.float32)[:, None]
    for own, kept in zip(
        gradients(twin, ids, lambda outputs: tf.reduce_sum(outputs * weigh)),
        gradients(model, ids, lambda outputs: tf.reduce_sum(outputs * weigh)),
        strict=True,
    ):
        np.testing.assert_allclose(own, kept, rtol=1e-5, atol=1e-6)


@masks
def test_a_long_batch_is_at_least_as_near_to_double_precision_as_keras(mask_zero: bool) -> None:
    model, ids = make_model(mask_zero=mask_zero), make_ids(rows=512, length=LENGTH)
    table, kernel = (np.asarray(weight, np.float64) for weight in model.trainable_weights[:2])
    sizes = (ids != 0).sum(1, keepdims=True) if mask_zero else np.full((512, 1), LENGTH)
    exact = np.zeros_like(table)
    share = (kernel[:, 0] / sizes)[:, None, :] * np.ones((1, LENGTH, 1))
    np.add.at(exact, ids, share)
    if mask_zero:
        exact[0] = 0
    errors = [
        np.abs(gradients(one, ids, tf.reduce_sum)[0] - exact).max() for one in (fuse(model), model)
    ]
    assert errors[0] <= errors[1] + 1e-5


@masks
def test_steps_of_sgd_end_at_the_same_weights(mask_zero: bool) -> None:
    ids, targets = make_ids(), np.linspace(0, 1, BATCH, dtype=np.float32)[:, None]
    first = make_model(mask_zero=mask_zero)
    second = keras.models.clone_model(first)
    second.set_weights(first.get_weights())
    for model in (first, fuse(second)):
        model.compile(keras.optimizers.SGD(0.5), "mse")
        model.fit(ids, targets, batch_size=5, epochs=3, shuffle=False, verbose=0)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_adam_squares_the_sum_of_a_words_gradients_not_each_of_them() -> None:
    model, ids = make_model(), np.ones((1, LENGTH), np.int32)
    twin = fuse(model)
    (gradient,) = gradients(twin, ids, tf.reduce_sum)[:1]
    optimizer = keras.optimizers.Adam()
    optimizer.build(twin.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(twin(ids))
    optimizer.apply(tape.gradient(loss, twin.trainable_weights), twin.trainable_variables)
    velocity = np.asarray(optimizer._velocities[0].value)
    np.testing.assert_allclose(velocity, 0.001 * gradient**2, rtol=1e-4)


def test_a_row_of_padding_alone_is_nan_when_masked_and_spoils_no_gradient() -> None:
    model, ids = make_model(mask_zero=True), make_ids()
    ids[3] = 0
    for one in (model, fuse(model)):
        outputs = np.asarray(one(ids))[:, 0]
        assert np.isnan(outputs).tolist() == [row == 3 for row in range(BATCH)]
        (gradient,) = gradients(one, ids, tf.reduce_sum)[:1]
        assert np.isfinite(gradient).all()
        assert gradient.any()


def test_a_row_of_padding_alone_is_the_padding_vector_when_not_masked() -> None:
    model = make_model()
    ids = np.zeros((2, LENGTH), np.int32)
    np.testing.assert_allclose(fuse(model)(ids), model(ids), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_other_types_of_ids_are_taken(dtype: str) -> None:
    inputs = keras.Input((LENGTH,), dtype=dtype)
    vectors = keras.layers.Embedding(WORDS, UNITS)(inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(vectors))
    ids = make_ids().astype(dtype)
    np.testing.assert_allclose(fuse(model)(ids), model(ids), rtol=1e-5)


@masks
def test_the_same_call_gives_the_same_bits(mask_zero: bool) -> None:
    twin = fuse(make_model(mask_zero=mask_zero))
    ids = make_ids(rows=256)
    step = tf.function(lambda: gradients_of(twin, ids))
    first = [np.asarray(value) for value in step()]
    for _ in range(10):
        assert all(np.array_equal(one, other) for one, other in zip(first, step(), strict=True))


def gradients_of(model: Any, ids: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(ids, training=True) ** 2)
    return list(tape.gradient(loss, model.trainable_weights))


def test_the_twin_has_the_same_variables_in_the_same_order() -> None:
    inputs = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(WORDS, UNITS)(inputs)
    longer = keras.layers.Conv1D(3, 2)(keras.layers.Embedding(WORDS, UNITS)(inputs))
    parts = [
        keras.layers.GlobalAveragePooling1D()(vectors),
        keras.layers.Dropout(0.5)(keras.layers.GlobalMaxPooling1D()(longer)),
        keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(WORDS, UNITS)(inputs)),
    ]
    outputs = keras.layers.Dense(2)(keras.layers.Concatenate()(parts))
    model = keras.Model(inputs, outputs)
    twin = fuse(model)
    assert sum(isinstance(layer, PooledEmbedding) for layer in twin.layers) == 2
    assert [id(one) for one in twin.variables] == [id(one) for one in model.variables]
    np.testing.assert_allclose(twin(make_ids()), model(make_ids()), rtol=1e-4, atol=1e-6)


def test_a_regularizer_and_a_constraint_of_the_table_still_count() -> None:
    model = make_model(embeddings_regularizer="l2", embeddings_constraint="non_neg")
    twin = fuse(model)
    assert len(twin.losses) == 1
    np.testing.assert_allclose(twin.losses[0], model.losses[0])
    twin.compile(keras.optimizers.SGD(10.0), "mse")
    twin.fit(make_ids(), np.ones((BATCH, 1)), verbose=0)
    assert np.asarray(model.weights[0]).min() == 0.0


def test_a_frozen_table_stays_as_it_is() -> None:
    model = make_model()
    model.layers[1].trainable = False
    twin = fuse(model)
    assert is_fused(model)
    assert len(twin.trainable_variables) == 2
    before = np.asarray(model.weights[0]).copy()
    twin.compile("sgd", "mse")
    twin.fit(make_ids(), np.ones((BATCH, 1)), verbose=0)
    assert np.array_equal(before, np.asarray(model.weights[0]))


def test_the_model_is_saved_and_loaded_as_before(tmp_path: Path) -> None:
    model, ids = make_model(mask_zero=True), make_ids()
    twin = fuse(model)
    twin.compile("adam", "mse")
    twin.fit(ids, np.ones((BATCH, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    assert np.array_equal(loaded(ids), model(ids))


class OwnEmbedding(keras.layers.Embedding):
    """A subclass may compute something else."""


def make_shared_embedding() -> Any:
    embedding = keras.layers.Embedding(WORDS, UNITS)
    inputs = keras.Input((LENGTH,), dtype="int32")
    parts = [keras.layers.GlobalAveragePooling1D()(embedding(inputs)) for _ in range(2)]
    return keras.Model(inputs, keras.layers.Add()(parts))


def make_second_consumer() -> Any:
    inputs = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(WORDS, UNITS)(inputs)
    average = keras.layers.GlobalAveragePooling1D()(vectors)
    largest = keras.layers.GlobalMaxPooling1D()(vectors)
    return keras.Model(inputs, keras.layers.Add()([average, largest]))


def make_vectors_an_output() -> Any:
    inputs = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(WORDS, UNITS)(inputs)
    return keras.Model(inputs, [vectors, keras.layers.GlobalAveragePooling1D()(vectors)])


def make_own_embedding() -> Any:
    inputs = keras.Input((LENGTH,), dtype="int32")
    return keras.Model(
        inputs, keras.layers.GlobalAveragePooling1D()(OwnEmbedding(WORDS, UNITS)(inputs))
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: make_model(keras.layers.Dropout(0.5)), id="dropout between"),
        pytest.param(lambda: make_model(pooling=keras.layers.GlobalMaxPooling1D()), id="maximum"),
        pytest.param(
            lambda: make_model(pooling=keras.layers.GlobalAveragePooling1D(keepdims=True)),
            id="keepdims",
        ),
        pytest.param(
            lambda: make_model(
                pooling=keras.layers.GlobalAveragePooling1D(data_format="channels_first")
            ),
            id="channels first",
        ),
        pytest.param(lambda: make_model(dtype="mixed_float16"), id="mixed precision"),
        pytest.param(lambda: make_model(dtype="float64"), id="float64"),
        pytest.param(lambda: make_model(lora_rank=2), id="lora"),
        pytest.param(make_shared_embedding, id="embedding called twice"),
        pytest.param(make_second_consumer, id="second consumer"),
        pytest.param(make_vectors_an_output, id="vectors are an output"),
        pytest.param(make_own_embedding, id="subclass"),
    ],
)
def test_what_is_no_plain_pair_stays_the_same_model(make: Callable[[], Any]) -> None:
    model = make()
    assert fuse(model) is model


def test_a_model_without_an_embedding_stays_the_same_model() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert fuse(model) is model
