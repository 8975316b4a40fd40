"""How are the datasets made that need neither a network nor a disk?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Dataset, Rows
from dltrain.errors import DataError


def make_embedded(info: DatasetInfo, *, options: Mapping[str, object]) -> Dataset:
    """Make a dataset that is built in; `test` is always None. Raises DataError on a bad option."""
    if info.name == "synthetic_regression":
        return _make_synthetic_regression(info, _resolve_options(info, options))
    _resolve_options(info, options)
    return _load_digits(info) if info.name == "digits" else _load_diabetes(info)


def _resolve_options(info: DatasetInfo, given: Mapping[str, object]) -> dict[str, int | float]:
    values = {name: option.default for name, option in info.options.items()}
    for name, value in given.items():
        option = info.options.get(name)
        if option is None:
            known = ", ".join(info.options) or "none"
            raise DataError(f"{info.name} has no option '{name}'.", hint=f"It has: {known}.")
        whole = isinstance(option.default, int)
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not option.low <= value <= option.high
        ):
            kind = "a whole number" if whole else "a number"
            raise DataError(
                f"{info.name}.{name}: expected {kind} from {option.low:g} to {option.high:g}, "
                f"received {value!r}."
            )
        values[name] = value
    return values


def _load_digits(info: DatasetInfo) -> Dataset:
    """Load the UCI digits as `(1797, 8, 8, 1)` uint8 from 0 to 16."""
    images, labels = _read_digits()
    rows = Rows(inputs=images, labels=labels)
    return Dataset(info=info, train=rows, test=None, fingerprint=_fingerprint(info, {}))


@cache
def _read_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return images and labels, read-only: the trials of a sweep share them."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    for array in (images, labels):
        array.flags.writeable = False
    return images, labels


def _load_diabetes(info: DatasetInfo) -> Dataset:
    """Load the diabetes table in its own units (`(442, 10)` float32), not scikit-learn's scaling.

    Scaling over all rows would let the test rows shape the training rows.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    rows = Rows(inputs=bunch.data.astype(np.float32), labels=bunch.target.astype(np.float32))
    return Dataset(info=info, train=rows, test=None, fingerprint=_fingerprint(info, {}))


def _make_synthetic_regression(info: DatasetInfo, options: Mapping[str, int | float]) -> Dataset:
    """Make `(rows, features)` float32 of unit normals and a target of about unit variance.

    The target is `(1 - s) * linear + s * curved + noise`: linear is a weighted sum of the
    features, curved a sine of another one, s is `nonlinearity`. More rows keep the first ones.
    """
    count, features = int(options["rows"]), int(options["features"])
    function_seed, inputs_seed, noise_seed = np.random.SeedSequence(int(options["seed"])).spawn(3)
    weights = np.random.default_rng(function_seed).standard_normal((2, features))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    inputs = np.random.default_rng(inputs_seed).standard_normal((count, features), dtype=np.float32)
    linear, inner = weights.astype(np.float32) @ inputs.T
    share = np.float32(options["nonlinearity"])
    # sin(2z) of a unit normal z has variance (1 - e^-8) / 2, so this factor brings it to 1.
    curved = np.float32(np.sqrt(2)) * np.sin(2 * inner)
    noise = np.random.default_rng(noise_seed).standard_normal(count, dtype=np.float32)
    targets = (1 - share) * linear + share * curved + np.float32(options["noise"]) * noise
    return Dataset(
        info=dataclasses.replace(info, shape=(features,), train_rows=count),
        train=Rows(inputs=inputs, labels=_as_float32(targets)),
        test=None,
        fingerprint=_fingerprint(info, options),
    )


def _as_float32(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return values.astype(np.float32, copy=False)


def _fingerprint(info: DatasetInfo, options: Mapping[str, int | float]) -> dict[str, Any]:
    from importlib.metadata import version

    made_by = "numpy" if info.options else "scikit-learn"
    return {
        "name": info.name,
        "checksum": "built in",
        "origin": f"{made_by} {version(made_by)}",
        "options": dict(options),
    }
