"""Which rows does a Parquet file hold? Each value as the text that a CSV file would have of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dltrain.config.table_files import OpenedTable, Place, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

# Rows turned into texts at a time, so that memory doesn't grow with the file.
CHUNK = 4_096


def open_parquet(source: Source) -> OpenedTable:
    """Open a Parquet file; its rows are read a few thousand at a time.

    A null and a NaN are missing values, a truth value is `true` or `false`, a date or timestamp is
    written by ISO 8601. Columns of lists, structs or bytes hold no single values: `unusable` names
    their types. Raises DataError if it is no Parquet file, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source.path)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(source, error) from error
    schema = file.schema_arrow
    writers = [find_writer(each.type) for each in schema]
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise DataError(
            f"{source.path}: two columns are called '{twice}'.", hint="Rename one of them."
        )

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        row = 0
        try:
            for batch in file.iter_batches(batch_size=CHUNK):
                columns = [
                    ["?"] * len(batch) if write is None else write(column)
                    for write, column in zip(writers, batch.columns, strict=True)
                ]
                for values in zip(*columns, strict=True):
                    row += 1
                    yield (source, row), values
        except (OSError, pa.ArrowException) as error:
            raise _damaged(source, error) from error

    unusable = {
        each.name: str(each.type)
        for each, write in zip(schema, writers, strict=True)
        if write is None
    }
    return OpenedTable(schema.names, rows(), unusable)


_Writer = Callable[[Any], list[str]]


def find_writer(kind: pa.DataType) -> _Writer | None:
    """Return what turns an array of the type into texts; None for what holds no single values."""
    from pyarrow import types

    if types.is_dictionary(kind):
        inner = find_writer(kind.value_type)
        return None if inner is None else lambda column: inner(column.dictionary_decode())
    if types.is_floating(kind):
        return lambda column: [_write_float(value) for value in column.to_pylist()]
    if types.is_boolean(kind):
        return lambda column: [_write(value).lower() for value in column.to_pylist()]
    if types.is_timestamp(kind):
        # Python's moments have microseconds.
        return lambda column: _write_moments(column, kind.tz)
    if types.is_date(kind):
        return lambda column: ["" if day is None else day.isoformat() for day in column.to_pylist()]
    if (
        types.is_integer(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
    ):
        return lambda column: [_write(value) for value in column.to_pylist()]
    return None


def _write_moments(column: Any, zone: str | None) -> list[str]:
    import pyarrow as pa

    moments = column.cast(pa.timestamp("us", tz=zone), safe=False).to_pylist()
    return ["" if moment is None else moment.isoformat() for moment in moments]


def _write_float(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(value)


def _write(value: object) -> str:
    return "" if value is None else str(value).strip()


def _damaged(source: Source, error: Exception) -> DataError:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return DataError(f"{source.path} can't be read as Parquet: {text.rstrip('.')}.")
