"""How do rows of a table become the numbers that a model takes?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.errors import DataError
from dltrain.prediction.csv_rows import RawRow, read_csv_rows
from dltrain.prediction.items import STDIN, Item, say_error
from dltrain.prediction.raw_rows import read_raw_rows
from dltrain.prediction.run_input import RunInput


def read_table_rows(given: str, run: RunInput, stdin: Any, *, labelled: bool) -> Iterator[Item]:
    """Yield the rows of a file, or of a CSV from stdin; a bad row is an item with an error.

    Columns become numbers by what the run learned of them. Those of a built-in table have no
    names: a number each, taken in their order. With `labelled` the column `run.target` is the
    label.
    """
    try:
        rows = read_csv_rows(stdin, "stdin") if given == STDIN else read_raw_rows(Path(given))
        for row in rows:
            yield _to_item(row, run, labelled=labelled)
    except OSError as error:
        yield Item(given, error=say_error(error))


def _to_item(row: RawRow, run: RunInput, *, labelled: bool) -> Item:
    if row.error:
        return Item(row.place, error=row.error)
    values, label = dict(row.values), None
    if labelled:
        label = values.pop(run.target, None)
        if label is None:
            return Item(row.place, error=f"has no column '{run.target}'")
    try:
        return Item(row.place, encode_values(values, run), label=label)
    except DataError as error:
        return Item(row.place, error=error.message.rstrip("."), label=label)


def encode_values(values: Mapping[str, str], run: RunInput) -> npt.NDArray[np.float32]:
    """Return a row's features `(features,)`. Raises DataError, which says what is wrong with it."""
    if run.preprocessing.columns:
        encoded: npt.NDArray[np.float32] = run.preprocessing.encode(
            [values], say_row=lambda _: "the row"
        )[0]
        return encoded
    (features,) = run.shape
    if len(values) != features:
        raise DataError(f"has {len(values)} columns; the model takes {features}")
    numbers = np.zeros(features, dtype=np.float32)
    for index, (name, text) in enumerate(values.items()):
        try:
            numbers[index] = float(text)
        except ValueError:
            raise DataError(f"the column '{name}' is '{text[:40]}'; expected a number") from None
    if not np.isfinite(numbers).all():
        raise DataError("holds a number that is not finite")
    return numbers
