"""How does data of one's own, a file or a folder, become a Dataset?"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.class_folders import list_class_files
from dltrain.config.npz_arrays import plan_npz
from dltrain.config.own_data import describe_own_folder
from dltrain.config.own_keys import TABLE_TYPES
from dltrain.config.own_table import TablePlan, join_names, plan_table
from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.members import digest_of
from dltrain.data.own_image_columns import find_images
from dltrain.data.own_images import (
    Choose,
    ReadImages,
    UnreadImages,
    describe_skipped,
    read_images,
)
from dltrain.data.own_npz import read_npz
from dltrain.data.own_table import read_table
from dltrain.data.own_texts import read_texts
from dltrain.data.progress import SILENT, Progress
from dltrain.data.texts import Texts
from dltrain.errors import DataError


def open_own_dataset(
    config: DatasetConfig,
    *,
    data_dir: Path,
    progress: Progress = SILENT,
    choose: Choose | None = None,
) -> Dataset:
    """Read the data of a checked `dataset:` section that has a type.

    It lies in memory, or, if it is more images than that should hold, in a file without a name in
    `data_dir`. With `choose` it is no more than the images that this takes. The fingerprint holds a
    digest of every byte that was read, so that a run knows its data again. Raises DataError, naming
    the file and the row, if it can't be read.
    """
    path = Path(config.path or "")
    progress.note(f"Reading {path}.")
    try:
        if config.type in TABLE_TYPES:
            return _open_table(config, path, data_dir, progress, choose)
        if config.type == "npz":
            return _open_npz(config, path)
        if config.type == "image_folder":
            return _open_folder(config, path, data_dir, progress, choose)
        return _open_texts(config, path, progress)
    except MemoryError as error:
        raise DataError(
            f"{path} doesn't fit into memory.",
            hint="Choose a smaller image_size." if config.image_size else "",
        ) from error


def _open_table(
    config: DatasetConfig,
    path: Path,
    folder: Path,
    progress: Progress,
    choose: Choose | None,
) -> Dataset:
    plan = plan_table(config.model_dump())
    _check_declared(config, plan)
    train, test = read_table(plan)
    digests: dict[str, str] = {}
    if plan.scan.sources[0].path.is_dir():
        paths = sorted(each for each in path.rglob("*") if each.is_file())
        digests["files"] = _digest_all(path, paths, [digest_of(each, "sha256") for each in paths])
    else:
        for source in plan.scan.sources:
            digests[source.split or "file"] = digest_of(source.path, "sha256")
    fingerprint = _fingerprint(plan.info, path, digests)
    if plan.image is None:
        return Dataset(plan.info, train, test, fingerprint)
    parts = {"train": train} if test is None else {"train": train, "test": test}
    found = find_images(plan, parts)
    rows = {
        split: dataclasses.replace(part, names=[*found[split].names])
        for split, part in parts.items()
    }
    unread = {split: each.images for split, each in found.items()}
    dataset, _ = _read_images(config, plan.info, rows, unread, folder, progress, choose)
    return dataclasses.replace(dataset, fingerprint={**fingerprint, **dataset.fingerprint})


def _check_declared(config: DatasetConfig, plan: TablePlan) -> None:
    """Refuse classes without a row where `check` believed what the dataset says of itself."""
    if config.type != "tfds":
        return
    from dltrain.config.tfds_metadata import describe_tfds

    told = describe_tfds(config.model_dump())
    empty = [] if told is None else [n for n in told.class_names if n not in plan.info.class_names]
    if empty:
        raise DataError(
            f"{plan.scan.path}: no row is of the class {join_names(empty)}, which "
            f"{plan.target.name}.labels.txt names.",
            hint="Add rows of it, or prepare the dataset without it.",
        )


def _open_npz(config: DatasetConfig, path: Path) -> Dataset:
    plan = plan_npz(config.model_dump())
    train, test = read_npz(plan)
    digests = {"file": digest_of(path, "sha256")}
    return Dataset(plan.info, train, test, _fingerprint(plan.info, path, digests))


def _open_texts(config: DatasetConfig, path: Path, progress: Progress) -> Dataset:
    files = list_class_files(path, "text_folder")
    info = describe_own_folder(config.model_dump(), files)
    assert info is not None
    splits = {"train": files.train, "test": files.test}
    rows, digests = {}, {}
    for split, each in splits.items():
        if each:
            read, hashes = read_texts(each, info)
            paths = [text for texts in each for text in texts]
            _tell_empty(paths, read, progress)
            rows[split] = dataclasses.replace(read, names=_name_rows(path, paths))
            digests[split] = _digest_all(path, paths, hashes)
    return Dataset(info, rows["train"], rows.get("test"), _fingerprint(info, path, digests))


def _tell_empty(paths: Sequence[Path], rows: Rows, progress: Progress) -> None:
    """Warn of files without text. Raises DataError if all are."""
    assert isinstance(rows.inputs, Texts)
    empty = [path for row, path in enumerate(paths) if not rows.inputs[row].strip()]
    if len(empty) == len(paths):
        raise DataError(f"all {len(paths):,} texts are empty, {paths[0]} is the first.")
    if empty:
        progress.warn(f"{len(empty):,} of {len(paths):,} texts are empty, {empty[0]} is the first.")


def _open_folder(
    config: DatasetConfig,
    path: Path,
    folder: Path,
    progress: Progress,
    choose: Choose | None,
) -> Dataset:
    files = list_class_files(path, "image_folder")
    info = describe_own_folder(config.model_dump(), files)
    assert info is not None
    paths = {
        split: [path for each in classes for path in each]
        for split, classes in (("train", files.train), ("test", files.test))
        if classes
    }
    rows, unread = {}, {}
    for split, classes in (("train", files.train), ("test", files.test)):
        if classes:
            labels = np.repeat(np.arange(len(classes)), [len(each) for each in classes])
            names = _name_rows(path, paths[split])
            rows[split] = Rows(np.empty((len(labels), 0)), labels, names=names)
            unread[split] = UnreadImages(
                [*map(str, paths[split])], labels, _make_reader(paths[split])
            )
    dataset, read = _read_images(config, info, rows, unread, folder, progress, choose)
    digests = {
        split: _digest_all(path, [paths[split][int(row)] for row in each.kept], each.hashes)
        for split, each in read.items()
    }
    fingerprint = {**_fingerprint(info, path, digests), **dataset.fingerprint}
    return dataclasses.replace(dataset, fingerprint=fingerprint)


def _make_reader(paths: Sequence[Path]) -> Callable[[int], bytes]:
    return lambda row: paths[row].read_bytes()


def _read_images(
    config: DatasetConfig,
    info: DatasetInfo,
    rows: Mapping[str, Rows],
    unread: Mapping[str, UnreadImages],
    folder: Path,
    progress: Progress,
    choose: Choose | None,
) -> tuple[Dataset, dict[str, ReadImages]]:
    """Put the images into the rows of each split; those that are left out leave their rows out.

    The fingerprint says how many they are.
    """
    skip = config.on_error == "skip"
    read = read_images(unread, info, folder=folder, skip_bad=skip, choose=choose)
    fingerprint: dict[str, Any] = {}
    if skip:
        bad = [line for each in read.values() for line in each.bad]
        fingerprint["skipped_images"] = len(bad)
        if bad:
            progress.warn(describe_skipped(bad, sum(len(each.labels) for each in unread.values())))
    filled = {
        split: dataclasses.replace(rows[split].select(each.kept), inputs=each.inputs)
        for split, each in read.items()
    }
    train, test = filled["train"], filled.get("test")
    counts = np.bincount(train.labels, minlength=len(info.class_names)) if info.class_names else ()
    info = dataclasses.replace(
        info,
        train_rows=len(train),
        test_rows=0 if test is None else len(test),
        class_counts=tuple(int(count) for count in counts),
    )
    return Dataset(info, train, test, fingerprint), read


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
