"""What stands in the columns of a CSV file? One pass over its text, without NumPy.

The standard library's csv module reads it: pandas or PyArrow would be faster on millions of rows,
but neither is needed for anything else here, and each outweighs all of dltrain.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dltrain.errors import DataError

MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""What stands for a missing value, in whatever case."""

MOST_CATEGORIES = 1_000
"""More different texts than this are names or sentences, no categories."""

_DELIMITERS = ",;\t|"
_LARGEST_FLOAT32 = 3.4028235e38
_LARGEST_FIELD = 1 << 24


@dataclass
class Column:
    """Hold what was seen of a column; lines count from 1 and are those on which a row ends.

    `values` maps each text to its rows, None above MOST_CATEGORIES different ones. `not_number`
    and `not_finite` are the first text of that kind, with its line. A column is numeric if all its
    texts are numbers.
    """

    name: str
    missing: int = 0
    first_missing: int = 0
    whole: bool = True
    values: dict[str, int] | None = field(default_factory=dict)
    not_number: tuple[int, str] | None = None
    not_finite: tuple[int, str] | None = None

    @property
    def numeric(self) -> bool:
        """Tell whether there is a number in the column, and nothing else."""
        return self.not_number is None and self.values != {}

    def see(self, text: str, line: int) -> None:
        """Take in the value of one row."""
        if is_missing(text):
            self.missing += 1
            self.first_missing = self.first_missing or line
            return
        if self.values is not None:
            self.values[text] = self.values.get(text, 0) + 1
            if len(self.values) > MOST_CATEGORIES:
                self.values = None
        if self.not_number is not None:
            return
        number = parse_number(text)
        if number is None:
            self.not_number = (line, text)
            return
        if not abs(number) <= _LARGEST_FLOAT32:
            self.not_finite = self.not_finite or (line, text)
        self.whole = self.whole and number.is_integer()


@dataclass(frozen=True)
class CsvScan:
    """Hold what a CSV file is made of."""

    path: Path
    delimiter: str
    rows: int
    columns: tuple[Column, ...]

    def find(self, name: str) -> Column | None:
        """Return the column called `name`."""
        return next((column for column in self.columns if column.name == name), None)


def scan_csv(path: Path) -> CsvScan:
    """Read a CSV file through and say what its columns hold.

    UTF-8, with or without a byte order mark; comma, semicolon, tab or `|` between the values,
    whichever parts the header most often. Raises DataError, with the line, if a row has more or
    fewer values than the header, or the file has no rows or can't be read.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    return _scan(path, stat.st_mtime_ns, stat.st_size)


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Return the line and the values of each row below the header; empty lines are no rows.

    Spaces around a value are left out. Raises DataError as `scan_csv`.
    """
    lines = _read_lines(path)
    next(lines, None)
    return lines


def _read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the values of the header, then of each row."""
    delimiter, width = _find_delimiter(path), 0
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
                raise _not_utf8(path, error) from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    finally:
        csv.field_size_limit(old_limit)


def is_missing(text: str) -> bool:
    """Tell whether a value, without spaces around it, stands for none."""
    return len(text) < 5 and text.lower() in MISSING_WORDS


def parse_number(text: str) -> float | None:
    """Return the number that `text` is, or None; `1_000` is none, infinity is one."""
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


@functools.lru_cache(maxsize=4)
def _scan(path: Path, modified: int, size: int) -> CsvScan:
    """Scan the file that had these facts: `check` and `fit` ask more than once."""
    rows = _read_lines(path)
    line, header = next(rows, (0, []))
    if not header:
        raise DataError(f"{path} is empty.", hint="Expected a header and rows below it.")
    # pandas writes its index under an empty name.
    header = [name or f"column {index}" for index, name in enumerate(header, 1)]
    _check_header(path, line, header)
    columns, count = tuple(Column(name) for name in header), 0
    for line, values in rows:
        count += 1
        for column, text in zip(columns, values, strict=True):
            column.see(text, line)
    if not count:
        raise DataError(f"{path} has a header and no rows.")
    return CsvScan(path, _find_delimiter(path), count, columns)


def _check_header(path: Path, line: int, header: Sequence[str]) -> None:
    if len(header) < 2:
        raise DataError(
            f"{path} has one column, '{header[0]}'; expected a target and something to predict it "
            "from.",
            hint="Values are parted by a comma, a semicolon, a tab or |.",
        )
    numbers = [name for name in header if parse_number(name) is not None]
    if len(numbers) == len(header):
        raise DataError(
            f"{path}:{line} holds numbers only; expected a header.",
            hint="Add a first line with the names of the columns.",
        )
    for index, name in enumerate(header):
        if name in header[:index]:
            raise DataError(
                f"{path}:{line}: two columns are called '{name}'.", hint="Rename one of them."
            )


def _find_delimiter(path: Path) -> str:
    """Return what parts the header into the most names."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = ""
            while not header.strip():
                line = file.readline(_LARGEST_FIELD)
                if not line:
                    break
                header = line
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error

    def count(delimiter: str) -> int:
        return len(next(csv.reader([header], delimiter=delimiter), []))

    return max(_DELIMITERS, key=count)


def _not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    return DataError(
        f"{path} is not UTF-8 text: {_first_bad_line(path)}.",
        hint=f"Convert it, for example with: iconv -f LATIN1 -t UTF-8 {path.name}",
    )


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


def describe_number(value: float) -> str:
    """Return a whole number without its decimals: the name of the class 1.0 is 1."""
    return str(int(value)) if value.is_integer() and math.isfinite(value) else repr(value)
