"""What does a scanned CSV file give a model: which features, which classes, or which number?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dltrain.catalog.datasets import DatasetInfo, Feature, Task
from dltrain.config.csv_columns import MOST_CATEGORIES, Column, CsvScan, describe_number
from dltrain.errors import DataError

MOST_WHOLE_CLASSES = 20
"""A target of more different whole numbers than this is taken for an amount, not for classes."""


def guess_task(target: Column) -> Task:
    """Return what a column asks for: text, or whole numbers of few different values, is a class."""
    few = target.values is not None and len(target.values) <= MOST_WHOLE_CLASSES
    return "classification" if not target.numeric or (target.whole and few) else "regression"


def describe_csv_columns(
    scan: CsvScan, target: Column, *, task: Task, ignore: Sequence[str] = ()
) -> DatasetInfo:
    """Describe the rows of a CSV file.

    Raises DataError if the target or a column can't be used.
    """
    features = tuple(
        feature
        for column in scan.columns
        if column is not target and column.name not in ignore
        for feature in _make_features(scan.path, column)
    )
    if not features:
        raise DataError(f"{scan.path} has no column to predict '{target.name}' from.")
    classes = find_classes(scan.path, target, task=task)
    return DatasetInfo(
        name=scan.path.name,
        task=task,
        modality="tabular",
        class_names=tuple(classes),
        shape=(len(features),),
        train_rows=scan.rows,
        test_rows=0,
        summary=f"{scan.rows:,} rows of {len(features)} features; the target '{target.name}' is "
        + (f"one of {len(classes)} classes" if classes else "a number"),
        reader="csv",
        class_counts=tuple(classes.values()),
        features=features,
    )


def find_classes(path: Path, target: Column, *, task: Task) -> dict[str, int]:
    """Return the rows of each class in the order of the class numbers; empty for a regression.

    Numbers are sorted by value, and written without needless decimals. Raises DataError if a value
    is missing, or is none that the task can have.
    """
    if target.missing:
        raise DataError(
            f"{path}:{target.first_missing}: the target '{target.name}' is missing "
            f"({target.missing:,} of the rows lack it).",
            hint="Remove such rows: nothing can be learned from them.",
        )
    if task == "regression":
        wrong = target.not_number or target.not_finite
        if wrong:
            kind = "number" if target.not_number else "finite number of float32's range"
            raise DataError(
                f"{path}:{wrong[0]}: the target '{target.name}' is '{wrong[1]}', which is no "
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
        name = describe_number(float(text)) if target.numeric else text
        counts[name] = counts.get(name, 0) + count
    if len(counts) < 2:
        raise DataError(
            f"{path}: the target '{target.name}' is '{next(iter(counts))}' in every row; expected "
            "two classes or more."
        )
    return counts


def _class_order(target: Column) -> Callable[[tuple[str, int]], float | str]:
    if target.numeric:
        return lambda item: float(item[0])
    return lambda item: item[0]


def _make_features(path: Path, column: Column) -> list[Feature]:
    if column.values == {}:
        raise DataError(
            f"{path}: the column '{column.name}' is empty in every row.", hint=_to_ignore(column)
        )
    if column.numeric:
        if column.not_finite:
            line, text = column.not_finite
            raise DataError(
                f"{path}:{line}: the column '{column.name}' is '{text}', which is no finite number "
                "of float32's range.",
                hint="Mend the value; an empty one stands for a missing one.",
            )
        features = [Feature(column.name, "number")]
        return [*features, Feature(column.name, "missing")] if column.missing else features
    if column.values is None:
        line, text = column.not_number or (0, "")
        raise DataError(
            f"{path}: the column '{column.name}' has more than {MOST_CATEGORIES:,} different "
            f"texts: too many for categories (line {line}: '{text[:40]}').",
            hint=_to_ignore(column),
        )
    features = [Feature(column.name, "category", text) for text in sorted(column.values)]
    return [*features, Feature(column.name, "category")] if column.missing else features


def _to_ignore(column: Column) -> str:
    return f"Leave it out with `ignore: ['{column.name}']`."
