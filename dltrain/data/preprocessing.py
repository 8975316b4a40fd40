"""What must be known to turn raw input into a model's input? The record that a run keeps of it.

Scaling isn't part of it: the model itself begins with it. A text's words are in tokenizer.json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dltrain.catalog.datasets import DatasetInfo, Modality, Task
from dltrain.data.table_encoding import ColumnEncoding, Floats, encode_rows
from dltrain.errors import DataError

FORMAT = 1


@dataclass(frozen=True)
class Preprocessing:
    """Hold what a raw row is made of and what its answer means.

    `class_names` are in the order of the model's outputs; `shape` is that of an image, `(height,
    width, channels)`, or of a table's row, `(features,)`; `columns` are those of a table of one's
    own, with all that was learned of them.
    """

    modality: Modality
    task: Task
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    columns: tuple[ColumnEncoding, ...] = ()

    @classmethod
    def of(cls, info: DatasetInfo, columns: tuple[ColumnEncoding, ...]) -> Preprocessing:
        """Return the record of a dataset whose columns were learned."""
        return cls(info.modality, info.task, info.class_names, info.shape, columns)

    def encode(self, rows: Iterable[Mapping[str, str]], *, say_row: Callable[[int], str]) -> Floats:
        """Return raw rows of a table as the model takes them: see `encode_rows`."""
        return encode_rows(self.columns, rows, say_row=say_row)


def to_record(preprocessing: Preprocessing) -> dict[str, Any]:
    """Return the JSON-able form, that of preprocessing.json."""
    return {"format": FORMAT, **dataclasses.asdict(preprocessing)}


def from_record(record: Mapping[str, Any]) -> Preprocessing:
    """Return what `to_record` was given. Raises ValueError if the record is damaged."""
    fields = {key: value for key, value in record.items() if key != "format"}
    try:
        return TypeAdapter(Preprocessing).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}") from error


def check_features(preprocessing: Preprocessing, info: DatasetInfo) -> None:
    """Raise DataError if a table's columns no longer make the features that were learned of."""
    learned = tuple(each for column in preprocessing.columns for each in column.features)
    if learned != info.features or preprocessing.class_names != info.class_names:
        raise DataError(
            f"{info.name} no longer has the columns and classes that the run was trained on.",
            hint="Put back what was there, or train again.",
        )
