"""What does a dataset that TensorFlow Datasets prepared say of itself? Read without that package.

Its folder is DATA_DIR/NAME/VERSION, or DATA_DIR/NAME/CONFIG/VERSION. It holds `dataset_info.json`
(splits and their rows), `features.json` (columns) and a COLUMN.labels.txt for each column of
classes: https://www.tensorflow.org/datasets/external_tfrecord describes them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dltrain.catalog.datasets import DatasetInfo, Task
from dltrain.config.own_keys import find_image_shape
from dltrain.config.table_columns import Column
from dltrain.config.table_facts import find_classes
from dltrain.config.table_files import IMAGES, Source
from dltrain.errors import DataError

SPLITS = ("train", "validation", "test")
"""The splits that are read; one of another name is passed over."""

_INFO, _FEATURES = "dataset_info.json", "features.json"

ColumnType = Literal["number", "truth", "text", "class", "image", "other"]


@dataclass(frozen=True)
class TfdsColumn:
    """Say what a column holds; `told` is how an error calls it."""

    name: str
    type: ColumnType
    told: str
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TfdsMetadata:
    """Hold what stands beside the rows; `splits` maps each of SPLITS that is there to its rows."""

    path: Path
    splits: Mapping[str, int]
    columns: tuple[TfdsColumn, ...]

    def find(self, name: str | None) -> TfdsColumn | None:
        """Return the column called `name`."""
        return next((column for column in self.columns if column.name == name), None)


def find_version(path: Path) -> Path:
    """Return the folder of the newest version in `path`, which may be that folder itself.

    Raises DataError if there is none, or if there are several configs of the dataset.
    """
    if (path / _INFO).is_file():
        return path
    found = [each.parent for each in path.glob(f"*/{_INFO}")]
    found = found or [each.parent for each in path.glob(f"*/*/{_INFO}")]
    if not found:
        raise DataError(
            f"{path} holds no dataset that TensorFlow Datasets prepared.",
            hint=explain_preparing(path),
        )
    parents = sorted({each.parent for each in found})
    if len(parents) > 1:
        names = ", ".join(each.name for each in parents)
        raise DataError(
            f"{path} holds several configs of the dataset: {names}.",
            hint=f"Name one of them: `path: {path / parents[0].name}`.",
        )
    return max(found, key=_order_version)


def explain_preparing(path: Path) -> str:
    """Return the command that would prepare the dataset that `path` seems to mean.

    It is Python, as the package's own command, `tfds build`, needs Apache Beam.
    """
    is_version = all(part.isdigit() for part in path.name.split("."))
    named = path.parent if is_version else path
    return (
        "With 'dltrain[tfds]' installed this downloads and prepares it: python -c \"import "
        f"tensorflow_datasets as t; t.load('{named.name}', data_dir='{named.parent}')\""
    )


def read_metadata(path: Path) -> TfdsMetadata:
    """Read what a prepared version says of itself.

    Raises DataError if it is damaged, or has no split to train on.
    """
    try:
        facts = tuple((path / name).stat().st_mtime_ns for name in (_INFO, _FEATURES))
    except OSError as error:
        raise DataError(f"{error.filename} can't be read: {error.strerror}.") from error
    return _read_metadata(path, facts)


@functools.lru_cache(maxsize=4)
def _read_metadata(path: Path, facts: tuple[int, ...]) -> TfdsMetadata:
    info, features = _read_json(path / _INFO), _read_json(path / _FEATURES)
    try:
        lengths = {
            split["name"]: sum(int(rows) for rows in split.get("shardLengths", ()))
            for split in info["splits"]
        }
        inner = features["featuresDict"]["features"]
        columns = tuple(_read_column(path, name, inner[name]) for name in sorted(inner))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} can't be read: {_INFO} or {_FEATURES} is not of the form that TensorFlow "
            "Datasets writes."
        ) from error
    splits = {split: lengths[split] for split in SPLITS if lengths.get(split)}
    if "train" not in splits:
        raise DataError(
            f"{path} has the splits {', '.join(lengths) or 'none'}; expected rows in one called "
            "train."
        )
    return TfdsMetadata(path, splits, columns)


def list_tfds_columns(section: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of the dataset that a section names, with nothing seen of their values."""
    return tuple(make_column(each) for each in read_metadata(Path(section["path"])).columns)


