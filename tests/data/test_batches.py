"""Do batches hold every row once an epoch, in an order that depends on (seed, epoch) alone?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.data.batches import (
    Table,
    count_steps,
    encode_labels,
    make_evaluation_batches,
    make_training_batches,
    order_rows,
)


def _order(seed: int = 1, epoch: int = 0, *, shuffle: bool = True, count: int = 50) -> list[int]:
    return order_rows(count, seed=seed, epoch=epoch, shuffle=shuffle).tolist()


def test_order_is_a_permutation_that_differs_by_epoch_and_repeats_by_seed() -> None:
    assert sorted(_order()) == list(range(50))
    assert _order() == _order()
    assert len({tuple(_order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_order_without_shuffling_is_the_tables() -> None:
    assert _order(shuffle=False) == list(range(50))


def test_order_of_long_epochs_is_known_without_the_earlier_ones() -> None:
    assert _order(epoch=7) == _order(epoch=7)


@pytest.mark.parametrize(("rows", "batch", "steps"), [(10, 5, 2), (11, 5, 3), (4, 5, 1), (5, 1, 5)])
def test_last_smaller_batch_counts_as_a_step(rows: int, batch: int, steps: int) -> None:
    assert count_steps(rows, batch) == steps


def test_labels_are_encoded_as_the_loss_wants_them() -> None:
    labels = np.array([0, 2, 1], dtype=np.int64)
    integers = encode_labels(labels, "integer", 3)
    assert (integers.dtype, integers.tolist()) == (np.int32, [0, 2, 1])
    one_hot = encode_labels(labels, "one_hot", 3)
    assert (one_hot.dtype, one_hot.tolist()) == (
        np.float32,
        [[1, 0, 0], [0, 0, 1], [0, 1, 0]],
    )
    binary = encode_labels(np.array([0, 1]), "binary", 2)
    assert (binary.dtype, binary.tolist()) == (np.float32, [[0.0], [1.0]])
    values = encode_labels(np.array([1.5, -2], dtype=np.float32), "value", 0)
    assert (values.dtype, values.tolist()) == (np.float32, [[1.5], [-2.0]])


def _table(count: int = 11) -> Table:
    images = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Table(images, np.arange(count, dtype=np.int64))


def _training(**changes: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    table = _table()
    options: dict[str, Any] = {
        "batch_size": 4,
        "epochs": 3,
        "seed": 5,
        "shuffle": True,
        "augment": None,
    }
    batches = make_training_batches(table, table.labels, **(options | changes))
    return [(inputs.numpy(), labels.numpy()) for inputs, labels in batches]


def test_every_epoch_delivers_every_row_once_and_the_last_smaller_batch() -> None:
    batches = _training()
    assert [len(labels) for _, labels in batches] == [4, 4, 3] * 3
    epochs = [np.concatenate([labels for _, labels in batches[at : at + 3]]) for at in (0, 3, 6)]
    for number, epoch in enumerate(epochs):
        assert epoch.tolist() == order_rows(11, seed=5, epoch=number, shuffle=True).tolist()


def test_inputs_are_floats_and_stay_with_their_labels() -> None:
    for inputs, labels in _training():
        assert inputs.dtype == np.float32
        assert inputs.ravel().tolist() == labels.tolist()


def test_augmentation_gets_a_key_for_each_epoch_and_step() -> None:
    def take_key(images: Any, key: Any) -> Any:
        import tensorflow as tf

        return tf.zeros_like(images) + tf.cast(key[0], tf.float32)

    first, again, other = (
        [float(inputs.ravel()[0]) for inputs, _ in _training(augment=take_key, seed=seed)]
        for seed in (5, 5, 6)
    )
    assert len(set(first)) == 9
    assert first == again
    assert not set(first) & set(other)


def test_evaluation_batches_keep_the_order_and_every_row() -> None:
    table = _table()
    pairs = list(make_evaluation_batches(table, table.labels, batch_size=4))
    assert [len(labels) for _, labels in pairs] == [4, 4, 3]
    assert np.concatenate([labels for _, labels in pairs]).tolist() == list(range(11))
    assert pairs[0][0].dtype.name == "float32"
    alone = list(make_evaluation_batches(table, None, batch_size=4))
    assert np.concatenate([np.ravel(batch[0]) for batch in alone]).tolist() == list(range(11))


def test_word_ids_stay_whole_numbers() -> None:
    table = Table(np.ones((3, 2), dtype=np.int32), np.zeros(3, dtype=np.int64))
    ((inputs, _),) = make_evaluation_batches(table, table.labels, batch_size=3)
    assert inputs.dtype.name == "int32"
