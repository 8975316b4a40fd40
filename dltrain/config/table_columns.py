"""What stands in the columns of a table? One pass over its rows, as texts, without NumPy."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dltrain.catalog.datasets import ColumnKind
from dltrain.config.table_files import Place, Source, open_source, say_place
from dltrain.errors import DataError

MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""What stands for a missing value, in whatever case."""

MOST_CATEGORIES = 1_000
"""More different texts than this are names or sentences, no categories."""

MOST_WHOLE_CLASSES = 20
"""A column of more different whole numbers than this holds amounts, not classes."""

_LARGEST_FLOAT32 = 3.4028235e38
# From this share on, the others are taken for mistakes; of fewer values nothing can be said.
_NEARLY_ALL = 0.9
_FEWEST_TO_JUDGE = 10


@dataclass(frozen=True)
class OddValue:
    """Hold a value that is unlike the others of its column; `others` says what they are."""

    place: Place
    text: str
    others: str


@dataclass
class Column:
    """Hold what was seen of a column.

    `values` maps each text to its rows, None above MOST_CATEGORIES different ones. `not_number`,
    `not_finite`, `negative` and `not_datetime` are the first text of that kind, with its place;
    `numbers` and `datetimes` count the others until `values` is None. `unusable` is
    the type of a column that holds no single values, such as lists. `declared` are the names that
    the data itself has for classes, whether or not a row is of one.
    """

    name: str
    unusable: str = ""
    declared: tuple[str, ...] = ()
    missing: int = 0
    first_missing: Place | None = None
    whole: bool = True
    values: dict[str, int] | None = field(default_factory=dict)
    not_number: tuple[Place, str] | None = None
    not_finite: tuple[Place, str] | None = None
    negative: tuple[Place, str] | None = None
    not_datetime: tuple[Place, str] | None = None
    has_time: bool = False
    numbers: int = 0
    datetimes: int = 0

    @property
    def empty(self) -> bool:
        """Tell whether every value is missing."""
        return self.values == {}

    @property
    def constant(self) -> bool:
        """Tell whether all rows have the same value."""
        return self.values is not None and len(self.values) == 1 and not self.missing

    @property
    def numeric(self) -> bool:
        """Tell whether there is a number in the column, and nothing else."""
        return self.not_number is None and not self.empty

    @property
    def kind(self) -> ColumnKind:
        """Return what the values are taken for unless the config says otherwise."""
        if self.numeric:
            return "number"
        if self.not_datetime is None and not self.empty:
            return "datetime"
        return "category" if self.values is not None else "text"

    @property
    def odd(self) -> OddValue | None:
        """Return the first value that is none of the numbers or dates which nearly all others are.

        None where the values may be meant as categories: few different numbers, such as 1 to 5.
        """
        if self.values is None or sum(self.values.values()) < _FEWEST_TO_JUDGE:
            return None
        known = sum(self.values.values())
        for what, count, wrong in (
            ("numbers", self.numbers, self.not_number),
            ("dates", self.datetimes, self.not_datetime),
        ):
            many = what == "dates" or len(self.values) > MOST_WHOLE_CLASSES
            if wrong is not None and many and count >= _NEARLY_ALL * known:
                return OddValue(*wrong, f"{count:,} of its {known:,} values are {what}")
        return None

    def see(self, text: str, place: Place) -> None:
        """Take in the value of one row."""
        if is_missing(text):
            self.missing += 1
            self.first_missing = self.first_missing or place
            return
        if self.values is not None:
            self.values[text] = self.values.get(text, 0) + 1
            if len(self.values) > MOST_CATEGORIES:
                self.values = None
        if self.not_datetime is None or self.values is not None:
            self._see_datetime(text, place)
        if self.not_number is None or self.values is not None:
            self._see_number(text, place)

    def _see_datetime(self, text: str, place: Place) -> None:
        moment = parse_datetime(text)
        if moment is None:
            self.not_datetime = self.not_datetime or (place, text)
            return
        self.datetimes += 1
        self.has_time = self.has_time or bool(moment.hour or moment.minute)

    def _see_number(self, text: str, place: Place) -> None:
        number = parse_number(text)
        if number is None:
            self.not_number = self.not_number or (place, text)
            return
        self.numbers += 1
        if number < 0:
            self.negative = self.negative or (place, text)
        if not abs(number) <= _LARGEST_FLOAT32:
            self.not_finite = self.not_finite or (place, text)
        self.whole = self.whole and number.is_integer()


