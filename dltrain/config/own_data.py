"""What is in data of one's own that a config names by `type:` and `path:`? By a look at it.

The answer is a DatasetInfo, like those that the catalog holds of the datasets that it names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.class_folders import ClassFiles, list_class_files
from dltrain.config.csv_columns import scan_csv
from dltrain.config.csv_facts import describe_csv_columns, guess_task
from dltrain.config.document import Problems

_WHAT = {
    "csv": "a CSV file",
    "image_folder": "a folder with a folder of images for each class",
    "text_folder": "a folder with a folder of .txt files for each class",
}
# Texts whose words are counted; the words are those of `dltrain.data.tokenize`.
_SAMPLED_TEXTS = 200
_WORD = re.compile(r"[\w']+|[!?]")


def describe_own_data(
    section: dict[str, Any], base: FilePath, problems: Problems
) -> DatasetInfo | None:
    """Look at the data that `section` names, and make its path absolute, from `base`.

    Return None, with a problem, if the path or a column isn't there, and None without one if a
    value is of a wrong type. Raises DataError if what is there is damaged or no such data.
    """
    path = _find_path(section, base, problems)
    if path is None:
        return None
    section["path"] = str(path)
    if section["type"] == "csv":
        return _describe_csv(section, path, problems)
    return describe_own_folder(section, list_class_files(path, section["type"]))


def describe_own_folder(section: Mapping[str, Any], files: ClassFiles) -> DatasetInfo | None:
    """Describe a folder of images or texts; None if `image_size` or `color` is no valid value."""
    counts = tuple(len(each) for each in files.train)
    tests = sum(len(each) for each in files.test)
    shape: tuple[int, ...] = ()
    if section["type"] == "image_folder":
        size, color = section["image_size"], section.get("color") or "rgb"
        if color not in ("rgb", "grey") or not _is_size(size):
            return None
        shape = (*size, 3 if color == "rgb" else 1)
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
            lengths.append(len(_WORD.findall(path.read_text(encoding="utf-8"))))
        except (OSError, UnicodeDecodeError):
            continue
    return sorted(lengths)[len(lengths) // 2] if lengths else 0


def _describe_csv(
    section: dict[str, Any], path: FilePath, problems: Problems
) -> DatasetInfo | None:
    ignore = section.get("ignore") or []
    target_name, task = section["target"], section.get("task")
    if not isinstance(ignore, list):
        return None
    names: list[Any] = [target_name, *ignore]
    if not all(isinstance(name, str) for name in names):
        return None
    if task not in (None, "classification", "regression"):
        return None
    scan = scan_csv(path)
    known = [column.name for column in scan.columns]
    wrong = False
    places: list[tuple[str | int, ...]] = [("target",)]
    places += [("ignore", index) for index in range(len(ignore))]
    for place, name in zip(places, names, strict=True):
        if name not in known:
            wrong = True
            problems.add(
                ("dataset", *place),
                f"{path.name} has no column '{name}'.",
                hint=f"It has {_shorten(known)}.",
                expected=f"a column of {path.name}",
                received=f"'{name}'",
                suggestion=nearest(name, known),
            )
        elif place[0] == "ignore" and name == target_name:
            wrong = True
            problems.add(
                ("dataset", *place),
                f"'{name}' is the target; it can't be ignored.",
                expected="another column",
                received=f"'{name}'",
            )
    target = scan.find(target_name)
    if wrong or target is None:
        return None
    section["task"] = task or guess_task(target)
    return describe_csv_columns(scan, target, task=section["task"], ignore=ignore)


def _find_path(section: Mapping[str, Any], base: FilePath, problems: Problems) -> FilePath | None:
    if not isinstance(section["path"], str) or not section["path"]:
        return None
    expected = _WHAT[section["type"]]
    wants_file = section["type"] == "csv"
    path = base / section["path"]
    try:
        path = (base / FilePath(section["path"]).expanduser()).resolve()
        if path.is_file() if wants_file else path.is_dir():
            return path
        there = os.path.lexists(path)
    except (OSError, ValueError, RuntimeError):  # too long, a null character, no such user
        there = False
    message = f"there is no {path}."
    if there:
        message = f"{path} is a {'folder' if wants_file else 'file'}; expected {expected}."
    problems.add(
        ("dataset", "path"),
        message,
        hint="" if there else "A relative path is taken from the folder of the config.",
        expected=expected,
        received=f"'{section['path']}'",
        suggestion=None if there else _nearest_entry(path),
    )
    return None


def _nearest_entry(path: FilePath) -> str | None:
    try:
        return nearest(path.name, [each.name for each in path.parent.iterdir()])
    except (OSError, ValueError):
        return None


def _is_size(size: object) -> bool:
    return (
        isinstance(size, list)
        and len(size) == 2
        and all(type(each) is int and each >= 1 for each in size)
    )


def _shorten(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
