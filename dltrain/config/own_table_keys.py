"""Do the keys of a `dataset:` section name columns that its table has, each for one purpose?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.own_keys import find_image_shape
from dltrain.config.own_table import FIELD_DEFAULTS, list_sources, plan_table
from dltrain.config.table_columns import Column, scan_table
from dltrain.config.table_files import IMAGES

_PURPOSES = {
    "target": "the target",
    "weight_column": "the weight column",
    "group_column": "the group column",
    "split_column": "the split column",
    "text": "the text",
    "image": "the image",
}
_KINDS = ("number", "category", "datetime", "text")


def describe_own_table(section: dict[str, Any], problems: Problems) -> DatasetInfo | None:
    """Look at the table of `section`, and write into it the task and the share of validation rows.

    Return None, with a problem, if a column isn't there, and None without one if a value is of a
    wrong type. Raises DataError if the table is damaged or can't be used.
    """
    if not _are_of_their_types(section):
        return None
    if section.get("image") is not None and find_image_shape(section) is None:
        return None
    if section["type"] == "jsonl":
        for key, default in FIELD_DEFAULTS.items():
            if section.get(key) is None:
                section[key] = default
    # A file of JSON lines has the fields that are asked for, or a row lacks one.
    elif not _check_names(section, *_list_columns(section), problems):
        return None
    if not _check_splits(section, problems):
        return None
    info, held = _look(section)
    section["task"] = info.task
    if held and not _set_share(section, held / info.train_rows, problems):
        return None
    return info


def _list_columns(section: dict[str, Any]) -> tuple[str, Sequence[Column]]:
    """Return what the table is called, and its columns."""
    if section["type"] == "tfds":
        from dltrain.config.tfds_metadata import find_version, list_tfds_columns

        section["path"] = str(find_version(Path(section["path"])))
        return Path(section["path"]).parent.name, list_tfds_columns(section)
    scan = scan_table(*list_sources(section))
    return scan.path.name, scan.columns


def _look(section: dict[str, Any]) -> tuple[DatasetInfo, int]:
    """Return what the table holds, and how many rows it says are for validation."""
    if section["type"] == "tfds":
        # What it says of itself is enough for images and texts, and needs no package.
        from dltrain.config.tfds_metadata import describe_tfds, read_metadata

        info = describe_tfds(section)
        if info is not None:
            return info, read_metadata(Path(section["path"])).splits.get("validation", 0)
    plan = plan_table(section)
    return plan.info, plan.split_rows.get("validation", 0)


def _are_of_their_types(section: dict[str, Any]) -> bool:
    """Tell whether the values can be looked at; another is told where single values are checked."""
    columns, ignore = section.get("columns"), section.get("ignore")
    texts = [section.get(key) for key in _PURPOSES]
    texts += ignore if isinstance(ignore, list) else []
    return (
        all(text is None or (isinstance(text, str) and text) for text in texts)
        and isinstance(ignore, list | None)
        and isinstance(columns, dict | None)
        and all(kind in _KINDS for kind in (columns or {}).values())
        and section.get("task") in (None, "classification", "regression")
    )


def _name_columns(section: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place and the name of each column that the section names."""
    for key in _PURPOSES:
        if section.get(key) is not None:
            yield (key,), section[key]
    for index, name in enumerate(section.get("ignore") or ()):
        yield ("ignore", index), name
    for name in section.get("columns") or ():
        yield ("columns", name), name


def _check_names(
    section: dict[str, Any], table: str, columns: Sequence[Column], problems: Problems
) -> bool:
    names = [column.name for column in columns]
    images = {column.name for column in columns if column.unusable == IMAGES}
    purposes: dict[str, str] = {}
    right = True
    if section.get("image") is not None and section.get("text") is not None:
        right = False
        problems.add(
            ("dataset", "image"),
            "a model is trained on images or on texts; image and text name both.",
            hint="Leave one of them out.",
            of_key=True,
            expected="image or text",
            received="both",
        )
    for place, name in _name_columns(section):
        if name not in names:
            right = False
            problems.add(
                ("dataset", *place),
                f"{table} has no column '{name}'.",
                hint=f"It has {_shorten(names)}.",
                expected=f"a column of {table}",
                received=f"'{name}'",
                suggestion=nearest(name, names),
                of_key=place[0] == "columns",
            )
        elif place[0] == "image" and name not in images:
            right = False
            problems.add(
                ("dataset", "image"),
                f"the column '{name}' of {table} holds no images.",
                hint=f"Images are in {_shorten(sorted(images))}." if images else "No column does.",
                expected="a column of images",
                received=f"'{name}'",
            )
        elif name in purposes:
            right = False
            use = {"ignore": "it can't be ignored", "columns": "it is no feature"}
            problems.add(
                ("dataset", *place),
                f"'{name}' is {purposes[name]}; "
                f"{use.get(str(place[0]), f'it can not be {_PURPOSES.get(str(place[0]))} too')}.",
                expected="another column",
                received=f"'{name}'",
                of_key=place[0] == "columns",
            )
        elif place[0] in _PURPOSES:
            purposes[name] = _PURPOSES[str(place[0])]
    return right


def _check_splits(section: dict[str, Any], problems: Problems) -> bool:
    files = [key for key in ("validation_path", "test_path") if section.get(key) is not None]
    if not files or section.get("split_column") is None:
        return True
    problems.add(
        ("dataset", "split_column"),
        f"{files[0]} says which rows are a split; split_column says it of each row. "
        "Only one of them can.",
        hint="Leave one of them out.",
        of_key=True,
        expected=f"no split_column beside {files[0]}",
        received="both",
    )
    return False


def _set_share(section: dict[str, Any], share: float, problems: Problems) -> bool:
    """Let validation_split tell the share of the rows that the data itself holds out.

    Whatever asks how many rows are trained on, or whether any validate, then has the answer.
    """
    if section.get("validation_split") not in (None, share):
        by = "split_column" if section.get("split_column") else "validation_path"
        problems.add(
            ("dataset", "validation_split"),
            f"{by} already names the validation rows, {share:.1%} of those not tested on.",
            hint="Leave validation_split out.",
            of_key=True,
            expected="no validation_split",
            received=str(section["validation_split"]),
        )
        return False
    section["validation_split"] = share
    return True


def _shorten(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