@dataclass(frozen=True)
class TableScan:
    """Hold what a table is made of; its rows are those of its files, one file after the other."""

    sources: tuple[Source, ...]
    rows: int
    columns: tuple[Column, ...]

    @property
    def path(self) -> Path:
        """Return the first file, which names the table."""
        return self.sources[0].path

    @property
    def names(self) -> list[str]:
        """Return the names of the columns, in order."""
        return [column.name for column in self.columns]

    def find(self, name: str | None) -> Column | None:
        """Return the column called `name`."""
        return next((column for column in self.columns if column.name == name), None)

    def read_rows(self) -> Iterator[tuple[Place, Sequence[str]]]:
        """Yield place and values of each row, in the order of `columns`.

        Spaces around a value are left out. Raises DataError as `scan_table`.
        """
        for source in self.sources:
            yield from _read_in_order(source, self.names)


def scan_table(*sources: Source) -> TableScan:
    """Read the files of a table through and say what their columns hold.

    Raises DataError, with the file and the row, if a row is damaged, a file has no rows or can't be
    read, or the files don't have the same columns.
    """
    return _scan(sources, tuple(look_at(source.path) for source in sources))


def find_first(scan: TableScan, column: Column, text: str) -> str:
    """Return where `text` first stands in a column, as a phrase."""
    at = scan.names.index(column.name)
    return next(
        (say_place(place) for place, values in scan.read_rows() if values[at] == text),
        str(scan.path),
    )


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


def parse_datetime(text: str) -> datetime | None:
    """Return the moment that `text` is by ISO 8601 with its hyphens, or None.

    `2026-03-01`, `2026-03-01 14:30` and `2026-03-01T14:30:00Z` are some. `03/01/2026` is none: in
    some countries it is a day of March, in others of January.
    """
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def describe_number(value: float) -> str:
    """Return a whole number without its decimals: the name of the class 1.0 is 1."""
    return str(int(value)) if value.is_integer() and math.isfinite(value) else repr(value)


def look_at(path: Path) -> tuple[int, int]:
    """Return when a file, or any in a folder, was changed last, and the size of all."""
    try:
        files = [path, *path.rglob("*")] if path.is_dir() else [path]
        stats = [file.stat() for file in files]
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    return max(each.st_mtime_ns for each in stats), sum(each.st_size for each in stats)


@functools.lru_cache(maxsize=4)
def _scan(sources: tuple[Source, ...], facts: tuple[tuple[int, int], ...]) -> TableScan:
    """Scan the files that had these facts: `check` and `fit` ask more than once."""
    opened = open_source(sources[0])
    columns = tuple(
        Column(name, opened.unusable.get(name, ""), tuple(opened.class_names.get(name, ())))
        for name in opened.names
    )
    count = 0
    for index, source in enumerate(sources):
        rows = _read_in_order(source, opened.names) if index else opened.rows
        before = count
        for place, values in rows:
            count += 1
            for column, text in zip(columns, values, strict=True):
                column.see(text, place)
        if count == before:
            raise DataError(f"{source.path} has {_NOTHING[source.kind]}.")
    return TableScan(sources, count, columns)


_NOTHING = {
    "csv": "a header and no rows",
    "parquet": "no rows",
    "jsonl": "no rows",
    "huggingface": "no rows",
    "tfds": "no rows",
}


def _read_in_order(source: Source, names: Sequence[str]) -> Iterator[tuple[Place, Sequence[str]]]:
    """Yield the rows of a file with the values in the order of `names`."""
    opened = open_source(source)
    if list(names) == list(opened.names):
        yield from opened.rows
        return
    for here, there, what in (
        (names, opened.names, "has no column"),
        (opened.names, names, "has a column that the first file lacks:"),
    ):
        odd = [name for name in here if name not in there]
        if odd:
            raise DataError(
                f"{source.path} {what} '{odd[0]}'.",
                hint="All files of a table need the same columns.",
            )
    order = [list(opened.names).index(name) for name in names]
    for place, values in opened.rows:
        yield place, [values[index] for index in order]
