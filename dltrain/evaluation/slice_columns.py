"""Into which groups do rows fall? By a column of one's own data, their length, brightness or class.

A column with more than FEW_NUMBERS different numbers is cut at its quartiles among the rows that
are evaluated; one with fewer, and texts, are categories. Of more than MOST_GROUPS categories the
most frequent are kept, and the others are one group. Missing values are a group of their own.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.own_keys import TABLE_TYPES
from dltrain.config.own_table import TablePlan, find_split, list_sources, plan_table
from dltrain.config.schema import DatasetConfig
from dltrain.config.table_columns import (
    MOST_CATEGORIES,
    describe_number,
    is_missing,
    parse_number,
    scan_table,
)
from dltrain.config.table_files import name_row
from dltrain.data.load import Source
from dltrain.data.texts import Texts
from dltrain.errors import DataError, UsageError

FEW_NUMBERS = 8
MOST_GROUPS = 12

_MISSING, _NOT_FINITE = "(missing)", "(infinite)"

# The words of `dltrain.data.tokenize`, and what it takes for a space.
_WORD = re.compile(r"[\w']+|[!?]")
_BREAK = re.compile(r"<br\s*/?>")

# Images whose pixels are read at a time.
_IMAGES_AT_ONCE = 1_000


@dataclass(frozen=True)
class Grouping:
    """Say in which group each row is: `members` `(n,)` int64 are indices into `labels`.

    quartiles: cut at the quartiles. categories: a value each. classes: the true class. `grouped` is
    how many categories the group "other" stands for; 0: there is none.
    """

    column: str
    kind: Literal["quartiles", "categories", "classes"]
    labels: tuple[str, ...]
    members: NDArray[np.int64]
    grouped: int = 0


def list_columns(info: DatasetInfo, config: DatasetConfig) -> list[str]:
    """Return what rows of this data can be grouped by: a table's columns, then what is built in."""
    names: list[str] = []
    if config.type in TABLE_TYPES:
        names += scan_table(*list_sources(config.model_dump())).names
    built_in = {"text": ["text_length"], "image": ["brightness"]}.get(info.modality, [])
    built_in += ["class"] if info.task == "classification" else []
    return [*names, *(name for name in built_in if name not in names)]


def check_columns(
    names: Sequence[str], *, flag: str, info: DatasetInfo, config: DatasetConfig
) -> None:
    """Raise UsageError for the first of `names`, given by `flag`, that rows can't be grouped by."""
    known = list_columns(info, config)
    for name in names:
        if name not in known:
            near = nearest(name, known)
            guess = f"Did you mean '{near}'? " if near else ""
            raise UsageError(
                f"{flag} '{name}': {info.name} has no such column.",
                hint=f"{guess}There {'are' if len(known) > 1 else 'is'} {', '.join(known)}."
                if known
                else "Its rows can't be grouped: only those of a table of your own, texts, "
                "images and rows of classes can.",
            )


def group_rows(
    names: Sequence[str],
    source: Source,
    *,
    info: DatasetInfo,
    config: DatasetConfig,
    flag: str,
) -> list[Grouping]:
    """Return a grouping of the rows of `source` for each of `names`, which `check_columns` passed.

    Raises DataError for a column whose values make no groups.
    """
    in_file: dict[str, list[str]] = {}
    plan = None
    if config.type in TABLE_TYPES:
        plan = plan_table(config.model_dump())
        in_file = _read_columns(plan, names, source)
    groupings = []
    for name in names:
        if plan is not None and name in in_file:
            numeric = _is_numeric(plan, name, flag)
            groupings.append(group_texts(name, in_file[name], numeric=numeric, flag=flag))
        elif name == "class":
            labels = np.asarray(source.rows.labels[source.indices], dtype=np.int64)
            groupings.append(Grouping(name, "classes", info.class_names, labels))
        else:
            measure = measure_lengths if name == "text_length" else measure_brightness
            groupings.append(group_numbers(name, measure(source)))
    return groupings


def _read_columns(plan: TablePlan, names: Sequence[str], source: Source) -> dict[str, list[str]]:
    """Return the texts of the columns that the table has, in the rows of `source`."""
    scan = plan.scan
    places = {name: scan.names.index(name) for name in names if name in scan.names}
    if not places:
        return {}
    marked = None if plan.split is None else scan.names.index(plan.split.name)
    # As `dltrain.data.own_table` parts them: what the data itself says is test, and the rest.
    parts: dict[str, list[list[str]]] = {"train": [], "test": []}
    names = [] if source.rows.names is None else source.rows.names
    kept = set(names)
    for place, values in scan.read_rows():
        split = place[0].split or find_split(plan.split, "" if marked is None else values[marked])
        part = "test" if split == "test" else "train"
        if part == source.part and kept and name_row(place) not in kept:
            continue  # its image couldn't be read, and was left out
        parts[part].append([values[column] for column in places.values()])
    rows = parts[source.part]
    return {name: [rows[int(row)][at] for row in source.indices] for at, name in enumerate(places)}


def _is_numeric(plan: TablePlan, name: str, flag: str) -> bool:
    path, column = plan.scan.path, plan.scan.find(name)
    assert column is not None
    if column.values is None and not column.numeric:
        raise DataError(
            f"{flag} '{name}': {path} has more than {MOST_CATEGORIES:,} different texts there: too "
            "many for groups.",
            hint="Choose another column.",
        )
    return column.numeric