def make_column(column: TfdsColumn) -> Column:
    """Return the column as that of any table, with nothing seen of its values."""
    unusable = {"image": IMAGES, "other": column.told}.get(column.type, "")
    return Column(column.name, unusable, declared=column.class_names)


def describe_tfds(section: Mapping[str, Any]) -> DatasetInfo | None:
    """Describe images or texts by what the dataset says of itself, without a look at its rows.

    None where that doesn't tell: of tables, of a target that is no class unless `task` calls it a
    number, and where a column says which split a row is. How many rows a class has isn't known.
    """
    metadata = read_metadata(Path(section["path"]))
    target = metadata.find(section["target"])
    image, text = section.get("image"), section.get("text")
    if target is None or (image is None and text is None) or section.get("split_column"):
        return None
    classes: tuple[str, ...] = ()
    task: Task = section.get("task") or "classification"
    if task == "classification" and target.type == "class":
        classes = _order_classes(metadata.path, target)
    elif task == "classification" or target.type != "number":
        return None
    tests = metadata.splits.get("test", 0)
    rows = sum(metadata.splits.values())
    return DatasetInfo(
        name=metadata.path.parent.name,
        task=task,
        modality="image" if image else "text",
        class_names=classes,
        shape=(find_image_shape(section) or ()) if image else (),
        train_rows=rows - tests,
        test_rows=tests,
        summary=f"{rows:,} rows of {'images' if image else 'text'}; the target '{target.name}' is "
        + (f"one of {len(classes)} classes" if classes else "a number")
        + (f"; {tests:,} rows are the test split" if tests else ""),
        reader="tfds",
    )


def _order_classes(path: Path, target: TfdsColumn) -> tuple[str, ...]:
    """Return the names of the classes in the order that any table gives its classes."""
    column = Column(target.name)
    for name in target.class_names:
        column.see(name, (Source(path, "tfds"), 1))
    return tuple(find_classes(path, column, task="classification"))


def _read_column(path: Path, name: str, feature: Mapping[str, Any]) -> TfdsColumn:
    told = str(feature.get("pythonClassName", "something else")).rpartition(".")[2]
    if "classLabel" in feature:
        count = int(feature["classLabel"]["numClasses"])
        return TfdsColumn(name, "class", told, _read_class_names(path, name, count))
    if "text" in feature:
        return TfdsColumn(name, "text", told)
    if "image" in feature:
        # Others hold numbers that no image file can.
        is_file = feature["image"].get("dtype") in ("uint8", "uint16")
        return TfdsColumn(name, "image" if is_file else "other", told)
    if "tensor" not in feature or feature["tensor"].get("shape"):
        return TfdsColumn(name, "other", told)
    dtype = feature["tensor"]["dtype"]
    kinds: dict[str, ColumnType] = {"bool": "truth", "string": "text", "object": "text"}
    is_number = dtype.startswith(("int", "uint", "float", "bfloat"))
    return TfdsColumn(name, kinds.get(dtype, "number" if is_number else "other"), told)


def _read_class_names(path: Path, column: str, count: int) -> tuple[str, ...]:
    file = path / f"{column}.labels.txt"
    if not file.is_file():
        return tuple(str(number) for number in range(count))
    try:
        names = file.read_text(encoding="utf-8").strip().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} can't be read: {error}.") from error
    if len(names) != count:
        raise DataError(f"{file} has {len(names)} names; {_FEATURES} has {count} classes.")
    return tuple(names)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read: {error}.") from error


def _order_version(path: Path) -> list[int]:
    parts = path.name.split(".")
    return [int(part) for part in parts] if all(part.isdigit() for part in parts) else []
