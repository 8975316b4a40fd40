"""What does a checked `dataset:` section make of a table: which columns, rows and splits?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dltrain.catalog.datasets import DatasetInfo, Feature, Modality
from dltrain.config.own_keys import find_image_shape
from dltrain.config.table_columns import Column, TableScan, find_first, scan_table
from dltrain.config.table_facts import find_classes, guess_task, make_features, name_class
from dltrain.config.table_files import HeldOut, Source, say_place
from dltrain.errors import DataError

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
"""What a split column may say, in whatever case, and which split that is."""

ROLES = ("weight_column", "group_column", "split_column")
"""The keys that name a column which is no feature."""

HELD_OUT: tuple[HeldOut, ...] = ("validation", "test")

FIELD_DEFAULTS = {"text": "text", "target": "label"}
"""What is read of each line of JSON unless the config says otherwise."""


@dataclass(frozen=True)
class TablePlan:
    """Hold what is made of a table. `classes` maps each class to its training rows.

    `text` or `image` is the column whose texts or images are the inputs; both are None where the
    columns make features.
    `split_rows` counts the rows of each split that the data itself names; without any, it is empty.
    """

    scan: TableScan
    info: DatasetInfo
    target: Column
    weight: Column | None
    group: Column | None
    split: Column | None
    text: Column | None
    image: Column | None = None
    split_rows: Mapping[str, int] = field(default_factory=dict)


def list_sources(section: Mapping[str, Any]) -> tuple[Source, ...]:
    """Return the files that a section names, the one to train on first."""
    kind = section["type"]
    fields: tuple[str, ...] = ()
    if kind == "jsonl":
        names = [section.get(key) or default for key, default in FIELD_DEFAULTS.items()]
        names += [section[key] for key in ROLES if section.get(key)]
        fields = tuple(dict.fromkeys(names))
    if kind in ("huggingface", "tfds"):
        path = Path(section["path"])
        found = _list_splits(kind, path)
        named = [Source(path, kind, split=each) for each in HELD_OUT if each in found]
        return (Source(path, kind), *named)
    sources = [Source(Path(section["path"]), kind, fields)]
    for split in HELD_OUT:
        if section.get(f"{split}_path"):
            sources.append(Source(Path(section[f"{split}_path"]), kind, fields, split))
    return tuple(sources)


def _list_splits(kind: str, path: Path) -> Sequence[str]:
    if kind == "tfds":
        from dltrain.config.tfds_metadata import read_metadata

        return [*read_metadata(path).splits]
    from dltrain.config.huggingface_rows import list_splits

    return list_splits(path)


def plan_table(section: Mapping[str, Any]) -> TablePlan:
    """Look at the table that a checked section names. Raises DataError if it can't be used."""
    scan = scan_table(*list_sources(section))
    is_jsonl = section["type"] == "jsonl"
    target_name = section.get("target") or (FIELD_DEFAULTS["target"] if is_jsonl else None)
    target = scan.find(target_name)
    if target is None:
        raise DataError(f"{scan.path} has no column '{target_name}'.")
    task = section.get("task") or guess_task(target)
    roles = {key: scan.find(section.get(key)) for key in ROLES}
    classes = find_classes(scan.path, target, task=task)
    _check_weights(roles["weight_column"])
    _check_complete(roles["group_column"], "group", "Every row needs a group.")
    rows, counts = _count_splits(scan, target, roles["split_column"], classes)
    text = scan.find(section.get("text") or (FIELD_DEFAULTS["text"] if is_jsonl else None))
    if text is not None and text.empty:
        raise DataError(f"{scan.path}: the text '{text.name}' is empty in every row.")
    image = scan.find(section.get("image"))
    features: tuple[Feature, ...] = ()
    shape: tuple[int, ...] = ()
    if image is not None:
        shape = find_image_shape(section) or ()
    elif text is None:
        features = make_features(
            scan,
            without=[*(section.get("ignore") or ()), *(c.name for c in roles.values() if c)],
            kinds=section.get("columns") or {},
            target=target.name,
        )
        shape = (len(features),)
    if task == "regression" and target.constant:
        raise DataError(
            f"{scan.path}: the target '{target.name}' is '{next(iter(target.values or ()))}' in "
            "every row; there is nothing to learn."
        )
    tests = rows.get("test", 0)
    modality: Modality = "image" if image else "text" if text else "tabular"
    told = {"image": "images", "text": "text", "tabular": f"{len(features)} features"}[modality]
    unused = [name for name in target.declared if name not in counts]
    info = DatasetInfo(
        name=scan.path.name,
        task=task,
        modality=modality,
        class_names=tuple(counts),
        shape=shape,
        train_rows=scan.rows - tests,
        test_rows=tests,
        summary=f"{scan.rows:,} rows of {told}; the target '{target.name}' is "
        + (f"one of {len(classes)} classes" if classes else "a number")
        + (f"; {tests:,} rows are the test split" if tests else "")
        + _describe_missing_texts(text)
        + (f"; no row is of the class {join_names(unused)}" if classes and unused else ""),
        reader=section["type"],
        class_counts=tuple(counts.values()),
        features=features,
        median_words=_count_median_words(scan, text) if text else 0,
        constant_columns=tuple(
            column.name
            for column in scan.columns
            if column.constant and any(column.name == feature.column for feature in features)
        ),
    )
    return TablePlan(
        scan,
        info,
        target,
        weight=roles["weight_column"],
        group=roles["group_column"],
        split=roles["split_column"],
        text=text,
        image=image,
        split_rows=rows,
    )


