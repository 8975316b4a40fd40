"""How are MNIST and its relatives read: four IDX files, or Keras's mnist.npz?

The IDX format is described at yann.lecun.com/exdb/mnist: two zero bytes, one for the type (8:
uint8), one for the number of dimensions, then each dimension as a big-endian uint32, then the data.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Parsed, Rows
from dltrain.data.members import md5_of
from dltrain.errors import DataError

_UINT8 = 0x08


def read_idx_dataset(path: Path, info: DatasetInfo) -> Parsed:
    """Read a folder with the four IDX files, or `mnist.npz` itself or in a folder.

    Images come out `(n, height, width, 1)` uint8. Raises DataError if a file is missing, cut
    short, or says other numbers of rows than `info`.
    """
    if path.is_file():
        return _read_npz(path, info)
    if find_idx_file(path, "train-images-idx3-ubyte") is None and (path / "mnist.npz").is_file():
        return _read_npz(path / "mnist.npz", info)
    digests: dict[str, str] = {}
    splits = [
        _read_split(path, info, prefix=prefix, rows=rows, digests=digests)
        for prefix, rows in (("train", info.train_rows), ("t10k", info.test_rows))
    ]
    return Parsed(train=splits[0], test=splits[1], digests=digests)


def find_idx_file(folder: Path, name: str) -> Path | None:
    """Return the file called `name` in `folder`, gzipped or not; None if neither is there."""
    return next((path for end in (".gz", "") if (path := folder / (name + end)).is_file()), None)


def _read_split(
    folder: Path, info: DatasetInfo, *, prefix: str, rows: int, digests: dict[str, str]
) -> Rows:
    height, width, _ = info.shape
    arrays = []
    for kind, shape in (("images-idx3", (rows, height, width)), ("labels-idx1", (rows,))):
        name = f"{prefix}-{kind}-ubyte"
        path = find_idx_file(folder, name)
        if path is None:
            raise DataError(
                f"{folder} has no {name}.gz (nor {name}).", hint=f"Give {info.accepts}."
            )
        array, digests[name] = read_idx(path, shape=shape)
        arrays.append(array)
    return Rows(inputs=arrays[0][..., np.newaxis], labels=arrays[1].astype(np.int64))


def read_idx(path: Path, *, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.uint8], str]:
    """Read one IDX file of uint8, gzipped if its name ends in .gz; return it with its MD5.

    Never reads more than `shape` needs. Raises DataError if the header says another shape, or the
    data end early or late.
    """
    expected = struct.pack(f">HBB{len(shape)}I", 0, _UINT8, len(shape), *shape)
    size = len(expected) + int(np.prod(shape))
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(size + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a whole gzip file: {error}.",
            hint="Download it again: a part of a file is of no use.",
        ) from error
    _check_header(path, content[: len(expected)], expected, shape)
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content):,}"
        raise DataError(f"{path}: expected {size:,} bytes unzipped, found {more}.")
    array = np.frombuffer(content, dtype=np.uint8, offset=len(expected)).reshape(shape)
    return array, md5_of(content)


def _check_header(path: Path, found: bytes, expected: bytes, shape: tuple[int, ...]) -> None:
    if found == expected:
        return
    if found[:4] != expected[:4]:
        raise DataError(
            f"{path} is not an IDX file of {len(shape)} dimensions: it begins with "
            f"0x{found[:4].hex()}, expected 0x{expected[:4].hex()}."
        )
    if len(found) < len(expected):
        raise DataError(f"{path} ends within its header.")
    sizes = struct.unpack(f">{len(shape)}I", found[4:])
    raise DataError(f"{path}: expected the shape {shape}, found {sizes}.")


def _read_npz(path: Path, info: DatasetInfo) -> Parsed:
    """Read what `keras.datasets.mnist` publishes: x_train, y_train, x_test, y_test."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays: dict[str, npt.NDArray[Any]] = {
                name: archive[name] for name in ("x_train", "y_train", "x_test", "y_test")
            }
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        KeyError,
        EOFError,
        AttributeError,
    ) as error:
        raise DataError(
            f"{path} is not {info.name}.npz as Keras publishes it: {error}.",
            hint=f"Give {info.accepts}.",
        ) from error
    splits = [
        Rows(
            inputs=arrays[f"x_{split}"][..., np.newaxis],
            labels=arrays[f"y_{split}"].astype(np.int64),
        )
        for split in ("train", "test")
    ]
    return Parsed(train=splits[0], test=splits[1], digests={})
