"""Which rows, as texts, does a dataset hold that Hugging Face's `datasets` saved?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dltrain.config.parquet_file import CHUNK, find_writer
from dltrain.config.table_files import OpenedTable, Place, Source
from dltrain.errors import DataError, MachineError

SPLITS = ("train", "validation", "test")
"""The splits that are read; one of another name is passed over."""


def is_saved_dataset(path: Path) -> bool:
    """Tell whether `save_to_disk` wrote the folder."""
    return any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))


def list_splits(path: Path) -> list[str]:
    """Return which splits the dataset has, in the order of SPLITS; `train` for one without any.

    Raises DataError if there is no saved dataset, or none to train on, and MachineError without
    the package.
    """
    loaded = _load(path)
    if not isinstance(loaded, dict):
        return ["train"]
    found = [split for split in SPLITS if split in loaded]
    if "train" not in found:
        raise DataError(
            f"{path} has the splits {', '.join(loaded)}; expected one called train.",
            hint="Save it as datasets.DatasetDict({'train': …}).",
        )
    return found


def open_huggingface(source: Source) -> OpenedTable:
    """Open a split of a saved dataset; its rows are read a few thousand at a time.

    A class label becomes its name; all else is as in a Parquet file: see `open_parquet`.
    """
    loaded = _load(source.path)
    rows_of = loaded[source.split or "train"] if isinstance(loaded, dict) else loaded
    schema = rows_of.data.schema
    names = list(rows_of.column_names)
    writers = [_find_column_writer(rows_of.features[each], schema.field(each)) for each in names]

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        row = 0
        for batch in rows_of.with_format("arrow").iter(batch_size=CHUNK):
            columns = [
                ["?"] * len(batch) if write is None else write(batch.column(name))
                for name, write in zip(names, writers, strict=True)
            ]
            for values in zip(*columns, strict=True):
                row += 1
                yield (source, row), values

    unusable = {
        name: str(schema.field(name).type)
        for name, write in zip(names, writers, strict=True)
        if write is None
    }
    return OpenedTable(names, rows(), unusable)


def _find_column_writer(feature: Any, field: Any) -> Callable[[Any], list[str]] | None:
    classes = getattr(feature, "names", None)
    if type(feature).__name__ != "ClassLabel" or classes is None:
        return find_writer(field.type)
    # -1 stands for a label that isn't told.
    return lambda column: [
        "" if number is None or number < 0 else classes[number] for number in column.to_pylist()
    ]


def _load(path: Path) -> Any:
    if not is_saved_dataset(path):
        raise DataError(
            f"{path} holds no dataset that `save_to_disk` wrote.",
            hint=f"In Python: datasets.load_dataset(NAME).save_to_disk('{path.name}')",
        )
    try:
        import datasets
    except ImportError as error:
        raise MachineError(
            "dataset.type: huggingface needs the package datasets, which isn't installed.",
            hint="pip install 'dltrain[huggingface]'",
        ) from error
    try:
        return datasets.load_from_disk(str(path))
    except Exception as error:  # Arrow, JSON and the package each raise their own
        raise DataError(f"{path} can't be read: {str(error).strip().rstrip('.')}.") from error
