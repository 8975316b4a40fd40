"""What do the columns of a scanned table give a model: features, classes, or a number?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dltrain.catalog.datasets import ColumnKind, Feature, Task
from dltrain.config.table_columns import (
    MOST_CATEGORIES,
    MOST_WHOLE_CLASSES,
    Column,
    TableScan,
    describe_number,
)
from dltrain.config.table_files import IMAGES, say_place
from dltrain.errors import DataError

TEXT_WORDS = 100
"""So many words of a text column, the most frequent of the training rows, are features."""

DATE_PARTS = ("year", "season_sin", "season_cos", "weekday_sin", "weekday_cos")
TIME_PARTS = ("hour_sin", "hour_cos")
"""The features of a moment; those of the hour only where a value has one."""


def guess_task(target: Column) -> Task:
    """Return what a column asks for: text, or whole numbers of few different values, is a class.

    Raises DataError if nearly all values are numbers, and some are not.
    """
    odd = target.odd
    if odd is not None and odd.others.endswith("numbers"):
        raise DataError(
            f"{say_place(odd.place)}: the target '{target.name}' is '{odd.text[:40]}'; "
            f"{odd.others}.",
            hint="Mend the value, or set dataset.task: classification.",
        )
    few = target.values is not None and len(target.values) <= MOST_WHOLE_CLASSES
    return "classification" if not target.numeric or (target.whole and few) else "regression"


def make_features(
    scan: TableScan,
    *,
    without: Iterable[str],
    kinds: Mapping[str, ColumnKind],
    target: str,
) -> tuple[Feature, ...]:
    """Return the features of the columns that are not left out, in the order of the table.

    `kinds` says what a column is where its values don't. Raises DataError if a column can't be
    used, or none is left.
    """
    left_out = {target, *without}
    features = tuple(
        feature
        for column in scan.columns
        if column.name not in left_out
        for feature in _make_column_features(
            scan.path, column, kinds.get(column.name, column.kind), said=column.name in kinds
        )
    )
    if not features:
        raise DataError(f"{scan.path} has no column to predict '{target}' from.")
    return features


def list_column_features(
    name: str,
    kind: ColumnKind,
    *,
    values: Iterable[str] = (),
    marks_missing: bool = False,
    has_time: bool = False,
) -> list[Feature]:
    """Return the features that a column of a kind makes, in their order."""
    if kind == "text":  # a missing text has no words: no feature of its own
        return [Feature(name, "word", str(number)) for number in range(TEXT_WORDS)]
    if kind == "category":
        features = [Feature(name, "category", value) for value in values]
        return [*features, Feature(name, "category")] if marks_missing else features
    if kind == "datetime":
        parts = (*DATE_PARTS, *TIME_PARTS) if has_time else DATE_PARTS
        features = [Feature(name, "datetime", part) for part in parts]
    else:
        features = [Feature(name, "number")]
    return [*features, Feature(name, "missing")] if marks_missing else features


def find_classes(path: Path, target: Column, *, task: Task) -> dict[str, int]:
    """Return the rows of each class in the order of the class numbers; empty for a regression.

    Numbers are sorted by value, and written without needless decimals. Raises DataError if a value
    is missing, or is none that the task can have.
    """
    if target.first_missing is not None:
        raise DataError(
            f"{say_place(target.first_missing)}: the target '{target.name}' is missing "
            f"({target.missing:,} of the rows lack it).",
            hint="Remove such rows: nothing can be learned from them.",
        )
    _refuse_unusable(path, target)
    if task == "regression":
        wrong = target.not_number or target.not_finite
        if wrong:
            kind = "number" if target.not_number else "finite number of float32's range"
            raise DataError(
                f"{say_place(wrong[0])}: the target '{target.name}' is '{wrong[1]}', which is no "
                f"{kind}.",
                hint="Mend the value, or set dataset.task: classification.",
            )
        return {}
    if target.values is None:
        raise DataError(
            f"{path}: the target '{target.name}' has more than {MOST_CATEGORIES:,} different "
            "values: too many for classes.",
            hint="Choose another target, or set dataset.task: regression if it is a number.",
        )
    counts: dict[str, int] = {}
    for text, count in sorted(target.values.items(), key=_class_order(target)):
        name = name_class(target, text)
        counts[name] = counts.get(name, 0) + count
    if len(counts) < 2:
        raise DataError(
            f"{path}: the target '{target.name}' is '{next(iter(counts))}' in every row; expected "
            "two classes or more."
        )
    return counts


def name_class(target: Column, text: str) -> str:
    """Return the name of the class that a value of the target stands for."""
    return describe_number(float(text)) if target.numeric else text


def _class_order(target: Column) -> Callable[[tuple[str, int]], float | str]:
    if target.numeric:
        return lambda item: float(item[0])
    return lambda item: item[0]


def _make_column_features(
    path: Path, column: Column, kind: ColumnKind, *, said: bool
) -> list[Feature]:
    _refuse_unusable(path, column)
    if column.empty:
        raise DataError(
            f"{path}: the column '{column.name}' is empty in every row.", hint=_to_ignore(column)
        )
    odd = column.odd
    if odd is not None and not said:
        raise DataError(
            f"{say_place(odd.place)}: the column '{column.name}' is '{odd.text[:40]}'; "
            f"{odd.others}.",
            hint="Mend the value; an empty one stands for a missing one. Or say what the column "
            f"is: `columns: {{'{column.name}': category}}`.",
        )
    if kind == "number":
        _check_numbers(column)
    elif kind == "datetime" and column.not_datetime:
        place, text = column.not_datetime
        raise DataError(
            f"{say_place(place)}: the column '{column.name}' is '{text[:40]}', which is no date by "
            "ISO 8601.",
            hint="Write dates as 2026-03-01, or 2026-03-01 14:30 with a time.",
        )
    elif (kind == "category" and column.values is None) or (kind == "text" and not said):
        example = ""
        if column.not_number:
            place, text = column.not_number
            example = f" ({say_place(place)}: '{text[:40]}')"
        raise DataError(
            f"{path}: the column '{column.name}' has more than {MOST_CATEGORIES:,} different "
            f"values: too many for categories{example}.",
            hint=f"{_to_ignore(column)} Or, for its words: `columns: {{'{column.name}': text}}`.",
        )
    return list_column_features(
        column.name,
        kind,
        values=sorted(column.values or ()),
        marks_missing=bool(column.missing),
        has_time=column.has_time,
    )


def _check_numbers(column: Column) -> None:
    wrong = column.not_number or column.not_finite
    if wrong:
        kind = "number" if column.not_number else "finite number of float32's range"
        raise DataError(
            f"{say_place(wrong[0])}: the column '{column.name}' is '{wrong[1][:40]}', which is no "
            f"{kind}.",
            hint="Mend the value; an empty one stands for a missing one.",
        )


def _refuse_unusable(path: Path, column: Column) -> None:
    if column.unusable:
        raise DataError(
            f"{path}: the column '{column.name}' holds {column.unusable}; expected numbers, "
            "texts, dates or truth values.",
            hint=f"To learn from its images, name it: `image: {column.name}`, with image_size."
            if column.unusable == IMAGES
            else _to_ignore(column),
        )


def _to_ignore(column: Column) -> str:
    return f"Leave it out with `ignore: ['{column.name}']`."
