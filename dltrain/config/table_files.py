"""Which rows, as texts, does a file of a table hold? One answer for every format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

TableKind = Literal["csv", "parquet", "jsonl", "huggingface", "tfds"]


HeldOut = Literal["validation", "test"]


@dataclass(frozen=True)
class Source:
    """Name one file of a table.

    `fields` are the keys that are read of each line of JSON; `split` is the split that all its rows
    are, None where the rows say so or are held out.
    """

    path: Path
    kind: TableKind
    fields: tuple[str, ...] = ()
    split: HeldOut | None = None


IMAGES = "images"
"""The type of a column of images, which `OpenedTable.unusable` names."""

Place = tuple[Source, int]
"""A file and, counted from 1, the line on which a row ends; the row, where there are no lines."""


@dataclass(frozen=True)
class OpenedTable:
    """Hold the columns of a file and its rows.

    `unusable` names the types of columns that hold no single values, IMAGES among them;
    `class_names` are those of the columns whose data has names for classes.
    """

    names: Sequence[str]
    rows: Iterator[tuple[Place, Sequence[str]]]
    unusable: Mapping[str, str] = field(default_factory=dict)
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def say_place(place: Place) -> str:
    """Return a row's place as a phrase: `houses.csv:7`, or `houses.parquet row 7`."""
    source, line = place
    if source.kind in ("huggingface", "tfds"):
        return f"{source.path} {name_row(place)}"
    return f"{source.path} row {line}" if source.kind == "parquet" else f"{source.path}:{line}"


def name_row(place: Place) -> str:
    """Return what people call a row of a dataset that has no lines: `train row 7`."""
    source, row = place
    return f"{source.split or 'train'} row {row}"


def open_source(source: Source) -> OpenedTable:
    """Open a file of a table; the rows are read as they are taken.

    Raises DataError, and so does taking the rows, if the file is damaged or can't be read.
    """
    # Each format is imported when a config names it.
    if source.kind == "parquet":
        from dltrain.config.parquet_file import open_parquet

        return open_parquet(source)
    if source.kind == "huggingface":
        from dltrain.config.huggingface_rows import open_huggingface

        return open_huggingface(source)
    if source.kind == "tfds":
        from dltrain.config.tfds_rows import open_tfds

        return open_tfds(source)
    if source.kind == "jsonl":
        from dltrain.config.jsonl_file import open_jsonl

        return open_jsonl(source)
    from dltrain.config.csv_file import open_csv

    return open_csv(source)
