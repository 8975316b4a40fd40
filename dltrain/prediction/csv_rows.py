"""How are the rows of a CSV read as they come, so that a bad one costs nothing but itself?"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.prediction.lines import NOT_UTF8, is_utf8, open_text

_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class RawRow:
    """Hold one row as texts by column, or why it can't be read; `place` is a phrase."""

    place: str
    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def read_csv_rows(stream: Any, name: str) -> Iterator[RawRow]:
    """Yield the rows below the header of a binary stream; a place is `FILE:LINE`, where it ends.

    Delimiter and names of columns are found as `dltrain.config.csv_file` finds them.
    """
    text = open_text(stream)
    before, header = 0, text.readline()
    while header and not header.strip():
        before, header = before + 1, text.readline()
    before += 1
    if not header:
        yield RawRow(name, error="is empty; expected a row of column names")
        return
    if not is_utf8(header):
        yield RawRow(f"{name}:{before}", error=NOT_UTF8)
        return
    delimiter = max(_DELIMITERS, key=lambda each: len(next(csv.reader([header], delimiter=each))))
    names = next(csv.reader([header], delimiter=delimiter))
    names = [column or f"column {index}" for index, column in enumerate(names, 1)]
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(f"{name}:{reader.line_num + before}", error=f"is damaged: {error}")
            continue
        if fields:
            yield _make_row(f"{name}:{reader.line_num + before}", names, fields)


def _make_row(place: str, names: Sequence[str], fields: Sequence[str]) -> RawRow:
    if len(fields) != len(names):
        return RawRow(place, error=f"has {len(fields)} values; the header has {len(names)}")
    if not all(is_utf8(value) for value in fields):
        return RawRow(place, error=NOT_UTF8)
    return RawRow(place, dict(zip(names, fields, strict=True)))
