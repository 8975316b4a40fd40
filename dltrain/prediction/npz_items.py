"""How are the rows of an .npz file read one after the other, whatever its size?"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from dltrain.errors import DataError
from dltrain.prediction.items import Item
from dltrain.prediction.run_input import RunInput
from dltrain.prediction.table_items import encode_values

_CHUNK_BYTES = 1 << 24


def read_npz_rows(path: Path, run: RunInput, *, labelled: bool) -> Iterator[Item]:
    """Yield the rows of the array x, with those of y as labels if `labelled`.

    Images are `(rows, height, width)` or with channels, in the pixel values that the model was
    trained on; tables `(rows, features)`; ids `(rows, words)`. A file that can't be read is one
    item with an error.
    """
    count = 0
    try:
        with zipfile.ZipFile(path) as archive:
            labels = _read_labels(archive) if labelled else None
            with archive.open(_find(archive, "x")) as file:
                for count, row in enumerate(_read_rows(file), 1):
                    label = None if labels is None else labels[count - 1]
                    yield _to_item(f"{path}[{count - 1}]", row, run, label)
    except MemoryError:
        raise
    except FileNotFoundError:
        yield Item(str(path), error="No such file or directory")
    except Exception as error:  # zipfile, zlib and NumPy each raise their own
        place = f"{path}[{count}:]" if count else str(path)
        yield Item(place, error=f"can't be read as .npz: {str(error).rstrip('.')}")


def _find(archive: zipfile.ZipFile, name: str) -> str:
    entries = archive.namelist()
    if name == "x" and len(entries) == 1:
        return entries[0]
    if f"{name}.npy" not in entries:
        there = ", ".join(entry.removesuffix(".npy") for entry in entries)
        raise DataError(f"it has no array {name}, but {there or 'nothing'}")
    return f"{name}.npy"


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    read = npy.read_array_header_1_0
    if npy.read_magic(file) != (1, 0):
        read = npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataError("it holds Python objects; expected numbers")
    if is_fortran and len(shape) > 1:
        raise DataError("its rows lie in columns; save it with np.ascontiguousarray(x)")
    return shape, dtype


def _read_rows(file: IO[bytes]) -> Iterator[npt.NDArray[Any]]:
    shape, dtype = _read_header(file)
    if not shape:
        raise DataError("x is one number; expected rows")
    row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    step = max(1, _CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, shape[0], step):
        rows = min(step, shape[0] - start)
        content = file.read(rows * row_bytes)
        if len(content) != rows * row_bytes:
            raise DataError("it is cut short")
        yield from np.frombuffer(content, dtype=dtype).reshape(rows, *shape[1:])


def _read_labels(archive: zipfile.ZipFile) -> list[str]:
    with archive.open(_find(archive, "y")) as file:
        labels = npy.read_array(file, allow_pickle=False).reshape(-1)
    if labels.dtype.kind == "f":
        return [str(int(each)) if each.is_integer() else repr(each) for each in labels.tolist()]
    return [str(each) for each in labels.tolist()]


def _to_item(name: str, row: npt.NDArray[Any], run: RunInput, label: str | None) -> Item:
    if row.dtype.kind not in "uif":
        return Item(name, error=f"holds {row.dtype}; expected numbers", label=label)
    if run.modality == "tabular" and run.preprocessing.columns:
        return _encode_row(name, row, run, label)
    if row.dtype.kind == "f" and not np.isfinite(row).all():
        return Item(name, error="holds a number that is not finite", label=label)
    if run.modality != "image":
        return Item(name, row, label=label)
    image = row[..., None] if row.ndim == 2 else row
    if image.shape != run.shape:
        error = f"has the shape {row.shape}; the model takes {run.shape}"
        return Item(name, error=error, label=label)
    is_bytes = image.dtype.kind in "ui" and image.min() >= 0 and image.max() <= 255
    return Item(name, image.astype(np.uint8 if is_bytes else np.float32), label=label)


def _encode_row(name: str, row: npt.NDArray[Any], run: RunInput, label: str | None) -> Item:
    """Encode a row of a table: its columns are called x0, x1, … as in training; NaN is missing."""
    values = {
        f"x{index}": "" if value != value else repr(value)
        for index, value in enumerate(row.reshape(-1).tolist())
    }
    if not {column.name for column in run.preprocessing.columns} <= values.keys():
        return Item(name, error="has no names of columns, which the model needs", label=label)
    try:
        return Item(name, encode_values(values, run), label=label)
    except DataError as error:
        return Item(name, error=error.message.rstrip("."), label=label)
