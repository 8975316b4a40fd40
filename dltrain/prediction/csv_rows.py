"""How are the rows of a CSV read as they come, so that a bad one costs nothing but itself?"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.prediction.lines import NOT_UTF8, is_utf8, open_text

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvRow:
    """Hold one row by column; `place` is `FILE:LINE`, the line on which it ends."""

    place: str
    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def read_csv_rows(stream: Any, name: str) -> Iterator[CsvRow]:
    """Yield the rows below the header of a binary stream.

    The delimiter is the one of `, ; tab |` that the header has most of.
    """
    text = open_text(stream)
    header = text.readline()
    if not header.strip():
        yield CsvRow(name, error="is empty; expected a row of column names")
        return
    delimiter = max(_DELIMITERS, key=header.count)
    names = next(csv.reader([header], delimiter=delimiter))
    if not is_utf8(header):
        yield CsvRow(f"{name}:1", error=NOT_UTF8)
        return
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield CsvRow(f"{name}:{reader.line_num + 1}", error=f"is damaged: {error}")
            continue
        if fields:
            yield _make_row(f"{name}:{reader.line_num + 1}", names, fields)


def _make_row(place: str, names: Sequence[str], fields: Sequence[str]) -> CsvRow:
    if len(fields) != len(names):
        return CsvRow(place, error=f"has {len(fields)} values; the header has {len(names)}")
    if not all(is_utf8(value) for value in fields):
        return CsvRow(place, error=NOT_UTF8)
    return CsvRow(place, dict(zip(names, fields, strict=True)))
