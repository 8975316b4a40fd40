"""What is in an .npz file: images, a table or token ids, with which labels?

Of images the header alone is read here; tables and token ids are looked through, as their missing
values and their largest id decide what the model is like.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.catalog.datasets import DatasetInfo, Feature, Modality, Task
from dltrain.config.table_columns import describe_number
from dltrain.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]

NAMES = (("x", "y"), ("x_train", "y_train"))
"""What the arrays to train on may be called; those of a test split are x_test and y_test."""

TEST_NAMES = ("x_test", "y_test")

_MODALITIES: Mapping[str, Modality] = {"image": "image", "tabular": "tabular", "tokens": "text"}
_MOST_CLASSES = 1_000
_FINITE = "a finite number of float32's range"


@dataclass(frozen=True)
class NpzPlan:
    """Hold what an .npz file is made of; `largest_id` is 0 where there are no token ids."""

    path: Path
    info: DatasetInfo
    names: tuple[str, str]
    has_test: bool
    largest_id: int = 0


def plan_npz(section: Mapping[str, Any]) -> NpzPlan:
    """Look at the file that a checked section names. Raises DataError if it can't be used."""
    path = Path(section["path"])
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    facts = (stat.st_mtime_ns, stat.st_size)
    return _plan(path, section.get("modality"), section.get("task"), facts)


def read_array(path: Path, name: str) -> Array:
    """Read one array of the file. Raises DataError if it is damaged or holds objects."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as arrays:
            array: Array = arrays[name]
    except MemoryError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy each raise their own
        raise _damaged(path, name, error) from error
    return array


def name_classes(values: Array) -> list[str]:
    """Return the names of the classes that sorted label values stand for."""
    return [
        describe_number(float(value)) if values.dtype.kind in "iuf" else str(value)
        for value in values.tolist()
    ]


@functools.lru_cache(maxsize=4)
def _plan(path: Path, asked: str | None, task: Task | None, facts: tuple[int, int]) -> NpzPlan:
    headers = _read_headers(path)
    names = next((pair for pair in NAMES if set(pair) <= set(headers)), None)
    if names is None:
        raise DataError(
            f"{path} holds {', '.join(sorted(headers)) or 'nothing'}; expected the arrays x and y, "
            "or x_train and y_train.",
            hint="np.savez(path, x=inputs, y=labels), with x_test and y_test for a test split.",
        )
    pairs = [names]
    if set(TEST_NAMES) & set(headers):
        pairs.append(TEST_NAMES)
    for pair in pairs:
        _check_pair(path, pair, headers)
    shape, dtype = headers[names[0]]
    if len(pairs) > 1 and headers[TEST_NAMES[0]][0][1:] != shape[1:]:
        raise DataError(
            f"{path}: the rows of {TEST_NAMES[0]} have the shape {headers[TEST_NAMES[0]][0][1:]}, "
            f"those of {names[0]} {shape[1:]}."
        )
    modality = _find_modality(path, names[0], shape, dtype, asked)
    labels = [read_array(path, pair[1]).reshape(-1) for pair in pairs]
    task, counts = _find_classes(path, [pair[1] for pair in pairs], labels, task)
    features: tuple[Feature, ...] = ()
    constant: tuple[str, ...] = ()
    row, largest = shape[1:], 0
    if modality == "image" and len(row) == 2:
        row = (*row, 1)
    elif modality == "tabular":
        features, constant = _find_features(path, pairs)
        row = (len(features),)
    elif modality == "text":
        row, largest = (), _find_largest_id(path, pairs)
    tests = len(labels[1]) if len(labels) > 1 else 0
    what = {"image": "images", "tabular": f"rows of {len(features)} features", "text": "texts"}
    told = f"; {tests:,} more are the test split" if tests else ""
    info = DatasetInfo(
        name=path.name,
        task=task,
        modality=modality,
        class_names=tuple(counts),
        shape=row,
        train_rows=len(labels[0]),
        test_rows=tests,
        summary=f"{len(labels[0]):,} {what[modality]}; {names[1]} is "
        + (f"one of {len(counts)} classes" if counts else "a number")
        + told,
        reader="npz",
        class_counts=tuple(counts.values()),
        features=features,
        median_words=shape[1] if modality == "text" else 0,
        constant_columns=constant,
    )
    return NpzPlan(path, info, names, bool(tests), largest)


def _read_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return shape and dtype of each array, without reading its values."""
    from numpy.lib import format as npy

    headers = {}
    name = ""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                name = entry.removesuffix(".npy")
                with archive.open(entry) as file:
                    version = npy.read_magic(file)
                    read = npy.read_array_header_1_0
                    if version != (1, 0):
                        read = npy.read_array_header_2_0
                    shape, _, dtype = read(file)
                headers[name] = (shape, dtype)
    except Exception as error:  # zipfile, zlib and NumPy each raise their own
        raise _damaged(path, name, error) from error
    return headers


def _check_pair(path: Path, pair: tuple[str, str], headers: Mapping[str, Any]) -> None:
    missing = [name for name in pair if name not in headers]
    if missing:
        other = pair[0] if missing[0] == pair[1] else pair[1]
        raise DataError(f"{path} has {other}, and no {missing[0]}.")
    (shape, dtype), (label_shape, label_dtype) = (headers[name] for name in pair)
    if dtype.kind not in "biuf" or dtype.kind == "b":
        raise DataError(f"{path}: {pair[0]} holds {dtype}; expected numbers.")
    if label_dtype.kind not in "biufU":
        raise DataError(f"{path}: {pair[1]} holds {label_dtype}; expected numbers or texts.")
    if not shape or not label_shape or shape[0] != label_shape[0]:
        raise DataError(
            f"{path}: {pair[0]} has the shape {shape} and {pair[1]} {label_shape}; expected as "
            "many rows in both."
        )
    if len(label_shape) > 2 or (len(label_shape) == 2 and label_shape[1] != 1):
        raise DataError(
            f"{path}: {pair[1]} has the shape {label_shape}; expected one label a row.",
            hint="One-hot labels become class numbers by y.argmax(axis=1).",
        )
    if 0 in shape:
        raise DataError(f"{path}: {pair[0]} is empty: its shape is {shape}.")


