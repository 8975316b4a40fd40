"""How do rows of a table become the numbers that a model takes?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.errors import DataError
from dltrain.prediction.csv_rows import read_csv_rows
from dltrain.prediction.items import STDIN, Item, say_error
from dltrain.prediction.run_input import RunInput


def read_table_rows(given: str, run: RunInput, stdin: Any, *, labelled: bool) -> Iterator[Item]:
    """Yield the rows of a CSV file, or of stdin; a bad row is an item with an error.

    The columns of a built-in table have no names: a number each, taken in their order. With
    `labelled` the column `run.target` is the label.
    """
    try:
        if given == STDIN:
            yield from _read(stdin, "stdin", run, labelled=labelled)
        else:
            with Path(given).open("rb") as file:
                yield from _read(file, given, run, labelled=labelled)
    except OSError as error:
        yield Item(given, error=say_error(error))


def _read(stream: Any, name: str, run: RunInput, *, labelled: bool) -> Iterator[Item]:
    for row in read_csv_rows(stream, name):
        if row.error:
            yield Item(row.place, error=row.error)
            continue
        values, label = dict(row.values), None
        if labelled:
            label = values.pop(run.target, None)
            if label is None:
                yield Item(row.place, error=f"has no column '{run.target}'")
                continue
        try:
            yield Item(row.place, _encode(values, run), label=label)
        except DataError as error:
            yield Item(row.place, error=error.message, label=label)


def _encode(values: Mapping[str, str], run: RunInput) -> npt.NDArray[np.float32]:
    (features,) = run.shape
    if len(values) != features:
        raise DataError(f"has {len(values)} columns; the model takes {features}")
    encoded = np.zeros(features, dtype=np.float32)
    for index, (name, text) in enumerate(values.items()):
        try:
            encoded[index] = float(text)
        except ValueError:
            raise DataError(f"the column '{name}' is '{text[:40]}'; expected a number") from None
    if not np.isfinite(encoded).all():
        raise DataError("holds a number that is not finite")
    return encoded