def find_split(column: Column | None, text: str) -> str:
    """Return the split that a value of the split column names. Raises KeyError for another."""
    return "train" if column is None else SPLIT_NAMES[text.lower()]


def _count_splits(
    scan: TableScan, target: Column, split: Column | None, classes: Mapping[str, int]
) -> tuple[dict[str, int], Mapping[str, int]]:
    """Return the rows of each split that the data names, and the rows of each class without test.

    Raises DataError for a value that names no split, no rows to train on, and a class that is in
    none of them: such a row can't be told from what was never seen.
    """
    if split is None and len(scan.sources) == 1:
        return {}, classes
    if split is not None:
        _check_split_values(scan, split)
    at = scan.names.index(target.name)
    split_at = scan.names.index(split.name) if split else 0
    rows: dict[str, int] = {}
    kept = dict.fromkeys(classes, 0)
    trained: set[str] = set()
    first: dict[str, tuple[str, str]] = {}
    for place, values in scan.read_rows():
        part = place[0].split or find_split(split, values[split_at])
        rows[part] = rows.get(part, 0) + 1
        if not classes:
            continue
        name = name_class(target, values[at])
        if part != "test":
            kept[name] += 1
        if part == "train":
            trained.add(name)
        elif name not in first:
            first[name] = (say_place(place), part)
    if not rows.get("train"):
        raise DataError(f"{scan.path} has no row to train on: '{split and split.name}' names none.")
    for name, (where, part) in first.items():
        if name not in trained:
            raise DataError(
                f"{where}: the class '{name}' of this {part} row is in no training row.",
                hint="Add training rows of it, or leave such rows out.",
            )
    return rows, kept


def _describe_missing_texts(text: Column | None) -> str:
    if text is None or text.first_missing is None:
        return ""
    rows = "1 row has" if text.missing == 1 else f"{text.missing:,} rows have"
    return f"; {rows} no text, the first is {say_place(text.first_missing)}"


def _check_weights(weight: Column | None) -> None:
    """Raise DataError for the first weight that is missing, negative or no finite number."""
    if weight is None:
        return
    expected = "expected a finite number of at least 0"
    if weight.first_missing is not None:
        where = say_place(weight.first_missing)
        raise DataError(f"{where}: the weight '{weight.name}' is missing; {expected}.")
    wrong = weight.not_number or weight.not_finite or weight.negative
    if wrong is not None:
        raise DataError(
            f"{say_place(wrong[0])}: the weight '{weight.name}' is '{wrong[1][:40]}'; {expected}."
        )


def _check_complete(column: Column | None, what: str, hint: str) -> None:
    """Raise DataError for the first row that lacks a value."""
    if column is not None and column.first_missing is not None:
        raise DataError(
            f"{say_place(column.first_missing)}: the {what} column '{column.name}' is empty.",
            hint=hint,
        )


def _check_split_values(scan: TableScan, split: Column) -> None:
    _check_complete(split, "split", "Every row needs train, validation or test.")
    wrong = next((text for text in split.values or () if text.lower() not in SPLIT_NAMES), None)
    if split.values is None or wrong is not None:
        where = find_first(scan, split, wrong) if wrong is not None else scan.path
        raise DataError(
            f"{where}: the split column '{split.name}' is '{wrong}'; expected train, validation "
            "or test."
        )


def join_names(names: Sequence[str]) -> str:
    """Return the first names of classes as a phrase."""
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5:,} more"


def _count_median_words(scan: TableScan, text: Column) -> int:
    from dltrain.config.words import find_words

    at = scan.names.index(text.name)
    step = max(1, scan.rows // 200)
    lengths = [
        len(find_words(values[at]))
        for number, (_, values) in enumerate(scan.read_rows())
        if number % step == 0
    ]
    return sorted(lengths)[len(lengths) // 2]
