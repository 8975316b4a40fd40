"""Are the built-in datasets what they say they are?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dltrain.data.dataset import Dataset
from dltrain.data.open import open_dataset
from dltrain.errors import DataError


def open_made(name: str, **options: object) -> Dataset:
    return open_dataset(name, data_dir=Path("/nowhere"), offline=True, options=options)


def test_digits_are_small_images_without_a_test_split() -> None:
    digits = open_made("digits")
    assert isinstance(digits.train.inputs, np.ndarray)
    assert digits.train.inputs.shape == (1797, *digits.info.shape)
    assert digits.train.inputs.dtype == np.uint8
    assert digits.train.inputs.max() == 16
    assert digits.train.labels.dtype == np.int64
    assert digits.test is None


def test_diabetes_is_in_its_own_units() -> None:
    diabetes = open_made("diabetes")
    assert isinstance(diabetes.train.inputs, np.ndarray)
    assert diabetes.train.inputs.shape == (442, 10)
    assert diabetes.train.inputs.dtype == diabetes.train.labels.dtype == np.float32
    assert diabetes.train.inputs[0, 0] == 59  # years of age


def test_synthetic_regression_follows_its_options() -> None:
    made = open_made("synthetic_regression", rows=500, features=7, seed=3)
    assert made.info.shape == (7,)
    assert made.info.train_rows == len(made.train) == 500
    assert made.train.labels.dtype == np.float32
    assert made.fingerprint["options"]["seed"] == 3


def test_synthetic_regression_repeats_and_depends_on_its_seed() -> None:
    first, again, other = (
        open_made("synthetic_regression", rows=50, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.train.labels, again.train.labels)
    assert not np.allclose(first.train.labels, other.train.labels)


def test_more_synthetic_rows_keep_the_first_ones() -> None:
    few = open_made("synthetic_regression", rows=50)
    many = open_made("synthetic_regression", rows=80)
    assert isinstance(many.train.inputs, np.ndarray)
    np.testing.assert_array_equal(few.train.inputs, many.train.inputs[:50])
    np.testing.assert_allclose(few.train.labels, many.train.labels[:50], rtol=1e-4, atol=1e-5)


def test_without_noise_and_curves_a_linear_fit_is_exact() -> None:
    made = open_made("synthetic_regression", rows=60, features=5, noise=0.0, nonlinearity=0.0)
    assert isinstance(made.train.inputs, np.ndarray)
    residual = np.linalg.lstsq(made.train.inputs, made.train.labels, rcond=None)[1]
    assert residual[0] < 1e-8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 1}, "synthetic_regression.rows: expected a whole number from 2"),
        ({"rows": 2.5}, r"expected a whole number .* received 2\.5"),
        ({"rows": True}, "received True"),
        ({"noise": -1}, "synthetic_regression.noise: expected a number from 0"),
        ({"noise": float("nan")}, "received nan"),
        ({"colour": 1}, "has no option 'colour'"),
    ],
)
def test_bad_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_made("synthetic_regression", **options)


def test_dataset_without_options_refuses_one() -> None:
    with pytest.raises(DataError, match="digits has no option 'rows'"):
        open_made("digits", rows=3)
