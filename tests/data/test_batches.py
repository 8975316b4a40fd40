"""Is the order of rows one of (seed, epoch) alone? Are a table's rows those at its positions?"""

from __future__ import annotations

import numpy as np
import pytest

from dltrain.data.batches import Table, count_steps, encode_labels, order_rows


def _order(seed: int = 1, epoch: int = 0, *, shuffle: bool = True, count: int = 50) -> list[int]:
    return order_rows(count, seed=seed, epoch=epoch, shuffle=shuffle).tolist()


def test_order_is_a_permutation_that_differs_by_epoch_and_repeats_by_seed() -> None:
    assert sorted(_order()) == list(range(50))
    assert _order() == _order()
    assert len({tuple(_order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_order_without_shuffling_is_the_tables() -> None:
    assert _order(shuffle=False) == list(range(50))


def test_order_of_late_epochs_is_known_without_the_earlier_ones() -> None:
    alone = _order(epoch=7)
    assert [_order(epoch=epoch) for epoch in range(8)][7] == alone


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


def _pictures() -> np.ndarray:
    return np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1)


def _picked() -> Table:
    """Return a table of rows 4, 0 and 5 of six."""
    return Table(_pictures(), np.array([40, 0, 50]), np.array([4, 0, 5]))


def test_rows_of_a_table_are_those_at_its_positions() -> None:
    table, pictures = _picked(), _pictures()
    assert len(table) == 3
    assert np.array_equal(table.take(np.array([2, 0])), pictures[[5, 4]])
    assert np.array_equal(table.take(slice(1, 3)), pictures[[0, 5]])
    assert np.array_equal(table.head(2).take(slice(None)), pictures[[4, 0]])
    assert table.head(2).labels.tolist() == [40, 0]
    whole = table.in_memory()
    assert whole.positions is None
    assert np.array_equal(whole.inputs, pictures[[4, 0, 5]])
    assert whole.labels.tolist() == [40, 0, 50]


def test_a_table_without_positions_has_all_rows() -> None:
    table = Table(_pictures(), np.arange(6))
    assert table.in_memory() is table
    assert np.array_equal(table.take(np.array([3, 1])), _pictures()[[3, 1]])
    assert len(table.head(4)) == 4


def test_what_is_taken_is_a_copy() -> None:
    for table in (_picked(), Table(_pictures(), np.arange(6))):
        before = table.take(slice(None))
        table.take(slice(None))[:] = 99
        table.head(2).inputs[:] = 99
        assert np.array_equal(table.take(slice(None)), before)


def test_a_table_weighs_its_own_rows_not_those_of_the_file() -> None:
    assert _picked().nbytes == 3 * 4
    assert Table(np.zeros((5, 7), dtype=np.float32), np.zeros(5)).nbytes == 5 * 7 * 4
