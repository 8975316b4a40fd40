"""How do files and streams of texts become texts?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dltrain.data.progress import Progress
from dltrain.errors import UsageError
from dltrain.prediction.csv_rows import RawRow
from dltrain.prediction.items import STDIN, Item, label_of, list_files, say_error
from dltrain.prediction.lines import NOT_UTF8, read_lines
from dltrain.prediction.raw_rows import read_raw_rows
from dltrain.prediction.run_input import RunInput


class TextReader:
    """Read .txt files and folders of them, lines of stdin, and a column of a table's file."""

    def __init__(
        self, run: RunInput, progress: Progress, *, column: str | None, labelled: bool
    ) -> None:
        self._progress = progress
        self._column = column or run.text_key or "text"
        self._target = run.target
        self._labelled = labelled

    def read(self, given: str, stdin: Any) -> Iterator[Item]:
        """Yield the texts; one that can't be read is an item with an error.

        Raises UsageError if a CSV or Parquet file lacks the column.
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
            else:
                for row in read_raw_rows(path, bare=self._column):
                    yield self._to_item(row, given, is_jsonl=path.suffix.lower() == ".jsonl")
        except OSError as error:
            yield Item(given, error=say_error(error))

    def _read_folder(self, folder: Path) -> Iterator[Item]:
        is_empty = True
        for path in list_files(folder, (".txt",), progress=self._progress):
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

    def _to_item(self, row: RawRow, given: str, *, is_jsonl: bool) -> Item:
        if row.error:
            return Item(row.place, error=row.error)
        for name in (self._column, *([self._target] if self._labelled else [])):
            if name in row.values:
                continue
            if is_jsonl:  # each line has keys of its own
                return Item(row.place, error=f"has no '{name}'")
            raise UsageError(
                f"{given} has no column '{name}'; it has {', '.join(row.values)}.",
                hint="Name the column of the texts with --column." if name == self._column else "",
            )
        label = row.values[self._target] if self._labelled else None
        return Item(row.place, row.values[self._column], label=label)
