"""Is scaling what numpy computes, and of the training rows only?"""

from __future__ import annotations

import numpy as np
import pytest

from dltrain.data.normalize import measure_scaling

ROWS = np.arange(0, 9_000, 2)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Return (9000, 4, 3, 2) uint8 images: more rows than are read at a time."""
    return np.random.default_rng(0).integers(0, 200, (9_000, 4, 3, 2), dtype=np.uint8)


def test_standard_scaling_of_images_is_numpys_of_each_channel(images: np.ndarray) -> None:
    scaling = measure_scaling(images, ROWS, "standard")
    np.testing.assert_allclose(scaling.mean, images[ROWS].mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, images[ROWS].std(axis=(0, 1, 2)), rtol=1e-12)


def test_standard_scaling_of_a_table_is_numpys_of_each_feature() -> None:
    table = (np.random.default_rng(0).normal(1e4, 1e-1, (5_000, 3))).astype(np.float32)
    scaling = measure_scaling(table, ROWS[:2_000], "standard")
    exact = table[ROWS[:2_000]].astype(np.float64)
    np.testing.assert_allclose(scaling.mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, exact.std(axis=0), rtol=1e-9)


def test_unit_scaling_divides_by_the_largest_value(images: np.ndarray) -> None:
    scaling = measure_scaling(images, ROWS, "unit")
    assert (scaling.mean, scaling.scale) == ((0.0,), (float(images[ROWS].max()),))


@pytest.mark.parametrize("method", ["unit", "standard"])
def test_other_rows_do_not_count(images: np.ndarray, method: str) -> None:
    changed = images.copy()
    changed[1::2] = 255
    assert measure_scaling(changed, ROWS, method) == measure_scaling(images, ROWS, method)  # type: ignore[arg-type]


def test_constant_feature_is_only_shifted() -> None:
    table = np.tile(np.array([[5.0, 1.0]], dtype=np.float32), (10, 1))
    table[3, 1] = 9.0
    scaling = measure_scaling(table, np.arange(10), "standard")
    assert (scaling.mean[0], scaling.scale[0]) == (5.0, 1.0)
    assert scaling.scale[1] > 1


def test_black_images_are_divided_by_one() -> None:
    black = np.zeros((3, 2, 2, 1), dtype=np.uint8)
    assert measure_scaling(black, np.arange(3), "unit").scale == (1.0,)
