"""How do the arrays of an .npz file become rows?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.npz_arrays import (
    TEST_NAMES,
    NpzPlan,
    find_not_finite,
    name_classes,
    read_array,
)
from dltrain.data.dataset import Rows
from dltrain.errors import DataError


def read_npz(plan: NpzPlan) -> tuple[Rows, Rows | None]:
    """Read a file that was looked at: its rows, and those of its test split.

    Images become `(n, height, width, channels)` uint8, or float32 if they hold anything but whole
    numbers from 0 to 255; tables `(n, features)` float32 with NaN for what is missing; token ids
    `(n, words)` int32. Raises DataError if a pixel is no finite number.
    """
    train = _read_rows(plan, *plan.names)
    return train, _read_rows(plan, *TEST_NAMES) if plan.has_test else None


def _read_rows(plan: NpzPlan, x: str, y: str) -> Rows:
    array = read_array(plan.path, x)
    convert = {"image": _to_images, "tabular": _to_table, "text": _to_ids}[plan.info.modality]
    try:
        inputs = convert(array, plan)
    except _NotFinite as error:
        raise DataError(
            f"{plan.path}: {x}[{error.row}] holds a number that is not finite, or beyond "
            "float32's range.",
            hint="Mend the row, or leave it out.",
        ) from error
    return Rows(inputs, _read_labels(plan, read_array(plan.path, y).reshape(-1)))


class _NotFinite(Exception):
    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def _to_images(array: npt.NDArray[Any], plan: NpzPlan) -> npt.NDArray[Any]:
    images = array.reshape(len(array), *plan.info.shape)
    if images.dtype.kind in "iu" and images.min() >= 0 and images.max() <= 255:
        return images.astype(np.uint8, copy=False)
    wrong = find_not_finite(images)
    if len(wrong):
        raise _NotFinite(int(wrong[0, 0]))
    return images.astype(np.float32, copy=False)


def _to_table(array: npt.NDArray[Any], plan: NpzPlan) -> npt.NDArray[np.float32]:
    columns = [array[:, int(feature.column[1:])] for feature in plan.info.features]
    return np.stack(
        [
            np.isnan(column) if feature.kind == "missing" else column
            for column, feature in zip(columns, plan.info.features, strict=True)
        ],
        axis=1,
    ).astype(np.float32)


def _to_ids(array: npt.NDArray[Any], plan: NpzPlan) -> npt.NDArray[np.int32]:
    return array.astype(np.int32)


def _read_labels(plan: NpzPlan, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not plan.info.class_names:
        return labels.astype(np.float32)
    numbers = {name: number for number, name in enumerate(plan.info.class_names)}
    values, places = np.unique(labels, return_inverse=True)
    found = np.array([numbers[name] for name in name_classes(values)], dtype=np.int64)
    return found[places]
