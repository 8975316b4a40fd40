"""Were two runs made on the same data, so that their numbers can stand beside each other?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.runs.contents import RunContents
from dltrain.runs.predictions import Predictions

# What of a fingerprint names the content: where it lay and who made the copy don't count.
_CONTENT = ("options", "stand_in", "subset", "seed")
_CHECKSUMS = ("arrays", "digests", "checksum")


def find_data_difference(first: RunContents, second: RunContents, split: str) -> str | None:
    """Return in what the data of `second` differ from `first`'s, as a phrase; None if in nothing.

    What files the runs lack can't be compared, and is no difference: dataset, made-up rows,
    task, classes, and the number of rows of `split`. Its rows are `match_rows`' business.
    """
    if first.data != second.data and first.data and second.data:
        return f"its numbers are of {_name_kind(second.data)}, not of {_name_kind(first.data)}"
    prints = [(each.environment or {}).get("dataset") for each in (first, second)]
    if all(isinstance(each, dict) for each in prints):
        phrase = _compare_fingerprints(*prints)  # type: ignore[arg-type]
        if phrase:
            return phrase
    scores = [each.splits.get(split) or {} for each in (first, second)]
    for key, kind in (("task", str), ("classes", list), ("rows", int)):
        one, two = (each.get(key) for each in scores)
        if isinstance(one, kind) and isinstance(two, kind) and one != two:
            if key == "rows":
                return f"it has {two:,} {split} rows, not {one:,}"
            if key == "classes":
                return f"its classes are {_list(two)}, not {_list(one)}"
            return f"its task is {two}, not {one}"
    return None


def match_rows(first: Predictions, second: Predictions, split: str) -> NDArray[np.int64] | str:
    """Return where each row of `first` stands in `second`, or how the rows differ, as a phrase.

    Rows are the same if they have the same id and the same true value.
    """
    if first.task != second.task:
        return f"its task is {second.task}, not {first.task}"
    if first.class_names != second.class_names:
        names = (_list(each.class_names) for each in (second, first))
        return "its classes are {}, not {}".format(*names)
    if list(first.ids) == list(second.ids):
        order = np.arange(len(first))
    else:
        places = {row: place for place, row in enumerate(second.ids)}
        missing = [row for row in first.ids if row not in places]
        extra = len(second) - (len(first) - len(missing))
        if missing or extra:
            one = missing[0] if missing else next(iter(set(second.ids) - set(first.ids)))
            return (
                f"{len(missing):,} of the {len(first):,} {split} rows are not among its own, and "
                f"it has {extra:,} others (for example {one!r})"
            )
        order = np.array([places[row] for row in first.ids], dtype=np.int64)
    differ = np.flatnonzero(second.true[order] != first.true)
    if differ.size:
        return (
            f"the true value of {differ.size:,} {split} rows is another (the first is "
            f"{first.ids[int(differ[0])]!r})"
        )
    return order


def _compare_fingerprints(first: Mapping[str, Any], second: Mapping[str, Any]) -> str | None:
    """Compare two `dataset` of environment.json."""
    one, two = first.get("name"), second.get("name")
    # The name of one's own data comes from its path: the same bytes are the same data elsewhere.
    same_bytes = "arrays" in first and first["arrays"] == second.get("arrays")
    if one != two and not same_bytes:
        return f"its dataset is {two}, not {one}"
    for key in _CHECKSUMS:
        if key in first and key in second:
            if first[key] != second[key]:
                return f"its copy of {two} has another checksum"
            break
    for key in _CONTENT:
        if first.get(key) != second.get(key):
            values = (_value(each.get(key)) for each in (second, first))
            return "its {} data have {} {}, not {}".format(two, key.replace("_", "-"), *values)
    return None


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {item}" for key, item in value.items()) + "}"
    return "not there" if value is None else str(value)


def _name_kind(data: str) -> str:
    return {"real": "the real data", "subset": "a subset", "stand-in": "stand-in data"}.get(
        data, data
    )


def _list(names: Any) -> str:
    shown = ", ".join(map(str, list(names)[:5]))
    return f"{shown}, … ({len(names)})" if len(names) > 5 else shown
