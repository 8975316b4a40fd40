"""How do the rows of a CSV file become a table of numbers?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo, Feature
from dltrain.config.csv_columns import (
    Column,
    CsvScan,
    describe_number,
    is_missing,
    parse_number,
    read_rows,
)
from dltrain.data.dataset import Rows
from dltrain.errors import DataError


def read_csv_rows(scan: CsvScan, info: DatasetInfo, target: Column) -> Rows:
    """Read a scanned file into `(rows, features)` float32, features in the order of `info`.

    A missing number is NaN: `complete_features` fills it once the rows are split. Raises DataError
    if the file is no longer what was scanned.
    """
    inputs = np.zeros((scan.rows, len(info.features)), dtype=np.float32)
    labels: npt.NDArray[Any] = np.zeros(
        scan.rows, dtype=np.int64 if info.class_names else np.float32
    )
    writers = _make_writers(scan, info.features)
    read_label = _make_label_reader(info, target)
    at = [column.name for column in scan.columns].index(target.name)
    row = -1
    for row, (line, values) in enumerate(read_rows(scan.path)):
        try:
            for index, write in writers:
                write(inputs[row], values[index])
            labels[row] = read_label(values[at])
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise _changed(scan.path, f"line {line}") from error
    if row + 1 != scan.rows:
        raise _changed(scan.path, f"{row + 1:,} rows")
    return Rows(inputs, labels)


def complete_features(
    inputs: npt.NDArray[Any], rows: npt.NDArray[np.int64], features: Sequence[Feature]
) -> npt.NDArray[np.float32]:
    """Return `inputs` `(n, features)` with what the training rows `rows` say of missing values.

    A missing number becomes the median of the training rows that have it, 0 if none has. A
    category that no training row has is unknown: it is left at 0, as all other ones of its column
    are in such a row.
    """
    filled = np.array(inputs, dtype=np.float32)
    for index, feature in enumerate(features):
        values = filled[:, index]
        if feature.kind == "category":
            if not values[rows].any():
                values[:] = 0
            continue
        missing = np.isnan(values)
        if missing.any():
            known = values[rows][~missing[rows]]
            values[missing] = np.median(known) if len(known) else 0
    return filled


_Write = Callable[[npt.NDArray[np.float32], str], None]


def _make_writers(scan: CsvScan, features: Sequence[Feature]) -> list[tuple[int, _Write]]:
    """Return, for each column that makes features, its index and what writes its value."""
    places: dict[str, dict[tuple[str, str], int]] = {}
    for index, feature in enumerate(features):
        places.setdefault(feature.column, {})[feature.kind, feature.value] = index
    names = [column.name for column in scan.columns]
    return [(names.index(name), _make_writer(found)) for name, found in places.items()]


def _make_writer(places: dict[tuple[str, str], int]) -> _Write:
    number = places.get(("number", ""))
    if number is None:

        def write_category(row: npt.NDArray[np.float32], text: str) -> None:
            row[places["category", "" if is_missing(text) else text]] = 1

        return write_category

    def write_number(row: npt.NDArray[np.float32], text: str) -> None:
        if is_missing(text):
            row[number] = np.nan
            row[places["missing", ""]] = 1
        else:
            row[number] = float(text)

    return write_number


def _make_label_reader(info: DatasetInfo, target: Column) -> Callable[[str], float]:
    if not info.class_names:
        return float
    numbers = {name: number for number, name in enumerate(info.class_names)}
    if not target.numeric:
        return numbers.__getitem__
    return lambda text: numbers[describe_number(_to_number(text))]


def _to_number(text: str) -> float:
    number = parse_number(text)
    if number is None:
        raise ValueError(text)
    return number


def _changed(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} changed while it was read: {what} is not what was there before.",
        hint="Try again when nothing writes to it.",
    )
