"""How does data of one's own, a file or a folder, become a Dataset?"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.class_folders import list_class_files
from dltrain.config.npz_arrays import plan_npz
from dltrain.config.own_data import describe_own_folder
from dltrain.config.own_keys import TABLE_TYPES
from dltrain.config.own_table import plan_table
from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset
from dltrain.data.members import digest_of
from dltrain.data.own_images import describe_skipped, read_images
from dltrain.data.own_npz import read_npz
from dltrain.data.own_table import read_table
from dltrain.data.own_texts import read_texts
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import DataError


def open_own_dataset(
    config: DatasetConfig, *, data_dir: Path, progress: Progress = SILENT
) -> Dataset:
    """Read the data of a checked `dataset:` section that has a type.

    It lies in memory, or, if it is a folder of more images than that should hold, in a file without
    a name in `data_dir`. The fingerprint holds a digest of every byte that was read, so that a
    run knows its data again. Raises DataError, naming the file and the row, if it can't be read.
    """
    path = Path(config.path or "")
    progress.note(f"Reading {path}.")
    try:
        if config.type in TABLE_TYPES:
            return _open_table(config, path)
        if config.type == "npz":
            return _open_npz(config, path)
        if config.type == "image_folder":
            return _open_images(config, path, data_dir, progress)
        return _open_texts(config, path)
    except MemoryError as error:
        raise DataError(
            f"{path} doesn't fit into memory.",
            hint="Choose a smaller image_size." if config.type == "image_folder" else "",
        ) from error


def _open_table(config: DatasetConfig, path: Path) -> Dataset:
    plan = plan_table(config.model_dump())
    train, test = read_table(plan)
    digests: dict[str, str] = {}
    if config.type == "huggingface":
        paths = sorted(each for each in path.rglob("*") if each.is_file())
        digests["files"] = _digest_all(path, paths, [digest_of(each, "sha256") for each in paths])
    else:
        for source in plan.scan.sources:
            digests[source.split or "file"] = digest_of(source.path, "sha256")
    return Dataset(plan.info, train, test, _fingerprint(plan.info, path, digests))


def _open_npz(config: DatasetConfig, path: Path) -> Dataset:
    plan = plan_npz(config.model_dump())
    train, test = read_npz(plan)
    digests = {"file": digest_of(path, "sha256")}
    return Dataset(plan.info, train, test, _fingerprint(plan.info, path, digests))


def _open_texts(config: DatasetConfig, path: Path) -> Dataset:
    files = list_class_files(path, "text_folder")
    info = describe_own_folder(config.model_dump(), files)
    assert info is not None
    splits = {"train": files.train, "test": files.test}
    rows, digests = {}, {}
    for split, each in splits.items():
        if each:
            read, hashes = read_texts(each, info)
            paths = [text for texts in each for text in texts]
            rows[split] = dataclasses.replace(read, names=_name_rows(path, paths))
            digests[split] = _digest_all(path, paths, hashes)
    return Dataset(info, rows["train"], rows.get("test"), _fingerprint(info, path, digests))


def _open_images(config: DatasetConfig, path: Path, folder: Path, progress: Progress) -> Dataset:
    files = list_class_files(path, "image_folder")
    info = describe_own_folder(config.model_dump(), files)
    assert info is not None
    splits = {"train": files.train, "test": files.test}
    read = {
        split: read_images(each, info, folder=folder, skip_bad=config.on_error == "skip")
        for split, each in splits.items()
        if each
    }
    digests = {split: _digest_all(path, each.paths, each.hashes) for split, each in read.items()}
    fingerprint = _fingerprint(info, path, digests)
    if config.on_error == "skip":
        bad = [line for each in read.values() for line in each.bad]
        fingerprint["skipped_images"] = len(bad)
        if bad:
            total = info.train_rows + info.test_rows
            progress.warn(f"{describe_skipped(bad, total)}\nThey are left out.")
    named = {
        split: dataclasses.replace(each.rows, names=_name_rows(path, each.paths))
        for split, each in read.items()
    }
    train, test = named["train"], named.get("test")
    info = dataclasses.replace(
        info,
        train_rows=len(train),
        test_rows=0 if test is None else len(test),
        class_counts=tuple(np.bincount(train.labels).tolist()),
    )
    return Dataset(info, train, test, fingerprint)


def _fingerprint(info: DatasetInfo, path: Path, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": info.name,
        "type": info.reader,
        "path": str(path),
        "checksum": "your own",
        "arrays": dict(digests),
    }


def _name_rows(folder: Path, paths: Iterable[Path]) -> list[str]:
    """Return each file's path below the folder."""
    return [path.relative_to(folder).as_posix() for path in paths]


def _digest_all(folder: Path, paths: Iterable[Path], hashes: Iterable[str]) -> str:
    """Return the SHA-256 of the names and contents of a split's files, in their order."""
    whole = hashlib.sha256()
    for path, digest in zip(paths, hashes, strict=True):
        whole.update(os.fsencode(path.relative_to(folder).as_posix()))
        whole.update(f"\0{digest}\n".encode())
    return f"sha256:{whole.hexdigest()}"
