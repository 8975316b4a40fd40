"""How do a publisher's files become memory-mapped arrays?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain import __version__
from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.aclimdb import read_aclimdb_dataset
from dltrain.data.cifar import read_cifar_dataset
from dltrain.data.dataset import Parsed, Rows
from dltrain.data.idx import read_idx_dataset
from dltrain.data.members import digest_of
from dltrain.data.store import FORMAT, explain_disk_errors, new_directory, publish
from dltrain.data.texts import Texts
from dltrain.errors import DataError

_READERS: Mapping[str, Callable[[Path, DatasetInfo], Parsed]] = {
    "idx": read_idx_dataset,
    "cifar": read_cifar_dataset,
    "aclimdb": read_aclimdb_dataset,
}


def parse_dataset(path: Path, info: DatasetInfo) -> Parsed:
    """Read a publisher's archive or folder into memory and hold it against `info`.

    Raises DataError if it is damaged or not what `info` says.
    """
    try:
        parsed = _READERS[info.reader](path, info)
    except OSError as error:
        raise DataError(
            f"{error.filename or path} can't be read: {error.strerror or error}."
        ) from error
    except MemoryError as error:
        raise DataError(f"{path} doesn't fit into memory.") from error
    for split, rows, expected in (
        ("train", parsed.train, info.train_rows),
        ("test", parsed.test, info.test_rows),
    ):
        _check_rows(rows, info, where=f"{path}: {split}", expected=expected)
    return parsed


def _check_rows(rows: Rows, info: DatasetInfo, *, where: str, expected: int) -> None:
    if len(rows.labels) != expected or len(rows.inputs) != expected:
        raise DataError(
            f"{where}: expected {expected:,} rows, found {len(rows.inputs):,} with "
            f"{len(rows.labels):,} labels.",
            hint=f"Give {info.accepts}, whole.",
        )
    if isinstance(rows.inputs, np.ndarray) and (
        rows.inputs.shape[1:] != info.shape or rows.inputs.dtype != np.uint8
    ):
        found = f"{rows.inputs.shape[1:]} {rows.inputs.dtype}"
        raise DataError(f"{where}: expected rows of shape {info.shape} uint8, found {found}.")
    if expected and not 0 <= rows.labels.min() <= rows.labels.max() < len(info.class_names):
        raise DataError(
            f"{where}: expected labels from 0 to {len(info.class_names) - 1}, found "
            f"{rows.labels.min()} to {rows.labels.max()}."
        )


def store_dataset(
    parsed: Parsed,
    info: DatasetInfo,
    *,
    data_dir: Path,
    source: Mapping[str, Any],
    replace: bool = False,
) -> bool:
    """Write the arrays and `dataset.json` to DATA_DIR/NAME, all at once.

    `source` goes into `dataset.json` as it is. Return False if another process was first; with
    `replace` what is there gives way. Raises MachineError if the disk is full or not writable.
    """
    with new_directory(info.name, data_dir) as directory:
        arrays = {}
        for split, rows in (("train", parsed.train), ("test", parsed.test)):
            for name, array in _arrays_of(split, rows).items():
                arrays[f"{name}.npy"] = _write_array(directory / f"{name}.npy", array)
        record = {
            "format": FORMAT,
            "name": info.name,
            "train_rows": len(parsed.train),
            "test_rows": len(parsed.test),
            "source": dict(source),
            "arrays": arrays,
            "prepared_by": f"dltrain {__version__}",
        }
        return publish(directory, info.name, record, replace=replace)


def _arrays_of(split: str, rows: Rows) -> dict[str, npt.NDArray[Any]]:
    if isinstance(rows.inputs, Texts):
        return {
            f"{split}_utf8": rows.inputs.utf8,
            f"{split}_offsets": rows.inputs.offsets,
            f"{split}_labels": rows.labels,
        }
    return {f"{split}_inputs": np.asarray(rows.inputs), f"{split}_labels": rows.labels}


def _write_array(path: Path, array: npt.NDArray[Any]) -> dict[str, Any]:
    """Do what np.save does, but through the file, whose errors carry an errno.

    np.save reports a full disk as a bare OSError that can't be told from any other.
    """
    array = np.ascontiguousarray(array)
    header = np.lib.format.header_data_from_array_1_0(array)
    with explain_disk_errors(path.parent.parent):
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)
            file.flush()
            os.fsync(file.fileno())
        return {"bytes": path.stat().st_size, "digest": digest_of(path, "sha256")}
