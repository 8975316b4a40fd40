"""How does a row of texts become the numbers that a model takes? By what the training rows say.

Two steps: what the row itself says, with NaN for what is missing; then what was learned.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import ColumnKind, Feature
from dltrain.config.table_columns import is_missing, parse_datetime, parse_number
from dltrain.config.table_facts import TEXT_WORDS, list_column_features
from dltrain.config.words import find_words
from dltrain.data.texts import Texts
from dltrain.errors import DataError

Floats = npt.NDArray[np.float32]

Write = Callable[[Floats, str], None]
"""Writes a value into the features of its column `(k,)`, zeros before. Raises ValueError."""

_LARGEST_FLOAT32 = 3.4028235e38


@dataclass(frozen=True)
class ColumnEncoding:
    """Say what a column's values become.

    `median` stands for a missing number, or a missing moment's year. `values` are the categories in
    the order of their features, of which no training row has the `unseen` ones. `words` are those
    of the training rows, the most frequent first.
    """

    name: str
    kind: ColumnKind
    marks_missing: bool = False
    has_time: bool = False
    median: float = 0.0
    values: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def features(self) -> list[Feature]:
        """Return the features that the column makes, in their order."""
        return list_column_features(
            self.name,
            self.kind,
            values=self.values,
            marks_missing=self.marks_missing,
            has_time=self.has_time,
        )


def encode_rows(
    columns: Sequence[ColumnEncoding],
    rows: Iterable[Mapping[str, str]],
    *,
    say_row: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Floats:
    """Return `(n, features)` float32 of rows that map the name of a column to its text.

    A category that is not among those of the training rows is unknown: all features of its column
    are 0. A missing number is the median. Further columns are passed over. Raises DataError, with
    what `say_row` makes of the row's index, if a column is missing or a value of a wrong type.
    """
    writers = [(column, make_writer(column.features)) for column in columns]
    width = sum(len(column.features) for column in columns)
    encoded = []
    texts: dict[str, list[str]] = {each.name: [] for each in columns if each.kind == "text"}
    for index, row in enumerate(rows):
        values, start = np.zeros(width, dtype=np.float32), 0
        for column, write in writers:
            end = start + len(column.features)
            if column.name not in row:
                raise DataError(f"{say_row(index)} has no column '{column.name}'.")
            text = row[column.name].strip()
            try:
                write(values[start:end], text)
            except ValueError:
                raise _refuse(say_row(index), column, text) from None
            if column.kind == "text":
                texts[column.name].append(text)
            start = end
        encoded.append(values)
    stacked = np.stack(encoded) if encoded else np.zeros((0, width), dtype=np.float32)
    return complete_features(columns, stacked, texts)


def describe_columns(features: Sequence[Feature]) -> list[ColumnEncoding]:
    """Return the columns that make `features`, with nothing learned yet."""
    columns = []
    for name, group in groupby(features, key=lambda feature: feature.column):
        made = list(group)
        kind = _KINDS[made[0].kind]
        columns.append(
            ColumnEncoding(
                name,
                kind,
                marks_missing=made[-1].kind == "missing" or made[-1] == Feature(name, "category"),
                has_time=any(feature.value == "hour_sin" for feature in made),
                values=tuple(each.value for each in made if each.value and kind == "category"),
            )
        )
    return columns


_KINDS: Mapping[str, ColumnKind] = {
    "number": "number",
    "category": "category",
    "datetime": "datetime",
    "word": "text",
}


def learn_columns(
    features: Sequence[Feature],
    inputs: Floats,
    texts: Mapping[str, Texts],
    rows: npt.NDArray[np.int64],
) -> tuple[ColumnEncoding, ...]:
    """Learn what `rows`, the training rows, say of `inputs` `(n, features)` and of `texts`.

    The median of those that have a number, 0 if none has; the categories that none has; the words
    that most of them have.
    """
    learned, start = [], 0
    for column in describe_columns(features):
        end = start + len(column.features)
        values = inputs[rows, start:end]
        changes: dict[str, Any] = {}
        if column.kind in ("number", "datetime"):
            known = values[:, 0][~np.isnan(values[:, 0])]
            changes["median"] = float(np.median(known)) if len(known) else 0.0
        elif column.kind == "category":
            changes["unseen"] = tuple(
                value for place, value in enumerate(column.values) if not values[:, place].any()
            )
        else:
            own = texts[column.name]
            changes["words"] = _choose_words(own[int(row)] for row in rows)
        learned.append(dataclasses.replace(column, **changes))
        start = end
    return tuple(learned)


def complete_features(
    columns: Sequence[ColumnEncoding], inputs: Floats, texts: Mapping[str, Iterable[str]]
) -> Floats:
    """Return `inputs` `(n, features)` with what was learned filled in; `inputs` stay as they are.

    `texts` are those of each text column. What is missing of a moment but the year is 0, the middle
    of its circle: no season, no weekday and no hour.
    """
    filled = np.array(inputs, dtype=np.float32)
    start = 0
    for column in columns:
        end = start + len(column.features)
        values = filled[:, start:end]
        if column.kind in ("number", "datetime"):
            values[np.isnan(values[:, 0]), 0] = column.median
        elif column.kind == "category":
            values[:, [column.values.index(value) for value in column.unseen]] = 0
        else:
            _write_words(values, texts[column.name], column.words)
        start = end
    return filled


def make_writer(features: Sequence[Feature]) -> Write:
    """Return what writes a value into the features of its column."""
    places = {(each.kind, each.value): index for index, each in enumerate(features)}
    kind = features[0].kind
    if kind == "word":
        return lambda row, text: None
    if kind == "category":

        def write_category(row: Floats, text: str) -> None:
            place = places.get(("category", "" if is_missing(text) else text))
            if place is not None:
                row[place] = 1

        return write_category
    write = _write_moment if kind == "datetime" else _write_number
    missing = places.get(("missing", ""))

    def write_or_mark(row: Floats, text: str) -> None:
        if not is_missing(text):
            write(row, text)
            return
        row[0] = np.nan
        if missing is not None:
            row[missing] = 1

    return write_or_mark


def _write_number(row: Floats, text: str) -> None:
    number = parse_number(text)
    if number is None or not abs(number) <= _LARGEST_FLOAT32:
        raise ValueError(text)
    row[0] = number


def _write_moment(row: Floats, text: str) -> None:
    """Write the year with its fraction, then where on the circle season, weekday and hour are.

    On a circle December is next to January, and 23:00 to midnight. The time is the one that stands
    there, whatever its zone.
    """
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(text)
    naive = moment.replace(tzinfo=None)
    start = datetime(naive.year, 1, 1)
    season = (naive - start).total_seconds() / (366 * 86_400)
    hour = (naive.hour + naive.minute / 60) / 24
    row[0] = naive.year + season
    # What the column has no features for, its hour, is left out.
    angles = [2 * math.pi * share for share in (season, naive.weekday() / 7, hour)]
    circle = [part(angle) for angle in angles for part in (math.sin, math.cos)]
    count = 4 + 2 * (len(row) >= 7)
    row[1 : 1 + count] = circle[:count]


def _choose_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the words that most texts have, and two at least: another tells of one row alone."""
    counts = Counter(word for text in texts for word in set(find_words(text)))
    common = [word for word, count in counts.items() if count > 1]
    ordered = sorted(common, key=lambda word: (-counts[word], word))
    return tuple(ordered[:TEXT_WORDS])


def _write_words(values: Floats, texts: Iterable[str], words: Sequence[str]) -> None:
    places = {word: place for place, word in enumerate(words)}
    for row, text in zip(values, texts, strict=True):
        row[[places[word] for word in set(find_words(text)) if word in places]] = 1


def _refuse(where: str, column: ColumnEncoding, text: str) -> DataError:
    expected = {
        "number": "a finite number",
        "datetime": "a date by ISO 8601, such as 2026-03-01",
    }[column.kind]
    return DataError(
        f"{where}: the column '{column.name}' is '{text[:40]}'; expected {expected}, as in the "
        "rows that the model was trained on."
    )
