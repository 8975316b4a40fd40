"""How many rows that judge a model has it been trained on? Equal rows, by their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.data.dataset import Rows
from dltrain.data.row_file import Inputs
from dltrain.data.splits import Indices
from dltrain.data.texts import Texts

# Rows read at a time, so that images on the disk are never in memory all at once.
_CHUNK_BYTES = 1 << 22


def count_shared_rows(rows: Mapping[str, tuple[Rows, Indices]]) -> dict[str, int]:
    """Return how many rows of the validation and the test split equal a row to train on.

    Images are equal by their pixels, texts by their words and spaces, rows of a table by all their
    columns and the target: of few columns many rows are alike, whatever their target. Splits
    without such rows are left out.
    """
    trained = set(_hash_rows(*rows["train"]))
    counts = {
        split: sum(digest in trained for digest in _hash_rows(*part))
        for split, part in rows.items()
        if split != "train"
    }
    return {split: count for split, count in counts.items() if count}


def describe_shared_rows(
    shared: Mapping[str, int], rows: Mapping[str, int], *, is_table: bool
) -> list[str]:
    """Return a warning on each split that shares rows; `rows` counts those of every split."""
    remedy = ", or keep them together with group_column" if is_table else ""
    return [
        f"{count:,} of {rows[split]:,} {split} rows are training rows as well: the "
        f"scores of that split are too good. Remove the duplicates{remedy}."
        for split, count in shared.items()
    ]


def _hash_rows(rows: Rows, indices: Indices) -> Iterator[bytes]:
    if isinstance(rows.inputs, Texts):
        for index in indices:
            yield _digest(" ".join(rows.inputs[int(index)].split()).encode())
        return
    is_table = rows.inputs.ndim == 2
    texts = list(rows.texts.values())
    for chunk, inputs in _read_chunks(rows.inputs, indices):
        for index, values in zip(chunk, inputs, strict=True):
            parts = [values.tobytes()]
            if is_table:
                parts.append(np.asarray(rows.labels[index]).tobytes())
                parts += [text[int(index)].encode() for text in texts]
            yield _digest(b"\0".join(parts))


def _read_chunks(inputs: Inputs, indices: Indices) -> Iterator[tuple[Indices, npt.NDArray[Any]]]:
    row_bytes = max(1, int(np.prod(inputs.shape[1:])) * inputs.dtype.itemsize)
    step = max(1, _CHUNK_BYTES // row_bytes)
    for start in range(0, len(indices), step):
        chunk = indices[start : start + step]
        yield chunk, inputs[chunk]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=12).digest()
