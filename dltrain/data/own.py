"""How does data of one's own, a file or a folder, become a Dataset?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.class_folders import ClassFiles, list_class_files
from dltrain.config.npz_arrays import plan_npz
from dltrain.config.own_data import describe_own_folder
from dltrain.config.own_keys import TABLE_TYPES
from dltrain.config.own_table import plan_table
from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.members import digest_of
from dltrain.data.own_images import read_images
from dltrain.data.own_npz import read_npz
from dltrain.data.own_table import read_table
from dltrain.data.own_texts import read_texts
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import DataError

Files = tuple[tuple[Path, ...], ...]
"""The files of each class."""

Reader = Callable[[Files, DatasetInfo], tuple[Rows, list[str]]]
"""Reads the files of a split: its rows, and the SHA-256 of each file in the same order."""

_READERS: Mapping[str, Reader] = {"image_folder": read_images, "text_folder": read_texts}


def open_own_dataset(config: DatasetConfig, *, progress: Progress = SILENT) -> Dataset:
    """Read the data of a checked `dataset:` section that has a type, into memory.

    The fingerprint holds a digest of every byte that was read, so that a run knows its data again.
    Raises DataError, naming the file and the row, if it can't be read.
    """
    path = Path(config.path or "")
    progress.note(f"Reading {path}.")
    try:
        if config.type in TABLE_TYPES:
            return _open_table(config, path)
        if config.type == "npz":
            return _open_npz(config, path)
        return _open_folder(config, path)
    except MemoryError as error:
        raise DataError(
            f"{path} doesn't fit into memory.",
            hint="Choose a smaller image_size." if config.type == "image_folder" else "",
        ) from error


def _open_table(config: DatasetConfig, path: Path) -> Dataset:
    plan = plan_table(config.model_dump())
    train, test = read_table(plan)
    digests: dict[str, str] = {
        source.split or "file": digest_of(source.path, "sha256") for source in plan.scan.sources
    }
    return Dataset(plan.info, train, test, _fingerprint(plan.info, path, digests))


def _open_npz(config: DatasetConfig, path: Path) -> Dataset:
    plan = plan_npz(config.model_dump())
    train, test = read_npz(plan)
    digests = {"file": digest_of(path, "sha256")}
    return Dataset(plan.info, train, test, _fingerprint(plan.info, path, digests))


def _open_folder(config: DatasetConfig, path: Path) -> Dataset:
    files = list_class_files(path, str(config.type))
    info = describe_own_folder(config.model_dump(), files)
    assert info is not None
    read, digests = _READERS[info.reader], {}
    train, hashes = read(files.train, info)
    digests["train"] = _digest_all(files, files.train, hashes)
    test = None
    if files.test:
        test, hashes = read(files.test, info)
        digests["test"] = _digest_all(files, files.test, hashes)
    return Dataset(info, train, test, _fingerprint(info, path, digests))


def _fingerprint(info: DatasetInfo, path: Path, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": info.name,
        "type": info.reader,
        "path": str(path),
        "checksum": "your own",
        "arrays": dict(digests),
    }


def _digest_all(files: ClassFiles, split: Files, hashes: Iterable[str]) -> str:
    """Return the SHA-256 of the names and contents of a split's files, in their order."""
    whole = hashlib.sha256()
    paths = (path for each in split for path in each)
    for path, digest in zip(paths, hashes, strict=True):
        whole.update(os.fsencode(path.relative_to(files.path).as_posix()))
        whole.update(f"\0{digest}\n".encode())
    return f"sha256:{whole.hexdigest()}"
