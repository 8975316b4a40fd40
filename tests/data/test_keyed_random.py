"""Are the numbers drawn for each row well distributed, and functions of the key alone?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dltrain.data.keyed_random import KeyedRandom

ROWS = 20_000


def _draw(
    name: str,
    *arguments: Any,
    rows: Sequence[int] = range(ROWS),
    sizes: Sequence[int] = (),
    seed: int = 3,
    epoch: int = 0,
    times: int = 1,
) -> np.ndarray:
    """Return what the last of `times` draws gives, `(rows, *sizes)`."""
    import tensorflow as tf

    draws = KeyedRandom(seed)
    numbers = tf.constant(list(rows), tf.int64)
    with draws.keyed_by(numbers, tf.constant(epoch, tf.int64), tf.constant(0, tf.int64)):
        for _ in range(times):
            drawn = getattr(draws, name)((tf.size(numbers), *sizes), *arguments)
    return drawn.numpy()


def test_uniform_numbers_fill_their_range_evenly() -> None:
    from scipy.stats import kstest

    numbers = _draw("uniform", -1.0, 3.0)
    assert -1 <= numbers.min() < -0.99
    assert 2.99 < numbers.max() < 3
    assert kstest((numbers + 1) / 4, "uniform").pvalue > 0.01


def test_normal_numbers_are_normal() -> None:
    from scipy.stats import kstest

    assert kstest((_draw("normal", 2.0, 0.5) - 2) / 0.5, "norm").pvalue > 0.01


def test_whole_numbers_are_equally_frequent() -> None:
    from scipy.stats import chisquare

    numbers = _draw("randint", -2, 5)
    assert set(numbers.tolist()) == set(range(-2, 5))
    assert chisquare(np.unique(numbers, return_counts=True)[1]).pvalue > 0.01


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 1}, {"times": 2}])
def test_seed_epoch_and_draw_each_give_numbers_without_correlation(other: dict[str, Any]) -> None:
    assert abs(np.corrcoef(_draw("uniform"), _draw("uniform", **other))[0, 1]) < 0.03


def test_neighbouring_rows_and_positions_are_not_correlated() -> None:
    numbers = _draw("uniform", sizes=(8,))
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.03
    assert np.abs(np.corrcoef(numbers.T) - np.eye(8)).max() < 0.03
    assert len(np.unique(numbers)) > 0.99 * numbers.size


def test_a_row_draws_the_same_in_any_batch() -> None:
    alone = _draw("uniform", rows=[77], sizes=(2, 3))
    among = _draw("uniform", rows=[5, 77, 2], sizes=(2, 3))
    np.testing.assert_array_equal(alone[0], among[1])


def test_a_shape_without_the_batch_is_drawn_for_the_whole_step() -> None:
    import tensorflow as tf

    def draw(step: int, rows: list[int]) -> list[Any]:
        draws = KeyedRandom(1)
        key = [tf.constant(value, tf.int64) for value in (rows, 0, step)]
        with draws.keyed_by(*key):
            values = [draws.uniform((3,)), draws.normal((3,)), draws.randint((3,), 0, 99)]
            values.append(draws.beta((3,), 1.0, 1.0))
        return [value.numpy().tolist() for value in values]

    assert draw(0, [1, 2]) == draw(0, [3, 4])
    assert all(one != other for one, other in zip(draw(0, [1]), draw(1, [1]), strict=True))
