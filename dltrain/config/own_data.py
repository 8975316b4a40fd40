"""What is in data of one's own that a config names by `type:` and `path:`? By a look at it.

The answer is a DatasetInfo, like those that the catalog holds of the datasets that it names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.class_folders import ClassFiles, list_class_files
from dltrain.config.document import Problems
from dltrain.config.npz_arrays import plan_npz
from dltrain.config.own_keys import TABLE_TYPES, find_image_shape
from dltrain.config.own_table_keys import describe_own_table
from dltrain.config.words import find_words

_WHAT = {
    "csv": "a CSV file",
    "parquet": "a Parquet file",
    "jsonl": "a file of JSON lines",
    "npz": "an .npz file",
    "huggingface": "a folder of a Hugging Face dataset",
    "tfds": "a folder of a dataset that TensorFlow Datasets prepared",
    "image_folder": "a folder with a folder of images for each class",
    "text_folder": "a folder with a folder of .txt files for each class",
}
# Texts whose words are counted.
_SAMPLED_TEXTS = 200


def describe_own_data(
    section: dict[str, Any], base: FilePath, problems: Problems
) -> DatasetInfo | None:
    """Look at the data that `section` names, and make its paths absolute, from `base`.

    Return None, with a problem, if a path or a column isn't there, and None without one if a
    value is of a wrong type. Raises DataError if what is there is damaged or no such data.
    """
    keys = [key for key in ("path", "validation_path", "test_path") if section.get(key) is not None]
    found = {key: _find_path(section, key, base, problems) for key in keys}
    section.update({key: str(path) for key, path in found.items() if path is not None})
    path = found["path"]
    if path is None or None in found.values():
        return None
    if section["type"] in TABLE_TYPES:
        return describe_own_table(section, problems)
    if section["type"] == "npz":
        return _describe_npz(section, problems)
    return describe_own_folder(section, list_class_files(path, section["type"]))


def _describe_npz(section: dict[str, Any], problems: Problems) -> DatasetInfo | None:
    """Look at an .npz file, and write into the section what its token ids say."""
    if section.get("modality") not in (None, "image", "tabular", "tokens"):
        return None
    if section.get("task") not in (None, "classification", "regression"):
        return None
    plan = plan_npz(section)
    section["task"] = plan.info.task
    if plan.info.modality != "text":
        return plan.info
    words, length = plan.largest_id + 1, plan.info.median_words
    for key, default, least, expected in (
        ("max_words", words, words, f">= {words}: the largest id is {words - 1}"),
        ("max_length", length, length, f"{length}, the ids of a row"),
        ("ngrams", 1, 1, "1: pairs are for texts"),
    ):
        value = section.get(key)
        if value is None:
            section[key] = default
        elif not isinstance(value, int) or value < least or (key != "max_words" and value > least):
            problems.add(
                ("dataset", key),
                f"expected {expected}, received {value}.",
                expected=expected,
                received=str(value),
            )
            return None
    return plan.info


def describe_own_folder(section: Mapping[str, Any], files: ClassFiles) -> DatasetInfo | None:
    """Describe a folder of images or texts; None if `image_size` or `color` is no valid value."""
    counts = tuple(len(each) for each in files.train)
    tests = sum(len(each) for each in files.test)
    shape: tuple[int, ...] = ()
    if section["type"] == "image_folder":
        found = find_image_shape(section)
        if found is None:
            return None
        shape = found
    return DatasetInfo(
        name=files.path.name,
        task="classification",
        modality="image" if shape else "text",
        class_names=files.class_names,
        shape=shape,
        train_rows=sum(counts),
        test_rows=tests,
        summary=f"{sum(counts):,} {'images' if shape else 'texts'} in {len(counts)} classes"
        + (f", and {tests:,} of a test split" if tests else ""),
        reader=section["type"],
        class_counts=counts,
        median_words=0 if shape else count_median_words(files),
    )


def count_median_words(files: ClassFiles) -> int:
    """Return the median length of the training texts, in words, by a sample of them.

    A text that can't be read is passed over: reading all of them will tell.
    """
    paths = [path for each in files.train for path in each]
    lengths = []
    for path in paths[:: max(1, len(paths) // _SAMPLED_TEXTS)]:
        try:
            lengths.append(len(find_words(path.read_text(encoding="utf-8"))))
        except (OSError, UnicodeDecodeError):
            continue
    return sorted(lengths)[len(lengths) // 2] if lengths else 0


def _find_path(
    section: Mapping[str, Any], key: str, base: FilePath, problems: Problems
) -> FilePath | None:
    if not isinstance(section[key], str) or not section[key]:
        return None
    expected = _WHAT[section["type"]]
    wants_file = section["type"] in ("csv", "parquet", "jsonl", "npz")
    path = base / section[key]
    try:
        path = (base / FilePath(section[key]).expanduser()).resolve()
        if path.is_file() if wants_file else path.is_dir():
            return path
        there = os.path.lexists(path)
    except (OSError, ValueError, RuntimeError):  # too long, a null character, no such user
        there = False
    message = f"there is no {path}."
    if there:
        message = f"{path} is a {'folder' if wants_file else 'file'}; expected {expected}."
    problems.add(
        ("dataset", key),
        message,
        hint="" if there else _explain_missing(section["type"], path),
        expected=expected,
        received=f"'{section[key]}'",
        suggestion=None if there else _nearest_entry(path),
    )
    return None


def _explain_missing(kind: str, path: FilePath) -> str:
    if kind == "tfds":
        from dltrain.config.tfds_metadata import explain_preparing

        return explain_preparing(path)
    return "A relative path is taken from the folder of the config."


def _nearest_entry(path: FilePath) -> str | None:
    try:
        return nearest(path.name, [each.name for each in path.parent.iterdir()])
    except (OSError, ValueError):
        return None
