"""Which rows does a CSV file hold?

The standard library's csv module reads it: it tells the line of each row, and keeps the texts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from dltrain.config.table_files import OpenedTable, Place, Source
from dltrain.errors import DataError

_DELIMITERS = ",;\t|"
_LARGEST_FIELD = 1 << 24


def open_csv(source: Source) -> OpenedTable:
    """Open a CSV file with a header; empty lines are no rows.

    UTF-8, with or without a byte order mark; comma, semicolon, tab or `|` between the values,
    whichever parts the header most often. Raises DataError, with the line, if the header is none;
    taking the rows does if one has more or fewer values than the header.
    """
    lines = _read_lines(source.path, find_delimiter(source.path))
    line, header = next(lines, (0, []))
    if not header:
        raise DataError(f"{source.path} is empty.", hint="Expected a header and rows below it.")
    # pandas writes its index under an empty name.
    header = [name or f"column {index}" for index, name in enumerate(header, 1)]
    _check_header(source.path, line, header)

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        for line, values in lines:
            yield (source, line), values

    return OpenedTable(header, rows())


def find_delimiter(path: Path) -> str:
    """Return what parts the header into the most names. Raises DataError if it can't be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = ""
            while not header.strip():
                line = file.readline(_LARGEST_FIELD)
                if not line:
                    break
                header = line
    except UnicodeDecodeError as error:
        raise refuse_encoding(path, error) from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error

    def count(delimiter: str) -> int:
        return len(next(csv.reader([header], delimiter=delimiter), []))

    return max(_DELIMITERS, key=count)


def refuse_encoding(path: Path, error: UnicodeDecodeError) -> DataError:
    """Return the error that names the first line of `path` which isn't UTF-8."""
    with path.open("rb") as file:
        encoding = guess_encoding(file.read(2))
    return DataError(
        f"{path} is not UTF-8 text: {_first_bad_line(path)}.",
        hint=f"Convert it, for example with: iconv -f {encoding} -t UTF-8 {path.name}",
    )


def guess_encoding(start: bytes) -> str:
    """Return what iconv calls the encoding that a text which isn't UTF-8 may be in."""
    return "UTF-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "LATIN1"


def _read_lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the values of the header, then of each row."""
    width = 0
    old_limit = csv.field_size_limit(_LARGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            try:
                for row in reader:
                    if not row:
                        continue
                    width = width or len(row)
                    if len(row) != width:
                        raise DataError(
                            f"{path}:{reader.line_num} has {_count(len(row), 'value')}; the "
                            f"header has {width}.",
                            hint="Mend the row; a value that holds the delimiter "
                            f"{_quote(delimiter)} needs double quotes.",
                        )
                    yield reader.line_num, [text.strip() for text in row]
            except csv.Error as error:
                raise DataError(f"{path}:{reader.line_num} is no CSV: {error}.") from error
            except UnicodeDecodeError as error:
                raise refuse_encoding(path, error) from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    finally:
        csv.field_size_limit(old_limit)


def _check_header(path: Path, line: int, header: Sequence[str]) -> None:
    if len(header) < 2:
        raise DataError(
            f"{path} has one column, '{header[0]}'; expected a target and something to predict it "
            "from.",
            hint="Values are parted by a comma, a semicolon, a tab or |.",
        )
    if all(_is_number(name) for name in header):
        raise DataError(
            f"{path}:{line} holds numbers only; expected a header.",
            hint="Add a first line with the names of the columns.",
        )
    for index, name in enumerate(header):
        if name in header[:index]:
            raise DataError(
                f"{path}:{line}: two columns are called '{name}'.", hint="Rename one of them."
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first_bad_line(path: Path) -> str:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number} holds the byte 0x{line[error.start]:02x}"
    return "a character is cut off at its end"


def _quote(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
