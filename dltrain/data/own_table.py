"""How do the rows of a table of one's own become numbers, or texts with their labels?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.own_table import TablePlan, find_split
from dltrain.config.table_columns import Column, parse_number
from dltrain.config.table_facts import name_class
from dltrain.config.table_files import say_place
from dltrain.data.dataset import Rows
from dltrain.data.table_encoding import describe_columns, make_writer
from dltrain.data.texts import pack_texts
from dltrain.errors import DataError


def read_table(plan: TablePlan) -> tuple[Rows, Rows | None]:
    """Read a table that was looked at: its rows, and those that it says are the test split.

    Inputs are texts, or `(n, features)` float32 in the order of `plan.info.features`, or of images
    `(n, 2)` int64: the number of the file in the plan, and the row there, counted from 1. What the
    training rows tell is not in them yet: a missing number is NaN, the features of text columns are
    0 beside their texts. Raises DataError if the table is no longer what was looked at, a weight is
    none, or a group lies in two splits.
    """
    scan, info = plan.scan, plan.info
    inputs: npt.NDArray[Any] = (
        np.zeros((scan.rows, 2), dtype=np.int64)
        if plan.image
        else np.zeros((scan.rows, len(info.features)), dtype=np.float32)
    )
    numbers_of = {source: number for number, source in enumerate(scan.sources)}
    labels: npt.NDArray[Any] = np.zeros(
        scan.rows, dtype=np.int64 if info.class_names else np.float32
    )
    weights = np.ones(scan.rows, dtype=np.float32)
    splits = np.zeros(scan.rows, dtype="U10")
    groups = np.zeros(scan.rows, dtype=np.int64)
    numbers: dict[str, int] = {}
    writers, columns = _make_writers(plan)
    texts: dict[str, list[bytes]] = {name: [] for name in columns}
    read_label = _make_label_reader(info, plan.target)
    at = {name: index for index, name in enumerate(scan.names)}
    row = -1
    for row, (place, values) in enumerate(scan.read_rows()):
        try:
            for index, start, end, write in writers:
                write(inputs[row, start:end], values[index])
            labels[row] = read_label(values[at[plan.target.name]])
            splits[row] = place[0].split or find_split(
                plan.split, values[at[plan.split.name]] if plan.split else ""
            )
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise _changed(plan, say_place(place)) from error
        if plan.image:
            inputs[row] = numbers_of[place[0]], place[1]
        for name, encoded in texts.items():
            encoded.append(values[at[name]].encode())
        if plan.weight:
            weights[row] = _read_weight(values[at[plan.weight.name]], plan.weight, say_place(place))
        if plan.group:
            group = values[at[plan.group.name]]
            groups[row] = numbers.setdefault(group, len(numbers))
    if row + 1 != scan.rows:
        raise _changed(plan, f"{row + 1:,} rows")
    packed = {name: pack_texts(encoded) for name, encoded in texts.items()}
    if plan.group:
        _check_groups(plan, groups, splits, [*numbers])
    if plan.weight and not weights.any():
        raise DataError(f"{scan.path}: every row has the weight 0; nothing could be learned.")
    rows = Rows(
        packed.pop(plan.text.name) if plan.text else inputs,
        labels,
        weights=weights if plan.weight else None,
        groups=groups if plan.group else None,
        is_validation=(splits == "validation") if "validation" in splits else None,
        texts=packed,
    )
    return _part(rows, splits == "test")


def _part(rows: Rows, is_test: npt.NDArray[np.bool_]) -> tuple[Rows, Rows | None]:
    if not is_test.any():
        return rows, None
    return rows.select(np.flatnonzero(~is_test)), rows.select(np.flatnonzero(is_test))


_Writer = tuple[int, int, int, Callable[[npt.NDArray[np.float32], str], None]]


def _make_writers(plan: TablePlan) -> tuple[list[_Writer], list[str]]:
    """Return for each column its index, where its features lie, and what writes them.

    Beside them the names of the columns whose texts are kept.
    """
    if plan.image:
        return [], []
    if plan.text:
        return [], [plan.text.name]
    writers, kept, start = [], [], 0
    for column in describe_columns(plan.info.features):
        end = start + len(column.features)
        writers.append(
            (plan.scan.names.index(column.name), start, end, make_writer(column.features))
        )
        start = end
        if column.kind == "text":
            kept.append(column.name)
    return writers, kept


def _make_label_reader(info: DatasetInfo, target: Column) -> Callable[[str], float]:
    if not info.class_names:
        return _to_number
    numbers: Mapping[str, int] = {name: number for number, name in enumerate(info.class_names)}
    return lambda text: numbers[name_class(target, text)]


def _to_number(text: str) -> float:
    number = parse_number(text)
    if number is None:
        raise ValueError(text)
    return number


def _read_weight(text: str, column: Column, where: str) -> float:
    number = parse_number(text)
    if number is None or not 0 <= number < float("inf"):
        raise DataError(
            f"{where}: the weight '{column.name}' is '{text}'; expected a finite number of at "
            "least 0."
        )
    return number


def _check_groups(
    plan: TablePlan,
    groups: npt.NDArray[np.int64],
    splits: npt.NDArray[np.str_],
    names: list[str],
) -> None:
    """Refuse a group whose rows the data itself puts into two splits."""
    pairs = np.unique(np.stack([groups, np.unique(splits, return_inverse=True)[1]]), axis=1)
    numbers, counts = np.unique(pairs[0], return_counts=True)
    if (counts > 1).any():
        number = int(numbers[counts > 1][0])
        assert plan.group is not None
        own = np.flatnonzero(groups == number)
        odd = int(own[splits[own] != splits[own[0]]][0])
        first, second = _find_places(plan, int(own[0]), odd)
        raise DataError(
            f"{second}: the group '{names[number]}' of '{plan.group.name}' is in {splits[odd]}; "
            f"{first} puts it in {splits[own[0]]}.",
            hint="Keep the rows of a group in one split.",
        )


def _find_places(plan: TablePlan, *rows: int) -> list[str]:
    """Return where rows, counted from 0 and rising, stand."""
    wanted = set(rows)
    return [
        say_place(place)
        for row, (place, _) in enumerate(itertools.islice(plan.scan.read_rows(), max(rows) + 1))
        if row in wanted
    ]


def _changed(plan: TablePlan, what: str) -> DataError:
    return DataError(
        f"{plan.scan.path} changed while it was read: {what} is not what was there before.",
        hint="Try again when nothing writes to it.",
    )
