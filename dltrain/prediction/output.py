"""How are predictions written: CSV, JSON lines, Parquet, or lines for a person?"""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from dltrain.prediction.predict import PredictedRow
from dltrain.runs.atomic import explaining_disk, replacing

# Rows of a row group of Parquet: small ones would make the file large and slow to read.
_GROUP_ROWS = 8_192

_WIDEST_NAME = 40


class RowWriter(Protocol):
    """Take predictions a batch at a time."""

    def write(self, rows: Sequence[PredictedRow]) -> None:
        """Write a batch, so that a reader sees it."""


class CsvWriter:
    """Write `input,predicted,probability,…,error`; with `top` > 1 `predicted_2,probability_2` …"""

    def __init__(self, stream: IO[str], *, top: int, has_classes: bool) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._stream, self._top, self._has_classes = stream, top, has_classes
        self._writer.writerow(list_columns(top=top, has_classes=has_classes))

    def write(self, rows: Sequence[PredictedRow]) -> None:
        """Write a batch and flush it."""
        for row in rows:
            values = flatten(row, top=self._top, has_classes=self._has_classes)
            self._writer.writerow("" if value is None else value for value in values)
        self._stream.flush()


class JsonLinesWriter:
    """Write `{"input": …, "predicted": …, "probability": …, "error": …}`, an object a line.

    With `top` > 1 `top` is a list of `{"class", "probability"}`.
    """

    def __init__(self, stream: IO[str], *, top: int, has_classes: bool) -> None:
        self._stream, self._top, self._has_classes = stream, top, has_classes

    def write(self, rows: Sequence[PredictedRow]) -> None:
        """Write a batch and flush it."""
        for row in rows:
            self._stream.write(json.dumps(self._describe(row), ensure_ascii=False) + "\n")
        self._stream.flush()

    def _describe(self, row: PredictedRow) -> dict[str, Any]:
        values = flatten(row, top=1, has_classes=self._has_classes)
        names = list_columns(top=1, has_classes=self._has_classes)
        described = dict(zip(names, values, strict=True))
        if self._has_classes and self._top > 1:
            described["top"] = [{"class": name, "probability": value} for name, value in row.top]
        return described


class ParquetWriter:
    """Write the columns of the CSV into a Parquet file, a row group for some thousands of rows."""

    def __init__(self, path: Path, *, top: int, has_classes: bool) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = list_columns(top=top, has_classes=has_classes)
        texts = {"input", "error"} | {
            name for name in names if name.startswith("predicted") and has_classes
        }
        self._schema = pa.schema(
            [(name, pa.string() if name in texts else pa.float64()) for name in names]
        )
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._top, self._has_classes = top, has_classes
        self._waiting: list[PredictedRow] = []

    def write(self, rows: Sequence[PredictedRow]) -> None:
        """Take a batch; a full row group is written."""
        self._waiting += rows
        if len(self._waiting) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write what waits, and the end of the file."""
        if self._waiting:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        columns = zip(
            *(flatten(row, top=self._top, has_classes=self._has_classes) for row in self._waiting),
            strict=True,
        )
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []


class LineWriter:
    """Write aligned lines for a person, each batch as it comes.

    The column of the inputs is as wide as the longest of the first batch, or 40.
    """

    def __init__(self, stream: IO[str], *, has_classes: bool, class_width: int) -> None:
        self._stream, self._has_classes = stream, has_classes
        self._class_width = max(class_width, len("predicted"))
        self._width = 0

    def write(self, rows: Sequence[PredictedRow]) -> None:
        """Write a batch and flush it."""
        if not self._width:
            longest = max(len(row.name) for row in rows)
            self._width = max(len("input"), min(longest, _WIDEST_NAME))
            head = "predicted"
            if self._has_classes:
                head = f"{head:<{self._class_width}}  probability"
            self._print(f"{'input':<{self._width}}  {head}")
        for row in rows:
            self._print(f"{self._shorten(row.name)}  {self._describe(row)}")
        self._stream.flush()

    def _print(self, line: str) -> None:
        from dltrain.escaping import escape_unprintable

        self._stream.write(escape_unprintable(line.rstrip()) + "\n")

    def _shorten(self, name: str) -> str:
        # The end of a path tells files apart.
        shown = name if len(name) <= self._width else f"…{name[1 - self._width :]}"
        return f"{shown:<{self._width}}"

    def _describe(self, row: PredictedRow) -> str:
        if row.error:
            return f"error: {row.error}"
        if not self._has_classes:
            return f"{row.value:.6g}"
        return "  ".join(f"{name:<{self._class_width}}  {value:<11.4f}" for name, value in row.top)


def list_columns(*, top: int, has_classes: bool) -> list[str]:
    """Return the names of the columns of a table of predictions."""
    names = ["input", "predicted"]
    if has_classes:
        names.append("probability")
        names += [
            f"{name}_{place}"
            for place in range(2, top + 1)
            for name in ("predicted", "probability")
        ]
    return [*names, "error"]


def flatten(row: PredictedRow, *, top: int, has_classes: bool) -> list[Any]:
    """Return a row's values, in the order of `list_columns`; None where there is none."""
    error = row.error or None
    if not has_classes:
        return [row.name, row.value, error]
    pairs: list[Any] = [part for pair in row.top[:top] for part in pair]
    return [row.name, *(pairs or [None] * (2 * top)), error]


@contextlib.contextmanager
def open_writer(path: Path, kind: str, *, top: int, has_classes: bool) -> Iterator[RowWriter]:
    """Open a file for predictions: `csv`, `jsonl`, or `parquet`, which appears when it is whole.

    The others can be read while they grow. Raises MachineError if the file can't be written.
    """
    if kind == "parquet":
        with replacing(path) as temporary:
            writer = ParquetWriter(temporary, top=top, has_classes=has_classes)
            try:
                yield writer
            finally:
                writer.close()
        return
    make = CsvWriter if kind == "csv" else JsonLinesWriter
    with explaining_disk(path), path.open("w", encoding="utf-8", newline="") as stream:
        yield make(stream, top=top, has_classes=has_classes)
