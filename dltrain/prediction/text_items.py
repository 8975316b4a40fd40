"""How do files and streams of texts become texts?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dltrain.errors import UsageError
from dltrain.prediction.csv_rows import CsvRow, read_csv_rows
from dltrain.prediction.items import STDIN, Item, label_of, list_files, say_error
from dltrain.prediction.lines import NOT_UTF8, read_lines
from dltrain.prediction.run_input import RunInput


class TextReader:
    """Read .txt files and folders of them, lines of stdin, and a column of a CSV or JSON lines."""

    def __init__(self, run: RunInput, *, column: str | None, labelled: bool) -> None:
        self._column = column or run.text_key or "text"
        self._target = run.target
        self._labelled = labelled

    def read(self, given: str, stdin: Any) -> Iterator[Item]:
        """Yield the texts; one that can't be read is an item with an error.

        Raises UsageError if a CSV lacks the column.
        """
        path = Path(given)
        try:
            if given == STDIN:
                for line in read_lines(stdin):
                    yield Item(f"stdin:{line.number}", line.text, line.error)
            elif path.is_dir():
                yield from self._read_folder(path)
            elif path.suffix.lower() == ".txt":
                yield self._read_file(path)
            elif path.suffix.lower() == ".csv":
                with path.open("rb") as file:
                    yield from self._read_csv(file, given)
            else:
                with path.open("rb") as file:
                    yield from self._read_json_lines(file, given)
        except OSError as error:
            yield Item(given, error=say_error(error))

    def _read_folder(self, folder: Path) -> Iterator[Item]:
        is_empty = True
        for path in list_files(folder, (".txt",)):
            is_empty = False
            yield self._read_file(path, label_of(path, folder) if self._labelled else None)
        if is_empty:
            yield Item(str(folder), error="holds no .txt file")

    def _read_file(self, path: Path, label: str | None = None) -> Item:
        try:
            return Item(str(path), path.read_bytes().decode("utf-8-sig"), label=label)
        except UnicodeDecodeError:
            return Item(str(path), error=NOT_UTF8, label=label)
        except OSError as error:
            return Item(str(path), error=say_error(error), label=label)

    def _read_csv(self, file: Any, given: str) -> Iterator[Item]:
        for row in read_csv_rows(file, given):
            if row.error:
                yield Item(row.place, error=row.error)
                continue
            self._check_columns(row, given)
            label = row.values[self._target] if self._labelled else None
            yield Item(row.place, row.values[self._column], label=label)

    def _check_columns(self, row: CsvRow, given: str) -> None:
        wanted = [self._column, *([self._target] if self._labelled else [])]
        for name in wanted:
            if name not in row.values:
                raise UsageError(
                    f"{given} has no column '{name}'; it has {', '.join(row.values)}.",
                    hint="Name the column of the texts with --column."
                    if name == self._column
                    else "",
                )

    def _read_json_lines(self, file: Any, given: str) -> Iterator[Item]:
        for line in read_lines(file):
            if not line.text.strip():
                continue
            place = f"{given}:{line.number}"
            if line.error:
                yield Item(place, error=line.error)
                continue
            yield self._read_record(place, line.text)

    def _read_record(self, place: str, text: str) -> Item:
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return Item(place, error="is not JSON")
        if isinstance(record, str) and not self._labelled:
            return Item(place, record)
        if not isinstance(record, dict) or not isinstance(record.get(self._column), str):
            return Item(place, error=f"has no text '{self._column}'")
        label = record.get(self._target) if self._labelled else None
        if isinstance(label, bool | dict | list) or (self._labelled and label is None):
            return Item(place, error=f"has no label '{self._target}'")
        return Item(place, record[self._column], label=None if label is None else str(label))
