"""Which rows, as texts, does a Hugging Face dataset hold that lies on the disk?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dltrain.config.parquet_file import CHUNK, find_writer
from dltrain.config.table_files import IMAGES, OpenedTable, Place, Source
from dltrain.errors import DataError, MachineError

SPLITS = ("train", "validation", "test")
"""The splits that are read; one of another name is passed over."""


_FILES = ("*.parquet", "*.arrow", "*.csv", "*.json", "*.jsonl", "*.txt", "*.tar", "*.zip")
_IMAGE_FILES = ("*.jpg", "*.jpeg", "*.png", "*.webp")


def is_saved_dataset(path: Path) -> bool:
    """Tell whether `save_to_disk` wrote the folder."""
    return any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))


def list_splits(path: Path) -> list[str]:
    """Return which splits the dataset has, in the order of SPLITS; `train` for one without any.

    Raises DataError if there is no dataset, or none to train on, and MachineError without the
    package.
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
    """Open a split of a dataset; its rows are read a few thousand at a time.

    A class label becomes its name; all else is as in a Parquet file: see `open_parquet`.
    """
    rows_of = _load_split(source)
    schema, features = rows_of.data.schema, rows_of.features
    names = list(rows_of.column_names)
    writers = [_find_column_writer(features[each], schema.field(each)) for each in names]
    # Images are far larger than all else, and no text is made of them.
    usable = [name for name, write in zip(names, writers, strict=True) if write is not None]

    def rows() -> Iterator[tuple[Place, Sequence[str]]]:
        row = 0
        for batch in rows_of.select_columns(usable).with_format("arrow").iter(batch_size=CHUNK):
            columns = [
                ["?"] * len(batch) if write is None else write(batch.column(name))
                for name, write in zip(names, writers, strict=True)
            ]
            for values in zip(*columns, strict=True):
                row += 1
                yield (source, row), values

    unusable = {
        name: IMAGES if _is_image(features[name]) else str(schema.field(name).type)
        for name, write in zip(names, writers, strict=True)
        if write is None
    }
    class_names = {
        name: features[name].names for name in names if _name_type(features[name]) == "ClassLabel"
    }
    return OpenedTable(names, rows(), unusable, class_names)


def open_huggingface_images(source: Source, column: str) -> Callable[[int], bytes]:
    """Return what gives the file of the image in a row of a split, counted from 1.

    It raises ValueError where the row has none, and OSError if the file that it names can't be
    read.
    """
    images = _load_split(source).select_columns([column]).with_format("arrow")

    def read(row: int) -> bytes:
        value = images[row - 1].column(0)[0].as_py()
        if value is None or (value["bytes"] is None and not value["path"]):
            raise ValueError("there is no image in the row")
        if value["bytes"] is None:
            return Path(value["path"]).read_bytes()
        return bytes(value["bytes"])

    return read


def _find_column_writer(feature: Any, field: Any) -> Callable[[Any], list[str]] | None:
    if _name_type(feature) != "ClassLabel":
        return None if _is_image(feature) else find_writer(field.type)
    classes = feature.names
    # -1 stands for a label that isn't told.
    return lambda column: [
        "" if number is None or number < 0 else classes[number] for number in column.to_pylist()
    ]


def _name_type(feature: Any) -> str:
    # By its name, as the package is imported where a dataset is opened.
    return type(feature).__name__


def _is_image(feature: Any) -> bool:
    return _name_type(feature) == "Image"


def _load_split(source: Source) -> Any:
    loaded = _load(source.path)
    return loaded[source.split or "train"] if isinstance(loaded, dict) else loaded


def _load(path: Path) -> Any:
    """Open what `save_to_disk` wrote, or a folder of data files as the hub has them.

    The latter are converted once, into the package's own cache. Nothing is asked of the hub.
    """
    saved = is_saved_dataset(path)
    if not saved and not any(next(path.rglob(each), None) for each in (*_FILES, *_IMAGE_FILES)):
        raise DataError(
            f"{path} holds no dataset: nothing that `save_to_disk` wrote, and no data files.",
            hint=f"In Python: datasets.load_dataset(NAME).save_to_disk('{path.name}')",
        )
    try:
        import datasets
    except ImportError as error:
        raise MachineError(
            "dataset.type: huggingface needs the package datasets, which isn't installed.",
            hint="pip install 'dltrain[huggingface]'",
        ) from error
    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        return datasets.load_from_disk(str(path)) if saved else datasets.load_dataset(str(path))
    except Exception as error:  # Arrow, JSON and the package each raise their own
        said = str(error).strip() or type(error).__name__
        raise DataError(f"{path} can't be read: {said.rstrip('.')}.") from error
    finally:
        if shown:
            datasets.enable_progress_bars()