def _find_modality(
    path: Path,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    asked: str | None,
) -> Modality:
    fits = {
        "image": len(shape) in (3, 4),
        "tabular": len(shape) == 2,
        "text": len(shape) == 2 and dtype.kind in "iu",
    }
    found: Modality = "image" if fits["image"] else "tabular"
    if asked is not None:
        found = _MODALITIES[asked]
    if not fits[found]:
        expected = {
            "image": "(rows, height, width) or (rows, height, width, channels)",
            "tabular": "(rows, features)",
            "text": "(rows, words) of whole numbers",
        }
        either = expected[found] if asked else f"{expected['tabular']}, {expected['image']}"
        raise DataError(f"{path}: {name} has the shape {shape} of {dtype}; expected {either}.")
    return found


def _find_classes(
    path: Path, names: list[str], labels: list[Array], task: Task | None
) -> tuple[Task, dict[str, int]]:
    """Return the task, and the training rows of each class in the order of the class numbers."""
    import numpy as np

    for name, each in zip(names, labels, strict=True):
        wrong = find_not_finite(each)
        if len(wrong):
            row = int(wrong[0, 0])
            raise DataError(f"{path}: {name}[{row}] is {each[row]}; expected {_FINITE}.")
    if task is None:
        task = "regression" if labels[0].dtype.kind == "f" else "classification"
    if task == "regression":
        if labels[0].dtype.kind == "U":
            raise DataError(f"{path}: {names[0]} holds texts; expected numbers for a regression.")
        if (labels[0] == labels[0][0]).all():
            raise DataError(
                f"{path}: {names[0]} is {labels[0][0]} in every row; there is nothing to learn."
            )
        return task, {}
    values, counts = np.unique(labels[0], return_counts=True)
    if len(values) < 2:
        raise DataError(
            f"{path}: {names[0]} is {values[0]} in every row; expected two classes or more."
        )
    if len(values) > _MOST_CLASSES:
        raise DataError(
            f"{path}: {names[0]} has {len(values):,} different values: too many for classes.",
            hint="Set dataset.task: regression if it is a number.",
        )
    for name, each in zip(names[1:], labels[1:], strict=True):
        unseen = np.flatnonzero(~np.isin(each, values))
        if len(unseen):
            raise DataError(
                f"{path}: {name}[{unseen[0]}] is {each[unseen[0]]}, a class that no row of "
                f"{names[0]} has."
            )
    return task, dict(zip(name_classes(values), counts.tolist(), strict=True))


def find_not_finite(array: Array, *, nan: bool = True) -> npt.NDArray[np.int64]:
    """Return where numbers are not in float32's range or, with `nan`, NaN: indices `(n, axes)`."""
    import numpy as np

    if array.dtype.kind != "f":
        return np.zeros((0, array.ndim), dtype=np.int64)
    # No copy of the array, only of truth values.
    largest = np.finfo(np.float32).max
    wrong = np.isinf(array)
    if array.dtype.itemsize > 4:
        wrong |= (array > largest) | (array < -largest)
    if nan:
        wrong |= np.isnan(array)
    return np.argwhere(wrong)


def _find_features(
    path: Path, pairs: list[tuple[str, str]]
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Return a feature a column, and one that marks where a number is missing: NaN.

    Beside them, the columns that have the same number in every row.
    """
    import numpy as np

    missing: Any = False
    constant: Any = True
    first = read_array(path, pairs[0][0])[0]
    for name, _ in pairs:
        array = read_array(path, name)
        wrong = find_not_finite(array, nan=False)
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                f"{path}: {name}[{row}, {column}] is {array[row, column]}; expected {_FINITE}, or "
                "NaN for a missing one."
            )
        constant = constant & (array == first).all(axis=0)
        missing = missing | np.isnan(array).any(axis=0)
        if name == pairs[0][0] and np.isnan(array).all(axis=0).any():
            column = int(np.flatnonzero(np.isnan(array).all(axis=0))[0])
            raise DataError(f"{path}: the column {column} of {name} is NaN in every row.")
    features = tuple(
        feature
        for column, lacks in enumerate(missing.tolist())
        for feature in (
            Feature(f"x{column}", "number"),
            *([Feature(f"x{column}", "missing")] if lacks else []),
        )
    )
    return features, tuple(f"x{column}" for column in np.flatnonzero(constant))


def _find_largest_id(path: Path, pairs: list[tuple[str, str]]) -> int:
    import numpy as np

    largest = 0
    for name, _ in pairs:
        array = read_array(path, name)
        wrong = np.argwhere((array < 0) | (array > np.iinfo(np.int32).max))
        if len(wrong):
            row, column = wrong[0]
            raise DataError(
                f"{path}: {name}[{row}, {column}] is {array[row, column]}; expected ids from 0 up."
            )
        largest = max(largest, int(array.max()))
    return largest


def _damaged(path: Path, name: str, error: Exception) -> DataError:
    where = f"{path}: {name}" if name else str(path)
    if "pickle" in str(error) or "Object arrays" in str(error):
        return DataError(f"{where} holds Python objects; expected numbers.")
    return DataError(f"{where} can't be read as .npz: {str(error).rstrip('.')}.")
