"""Does a `dataset:` section say what its kind of data needs, and nothing that another kind has?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.config.document import Problems

OWN_TYPES = (
    *("csv", "parquet", "jsonl", "npz", "huggingface", "tfds"),
    *("image_folder", "text_folder"),
)

TABLE_TYPES = ("csv", "parquet", "jsonl", "huggingface", "tfds")

_SPLITS = ("validation_path", "test_path", "split_column", "group_column")
_IMAGES = ("image_size", "color", "on_error")
# Of a dataset that a library wrote, whose columns may be images or texts.
_LIBRARY = (
    *("text", "image", "target", "task", "ignore", "columns"),
    *("weight_column", "split_column", "group_column", *_IMAGES),
)
_TABLE = ("target", "task", "ignore", "columns", "weight_column", *_SPLITS)
_NEEDED = {
    "csv": ("path", "target"),
    "parquet": ("path", "target"),
    "jsonl": ("path",),
    "npz": ("path",),
    "huggingface": ("path", "target"),
    "tfds": ("path", "target"),
    "image_folder": ("path", "image_size"),
    "text_folder": ("path",),
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": _TABLE,
    "parquet": _TABLE,
    "jsonl": ("text", "target", "task", "weight_column", *_SPLITS),
    "npz": ("task", "modality"),
    "huggingface": _LIBRARY,
    "tfds": _LIBRARY,
    "image_folder": _IMAGES,
    "text_folder": (),
}
_OWN_KEYS = tuple(dict.fromkeys(("path", *(key for keys in _OPTIONS.values() for key in keys))))
_EXAMPLES = {
    "path": "It is taken from the folder of this file.",
    "target": "The column to predict.",
    "image_size": "For example `image_size: [64, 64]`, height and width.",
}


def check_own_keys(section: Mapping[str, Any], problems: Problems) -> bool:
    """Refuse keys of own data that the section's `type`, or its `name`, can't have.

    Return whether a section with a type has all that it needs.
    """
    kind = section.get("type")
    if kind not in (None, *OWN_TYPES):
        return False  # told where the values of single keys are checked
    allowed = ("path", *_OPTIONS[kind]) if kind else ()
    for key in _OWN_KEYS:
        if section.get(key) is not None and key not in allowed:
            owners = [each for each in OWN_TYPES if key in ("path", *_OPTIONS[each])]
            problems.add(
                ("dataset", key),
                f"{key} goes with type: {_join(owners)}.",
                hint="" if kind else "Give the dataset a type: in place of a name:.",
                of_key=True,
                expected=f"no {key}",
                received=key,
            )
    if kind is None:
        return False
    if section.get("name") is not None:
        problems.add(
            ("dataset", "name"),
            "a dataset has a name: (of `dltrain data list`) or a type: (data of your own); "
            "this has both.",
            hint="Leave one of them out.",
            of_key=True,
            expected="name or type",
            received="both",
        )
    takes_images = section.get("image") is not None and "image" in allowed
    needed = (*_NEEDED[kind], *(("image_size",) if takes_images else ()))
    if "image" in allowed and not takes_images:
        _refuse_image_keys(section, problems)
    missing = [key for key in needed if section.get(key) is None]
    for key in missing:
        problems.add(
            ("dataset", key),
            f"{kind} needs `{key}:`.",
            hint=_EXAMPLES[key],
            expected=f"{key}:",
            received="none",
        )
    return not missing and section.get("name") is None


def find_image_shape(section: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """Return `(height, width, channels)` by `image_size` and `color`; None if one is no such."""
    size, color = section.get("image_size"), section.get("color") or "rgb"
    if color not in ("rgb", "grey") or not isinstance(size, list) or len(size) != 2:
        return None
    if not all(type(each) is int and each >= 1 for each in size):
        return None
    return (size[0], size[1], 3 if color == "rgb" else 1)


def _refuse_image_keys(section: Mapping[str, Any], problems: Problems) -> None:
    for key in _IMAGES:
        if section.get(key) is not None:
            problems.add(
                ("dataset", key),
                f"{key} is for images, and no column is named as one.",
                hint="Name it: `image: COLUMN`.",
                of_key=True,
                expected="image:",
                received=key,
            )


def _join(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} or {last}" if first else last
