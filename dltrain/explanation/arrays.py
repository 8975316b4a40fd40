"""Which numbers of explanations are kept as arrays? Maps, words and SHAP values, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.explanation.explained import ExplainedRow, Explanations
from dltrain.runs.atomic import replacing

NAME = "explanations.npz"

Arrays = dict[str, NDArray[Any]]


def write_arrays(found: Explanations, folder: Path) -> Path:
    """Write the arrays into explanations.npz of `folder`. Raises MachineError."""
    path = folder / NAME
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **collect_arrays(found))
    return path


def collect_arrays(found: Explanations) -> Arrays:
    """Return the arrays by name, as docs/explain.md lists them; rows are in the order of `rows`.

    `ids` `(rows,)` text. Of images `pixels` `(rows, height, width[, 3])` uint8, and a method's maps
    `(rows, height, width)` float32. Of texts `words` `(rows, words)` text and
    `integrated_gradients` of the same shape, float32, NaN behind a row's last word. Of tables
    `columns` `(columns,)` text, `permutation_importance` and its `..._deviation` `(columns,)`
    float64, `shap` `(rows, columns)` float64 and `values` of the same shape, text.
    """
    arrays: Arrays = {"ids": _to_texts([row.id for row in found.rows])}
    if found.modality == "image":
        return {**arrays, **_stack_maps(found)}
    if found.modality == "text":
        return {**arrays, **_pad_words(found.rows)}
    return {**arrays, **_align_columns(found)}


def _stack_maps(found: Explanations) -> Arrays:
    arrays = {"pixels": np.stack([_pixels(row) for row in found.rows])}
    for method in found.methods:
        maps = [row.maps[method] for row in found.rows]
        arrays[method] = np.stack(maps).astype(np.float32)
    return arrays


def _pixels(row: ExplainedRow) -> NDArray[np.uint8]:
    assert row.pixels is not None
    return row.pixels


def _pad_words(rows: Sequence[ExplainedRow]) -> Arrays:
    longest = max(len(row.words) for row in rows)
    values = np.full((len(rows), longest), np.nan, dtype=np.float32)
    words = [[""] * longest for _ in rows]
    for place, row in enumerate(rows):
        values[place, : len(row.words)] = [value for _, _, value in row.words]
        words[place][: len(row.words)] = [word for word, _, _ in row.words]
    return {"words": _to_texts(words), "integrated_gradients": values}


def _align_columns(found: Explanations) -> Arrays:
    """Return a table's arrays in one order of columns: that of the table, where SHAP tells it."""
    arrays: Arrays = {}
    with_values = [row for row in found.rows if row.columns]
    if with_values:
        names = [name for name, _, _ in with_values[0].columns]
        shap = [[value for _, _, value in row.columns] for row in with_values]
        arrays["shap"] = np.array(shap, dtype=np.float64)
        arrays["values"] = _to_texts(
            [[shown for _, shown, _ in row.columns] for row in with_values]
        )
    else:
        names = [each.column for each in found.importances]
    arrays["columns"] = _to_texts(names)
    if found.importances:
        by_name = {each.column: each for each in found.importances}
        importances = [by_name[name] for name in names]
        means = [each.mean for each in importances]
        arrays["permutation_importance"] = np.array(means, dtype=np.float64)
        deviations = [each.deviation for each in importances]
        arrays["permutation_importance_deviation"] = np.array(deviations, dtype=np.float64)
    return arrays


def _to_texts(values: Sequence[Any]) -> NDArray[np.str_]:
    """Return an array of texts, also of none: without a dtype that would be numbers."""
    return np.array(values, dtype=np.str_)
