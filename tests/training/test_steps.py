"""Do compiled steps train as Keras does, whatever XLA compiles, and count every row once?"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.catalog.components import components
from dltrain.data.balance import balance_rows
from dltrain.data.batches import Table, count_steps
from dltrain.data.feeding import DeviceFeed, Feed, StreamFeed
from dltrain.model.components import Steps, build_optimizer
from dltrain.training.steps import TrainingSteps, ValidationSteps

ROWS, FEATURES, BATCH = 21, 4, 8  # two batches of eight and one of five


def make_table() -> Table:
    generator = np.random.default_rng(5)
    inputs = generator.normal(size=(ROWS, FEATURES)).astype(np.float32)
    return Table(inputs, generator.integers(0, 3, ROWS))


def make_feed(kind: type[Any] = DeviceFeed) -> Any:
    table = make_table()
    return kind(table, table.labels.astype(np.int32), batch_size=BATCH)


def make_model(optimizer: Any) -> Any:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(5, activation="tanh")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def train(
    model: Any, feed: Feed, *, epochs: int = 3, xla: Any = "nothing", row_weights: Any = None
) -> list[Any]:
    """Train in the table's order; return the last epoch's logs and the weights."""
    steps = TrainingSteps(model, feed, augment=None, xla=xla, weights=row_weights)
    for epoch in range(epochs):
        model.reset_metrics()
        source = feed.begin(np.arange(ROWS, dtype=np.int64), step=0)
        stretch = steps.run(source, epoch=epoch, start=0, count=count_steps(ROWS, BATCH))
        assert (stretch.steps, stretch.healthy) == (3, True)
    logs = {name: float(value) for name, value in model.get_metrics_result().items()}
    return [logs, [np.asarray(weight) for weight in model.get_weights()]]


def assert_close(one: list[Any], other: list[Any], tolerance: float) -> None:
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    for first, second in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(first, second, rtol=tolerance, atol=tolerance / 10)


def test_steps_end_at_the_weights_of_keras_fit_to_the_bit() -> None:
    _, weights = train(make_model(keras.optimizers.Adam(0.01)), make_feed())
    table, script = make_table(), make_model(keras.optimizers.Adam(0.01))
    script.fit(table.inputs, table.labels, batch_size=BATCH, epochs=3, shuffle=False, verbose=0)
    for ours, theirs in zip(weights, script.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()


ROW_WEIGHTS = np.linspace(0.0, 3.0, ROWS, dtype=np.float32)


@pytest.mark.parametrize("kind", [DeviceFeed, StreamFeed])
def test_rows_with_weights_train_as_keras_sample_weight_to_the_bit(kind: type[Any]) -> None:
    model = make_model(keras.optimizers.Adam(0.01))
    logs, weights = train(model, make_feed(kind), row_weights=ROW_WEIGHTS)
    table, script = make_table(), make_model(keras.optimizers.Adam(0.01))
    history = script.fit(
        table.inputs,
        table.labels,
        sample_weight=ROW_WEIGHTS,
        batch_size=BATCH,
        epochs=3,
        shuffle=False,
        verbose=0,
    ).history
    for ours, theirs in zip(weights, script.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert logs == {name: values[-1] for name, values in history.items()}
    _, unweighted = train(make_model(keras.optimizers.Adam(0.01)), make_feed(kind))
    assert not np.array_equal(weights[0], unweighted[0]), "the weights do something"


def test_classes_with_weights_train_as_keras_class_weight_to_the_bit() -> None:
    table, script = make_table(), make_model(keras.optimizers.Adam(0.01))
    given = {"a": 0.5, "b": 4.0}
    spec = {"type": "class_weight", "weights": given}
    balanced = balance_rows(table, spec, class_names=("a", "b", "c"), seed=0).table
    model = make_model(keras.optimizers.Adam(0.01))
    _, weights = train(model, make_feed(), row_weights=balanced.weights)
    script.fit(
        table.inputs,
        table.labels,
        class_weight={0: 0.5, 1: 4.0, 2: 1.0},
        batch_size=BATCH,
        epochs=3,
        shuffle=False,
        verbose=0,
    )
    for ours, theirs in zip(weights, script.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_validation_rows_with_weights_are_counted_as_keras_evaluate_counts_them() -> None:
    model, feed = make_model("sgd"), make_feed()
    model.optimizer.build(model.trainable_variables)
    steps = ValidationSteps(model, feed, xla="nothing", weights=ROW_WEIGHTS)
    model.reset_metrics()
    steps.run(feed.begin(np.arange(ROWS, dtype=np.int64), step=0), start=0, count=3)
    ours = {name: float(value) for name, value in model.get_metrics_result().items()}
    table = make_table()
    theirs = model.evaluate(
        table.inputs,
        table.labels,
        sample_weight=ROW_WEIGHTS,
        batch_size=BATCH,
        return_dict=True,
        verbose=0,
    )
    assert ours == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("kind", [DeviceFeed, StreamFeed])
def test_rows_taken_twice_train_as_a_table_that_holds_them_twice(kind: type[Any]) -> None:
    rows = np.array([*range(ROWS), 3, 3, 5], dtype=np.int64)
    table = make_table()
    copied = Table(table.inputs[rows], table.labels[rows])
    results = []
    for each in (table.select(rows), copied):
        feed = kind(each, each.labels.astype(np.int32), batch_size=12)
        steps = TrainingSteps(make_model("adam"), feed, augment=None, xla="nothing")
        source = feed.begin(np.arange(len(rows), dtype=np.int64)[::-1].copy(), step=0)
        assert steps.run(source, epoch=0, start=0, count=2).steps == 2
        results.append(steps.trained.get_weights())
    for one, other in zip(*results, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("steps", [2, 3])
def test_accumulated_gradients_end_at_the_weights_of_keras_fit_to_the_bit(steps: int) -> None:
    def optimizer() -> Any:
        return keras.optimizers.Adam(0.01, gradient_accumulation_steps=steps)

    _, weights = train(make_model(optimizer()), make_feed(), epochs=4)
    table, script = make_table(), make_model(optimizer())
    script.fit(table.inputs, table.labels, batch_size=BATCH, epochs=4, shuffle=False, verbose=0)
    for ours, theirs in zip(weights, script.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    _, each = train(make_model(keras.optimizers.Adam(0.01)), make_feed(), epochs=4)
    assert not np.array_equal(weights[0], each[0]), "steps were gathered"


def test_loss_and_metrics_of_an_epoch_are_averages_over_rows_not_over_batches() -> None:
    model = make_model(keras.optimizers.SGD(0.0))  # so that every batch sees the same weights
    (logs, _), table = train(model, make_feed()), make_table()
    outputs = np.asarray(model(table.inputs), np.float64)
    shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    losses = -np.log(shares[np.arange(ROWS), table.labels])
    assert logs["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert logs["accuracy"] == pytest.approx((outputs.argmax(1) == table.labels).mean())
    batches = [losses[start : start + BATCH].mean() for start in range(0, ROWS, BATCH)]
    assert abs(np.mean(batches) - losses.mean()) > 1e-3, "the two averages can be told apart"


def test_validation_counts_every_row_once() -> None:
    model, table = make_model("sgd"), make_table()
    feed = make_feed()
    steps = ValidationSteps(model, feed, xla="nothing")
    steps.trace()
    source = feed.begin(np.arange(ROWS, dtype=np.int64), step=0)
    for start in range(3):
        steps.run(source, start=start, count=1)
    outputs = np.asarray(model(table.inputs))
    expected = (outputs.argmax(1) == table.labels).mean()
    assert float(model.get_metrics_result()["accuracy"]) == pytest.approx(expected)


def test_rows_from_the_device_and_streamed_give_the_same_bits() -> None:
    held = train(make_model("adam"), make_feed(DeviceFeed))
    streamed = train(make_model("adam"), make_feed(StreamFeed))
    assert held[0] == streamed[0]
    for one, other in zip(held[1], streamed[1], strict=True):
        assert one.tobytes() == other.tobytes()


# Loss scaling watches for overflow by itself; what it wraps is tried without it.
OPTIMIZERS = [name for name in components("optimizers") if name != "loss_scale_optimizer"]
SETTINGS: list[dict[str, Any]] = [
    *({"type": name} for name in OPTIMIZERS),
    {"type": "adam", "gradient_accumulation_steps": 2},
    {"type": "adamw", "use_ema": True, "ema_overwrite_frequency": 2},
    {"type": "sgd", "momentum": 0.9, "nesterov": True, "global_clipnorm": 0.1},
    {"type": "rmsprop", "clipvalue": 0.01, "weight_decay": 0.1},
    {"type": "adam", "amsgrad": True, "clipnorm": 0.1},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "-".join(map(str, setting)))
def test_an_update_by_xla_is_the_optimizers_own(setting: dict[str, Any]) -> None:
    spec = {"learning_rate": 0.01, **setting}
    results = [
        train(make_model(build_optimizer(spec, Steps(per_epoch=3, total=9))), make_feed(), xla=xla)
        for xla in ("update", "nothing")
    ]
    assert_close(results[0], results[1], 1e-4)
