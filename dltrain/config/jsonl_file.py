"""Which rows does a file of JSON lines hold? A JSON object a line, of which some keys are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.config.csv_file import refuse_encoding
from dltrain.config.table_files import OpenedTable, Place, Source, say_place
from dltrain.errors import DataError


def open_jsonl(source: Source) -> OpenedTable:
    """Open a file of JSON lines in UTF-8; the columns are `source.fields`, empty lines no rows.

    null is a missing value, a truth value `true` or `false`. Taking the rows raises DataError, with
    the line, if one is no JSON object, lacks a field, or has a list or an object in it.
    """

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        try:
            with source.path.open(encoding="utf-8-sig") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        place = (source, number)
                        yield place, _read_fields(line, place)
        except UnicodeDecodeError as error:
            raise refuse_encoding(source.path, error) from error
        except OSError as error:
            raise DataError(f"{source.path} can't be read: {error.strerror}.") from error

    return OpenedTable(source.fields, rows())


def _read_fields(line: str, place: Place) -> list[str]:
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(
            f"{say_place(place)} is no JSON: {error}.", hint="Expected a JSON object a line."
        ) from error
    if not isinstance(record, dict):
        raise DataError(
            f"{say_place(place)} holds {_name_kind(record)}; expected a JSON object, such as "
            '{"text": "…", "label": "…"}.'
        )
    return [_read_value(record, name, place) for name in place[0].fields]


def _read_value(record: dict[str, Any], name: str, place: Place) -> str:
    if name not in record:
        near = nearest(name, [*record])
        keys = ", ".join(f"'{key}'" for key in list(record)[:20])
        raise DataError(
            f"{say_place(place)} has no '{name}'; it has {keys or 'nothing'}.",
            hint=f"Did you mean '{near}'?" if near else "",
        )
    value = record[name]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise DataError(
            f"{say_place(place)}: '{name}' is {_name_kind(value)}; expected a text or a number."
        )
    text = str(value).strip()
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{say_place(place)}: '{name}' holds half a character, "
                f"\\u{ord(text[error.start]):04x}.",
                hint="Characters beyond \\uffff are a pair of such escapes in JSON.",
            ) from error
    return text


def _name_kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return "null" if value is None else kinds.get(type(value), "a number")
