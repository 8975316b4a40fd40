"""How are the rows of a file of a table read as texts: CSV, JSON lines, Parquet, or a stream?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dltrain.config.table_files import Source
from dltrain.errors import DataError
from dltrain.prediction.csv_rows import RawRow, read_csv_rows
from dltrain.prediction.lines import read_lines

TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")


def read_raw_rows(path: Path, *, bare: str | None = None) -> Iterator[RawRow]:
    """Yield the rows of a file by its suffix; a bad one is a row with an error.

    In JSON lines a text by itself is the value of the column `bare`. Raises OSError.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _read_parquet(path)
        return
    with path.open("rb") as file:
        if suffix == ".csv":
            yield from read_csv_rows(file, str(path))
        else:
            yield from _read_json_lines(file, str(path), bare)


def _read_json_lines(file: Any, name: str, bare: str | None) -> Iterator[RawRow]:
    for line in read_lines(file):
        if line.text.strip() or line.error:
            place = f"{name}:{line.number}"
            yield RawRow(place, error=line.error) if line.error else _parse(place, line.text, bare)


def _parse(place: str, text: str, bare: str | None) -> RawRow:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return RawRow(place, error="is not JSON")
    if isinstance(record, str) and bare is not None:
        return RawRow(place, {bare: record})
    if not isinstance(record, dict):
        return RawRow(place, error="is no JSON object")
    # A list, or an object, is no value of a column: as if the column weren't there.
    values = {name: value for name, value in record.items() if not isinstance(value, list | dict)}
    return RawRow(place, {name: _to_text(value) for name, value in values.items()})


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _read_parquet(path: Path) -> Iterator[RawRow]:
    from dltrain.config.parquet_file import open_parquet

    path.open("rb").close()  # raises OSError, as for the other files
    try:
        opened = open_parquet(Source(path, "parquet"))
        for (_, number), values in opened.rows:
            usable = zip(opened.names, values, strict=True)
            row = {name: value for name, value in usable if name not in opened.unusable}
            yield RawRow(f"{path}:{number}", row)
    except DataError as error:
        yield RawRow(str(path), error=error.message.removeprefix(f"{path} ").rstrip("."))