def measure_lengths(source: Source) -> NDArray[np.float64]:
    """Return the words of each text `(n,)`, before any is cut off."""
    texts = source.rows.inputs
    assert isinstance(texts, Texts)
    counts = [len(_WORD.findall(_BREAK.sub(" ", texts[int(row)]))) for row in source.indices]
    return np.array(counts, dtype=np.float64)


def measure_brightness(source: Source) -> NDArray[np.float64]:
    """Return the mean pixel of each image `(n,)`, in the dataset's own unit (0..255; digits 0..16).

    The mean goes over the channels too.
    """
    images: Any = source.rows.inputs
    parts = [
        np.asarray(images[source.indices[start : start + _IMAGES_AT_ONCE]], dtype=np.float64)
        for start in range(0, len(source.indices), _IMAGES_AT_ONCE)
    ]
    return np.concatenate([part.reshape(len(part), -1).mean(axis=1) for part in parts])


def group_texts(column: str, texts: Sequence[str], *, numeric: bool, flag: str) -> Grouping:
    """Group rows by the values of a column as they are written.

    Raises DataError if they are no groups: texts that are different in every row.
    """
    missing = np.array([is_missing(text) for text in texts])
    if numeric:
        numbers = np.array(
            [math.nan if is_missing(text) else parse_number(text) for text in texts], dtype=float
        )
        if len(np.unique(numbers[np.isfinite(numbers)])) > FEW_NUMBERS:
            return group_numbers(column, numbers)
        texts = [text if is_missing(text) else describe_number(float(text)) for text in texts]
    counts = Counter(text for text, absent in zip(texts, missing, strict=True) if not absent)
    if len(counts) > MOST_GROUPS and max(counts.values()) == 1:
        raise DataError(
            f"{flag} '{column}': each of the {len(texts):,} rows has a value of its own there "
            "(or none): they make no groups.",
            hint="Choose another column.",
        )
    kept = list(counts)
    if len(counts) > MOST_GROUPS:
        kept = sorted(counts, key=lambda text: (-counts[text], text))[: MOST_GROUPS - 1]
    kept.sort(key=float if numeric else None)
    places = {text: index for index, text in enumerate(kept)}
    labels, grouped = [*kept], len(counts) - len(kept)
    if grouped:
        labels.append(f"(other: {grouped:,} values)")
    other = len(kept)
    members = np.array([places.get(text, other) for text in texts], dtype=np.int64)
    if missing.any():
        members[missing] = len(labels)
        labels.append(_MISSING)
    return Grouping(column, "categories", tuple(labels), members, grouped)


def group_numbers(column: str, values: NDArray[np.float64]) -> Grouping:
    """Group rows `(n,)` by the quartiles of their values; NaN is missing."""
    finite = np.isfinite(values)
    known = values[finite]
    edges, decimals = choose_edges(known)
    members = np.zeros(len(values), dtype=np.int64)
    members[finite] = np.searchsorted(edges, known, side="left")
    labels = _name_bins(edges, known, decimals)
    for odd, label in ((np.isnan(values), _MISSING), (np.isinf(values), _NOT_FINITE)):
        if odd.any():
            members[odd] = len(labels)
            labels.append(label)
    present = np.unique(members)
    return Grouping(
        column,
        "quartiles",
        tuple(labels[index] for index in present),
        np.searchsorted(present, members).astype(np.int64),
    )


def choose_edges(values: NDArray[np.float64]) -> tuple[list[float], int]:
    """Return up to three edges near the quartiles that read well, and their decimals.

    They are rounded to about a hundredth of what lies between the quartiles, and it is the rounded
    ones that part the rows: a value at an edge belongs below it.
    """
    if not len(values):
        return [], 0
    quartiles = np.quantile(values, [0.25, 0.5, 0.75])
    if (values == np.floor(values)).all():
        rounded, decimals = np.floor(quartiles), 0
    else:
        spread = float(quartiles[2] - quartiles[0]) or float(np.ptp(values))
        decimals = min(max(0, 2 - math.floor(math.log10(spread))), 12) if spread else 12
        rounded = np.round(quartiles, decimals)
    inside = (rounded >= values.min()) & (rounded < values.max())
    return [float(edge) for edge in np.unique(rounded[inside])], decimals


def _name_bins(edges: Sequence[float], values: NDArray[np.float64], decimals: int) -> list[str]:
    """Return a name for each bin: `≤ 128`, `129 to 176`, `≥ 177`; of fractions `> 0.12 to 0.5`."""

    def write(number: float) -> str:
        return f"{number + 0.0:,.{decimals}f}"

    if not edges:
        return [f"{values.min():g}"] if len(values) else []
    whole = bool((values == np.floor(values)).all())
    names = [f"≤ {write(edges[0])}"]
    for low, high in itertools.pairwise(edges):
        if not whole:
            names.append(f"> {write(low)} to {write(high)}")
        elif high == low + 1:
            names.append(write(high))
        else:
            names.append(f"{write(low + 1)} to {write(high)}")
    return [*names, f"≥ {write(edges[-1] + 1)}" if whole else f"> {write(edges[-1])}"]
