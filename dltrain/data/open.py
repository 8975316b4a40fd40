"""How does the rest of dltrain get the dataset that a config names?"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.embedded import make_embedded
from dltrain.data.fetch import fetch_dataset
from dltrain.data.own import open_own_dataset
from dltrain.data.progress import SILENT, Progress
from dltrain.data.stand_in import (
    choose_smoke_rows,
    count_smoke_rows,
    make_stand_in,
    take_subset,
)
from dltrain.data.store import explain_remedies, read_record
from dltrain.data.texts import Texts
from dltrain.errors import DataError


def open_dataset(
    name: str,
    *,
    data_dir: Path,
    offline: bool = False,
    options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    datasets: Mapping[str, DatasetInfo] = DATASETS,
) -> Dataset:
    """Open a dataset, fetching and preparing it first if it isn't in `data_dir`.

    Prepared arrays are memory-mapped read-only: opening takes milliseconds, and processes share
    the pages. Raises DataError if it is unknown, damaged, or can't be fetched.
    """
    info = _find_info(name, datasets)
    if info.embedded:
        return make_embedded(info, options=options or {})
    if options:
        raise DataError(f"{name} has no option '{next(iter(options))}'.")
    try:
        record = read_record(name, data_dir)
        if record is None:
            fetch_dataset(info, data_dir=data_dir, offline=offline, progress=progress or SILENT)
            record = read_record(name, data_dir)
        if record is None:
            raise DataError(f"{data_dir / name} vanished while it was opened.")
        return _open_prepared(info, data_dir / name, record)
    except DataError as error:
        if error.hint:
            raise
        remedies = explain_remedies(name, data_dir, info.accepts)
        raise DataError(error.message, hint=remedies) from error


def open_configured_dataset(
    config: DatasetConfig,
    *,
    data_dir: Path,
    offline: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Open what a checked `dataset:` section names: data of one's own by path, others by name.

    Raises DataError.
    """
    if config.type is not None:
        return open_own_dataset(config, data_dir=data_dir, progress=progress or SILENT)
    return open_dataset(
        config.name or "",
        data_dir=data_dir,
        offline=offline,
        options=config.made_options(),
        progress=progress,
    )


def open_smoke_dataset(
    config: DatasetConfig,
    *,
    data_dir: Path,
    seed: int,
    datasets: Mapping[str, DatasetInfo] = DATASETS,
) -> Dataset:
    """Open a few rows to try a config on: of the dataset if it is here, else a stand-in for it.

    Nothing is fetched. Raises DataError if the dataset lies in `data_dir` but is damaged.
    """
    if config.type is not None:
        choose = functools.partial(choose_smoke_rows, seed=seed)
        dataset = open_own_dataset(config, data_dir=data_dir, choose=choose)
        return take_subset(dataset, seed=seed)
    info = _find_info(config.name or "", datasets)
    options = config.made_options()
    if info.embedded:
        if "rows" in options:  # fewer rows are the first ones of more
            options["rows"] = min(config.rows or 0, count_smoke_rows(info))
        return take_subset(make_embedded(info, options=options), seed=seed)
    if not os.path.lexists(data_dir / info.name):
        return make_stand_in(info, config, seed=seed)
    whole = open_dataset(info.name, data_dir=data_dir, offline=True, datasets=datasets)
    return take_subset(whole, seed=seed)


def _find_info(name: str, datasets: Mapping[str, DatasetInfo]) -> DatasetInfo:
    if name not in datasets:
        raise DataError(
            f"There is no dataset '{name}'.", hint=f"The datasets are: {', '.join(datasets)}."
        )
    return datasets[name]


def _open_prepared(info: DatasetInfo, directory: Path, record: Mapping[str, Any]) -> Dataset:
    train = _open_rows(info, directory, "train", info.train_rows)
    test = _open_rows(info, directory, "test", info.test_rows) if info.test_rows else None
    source = record["source"]
    fingerprint = {
        "name": info.name,
        "checksum": source["checksum"],
        "digests": source["digests"],
        "arrays": {file: entry["digest"] for file, entry in record["arrays"].items()},
    }
    return Dataset(info=info, train=train, test=test, fingerprint=fingerprint)


def _open_rows(info: DatasetInfo, directory: Path, split: str, rows: int) -> Rows:
    labels = _map_array(directory / f"{split}_labels.npy", shape=(rows,), dtype="int64")
    if info.modality != "text":
        shape = (rows, *info.shape)
        inputs = _map_array(directory / f"{split}_inputs.npy", shape=shape, dtype="uint8")
        return Rows(inputs=inputs, labels=labels)
    offsets = _map_array(directory / f"{split}_offsets.npy", shape=(rows + 1,), dtype="int64")
    size = int(offsets[-1])
    utf8 = _map_array(directory / f"{split}_utf8.npy", shape=(size,), dtype="uint8")
    return Rows(inputs=Texts(utf8=utf8, offsets=offsets), labels=labels)


def _map_array(path: Path, *, shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any]:
    try:
        # An empty file can't be mapped; NumPy then raises ValueError as for a damaged header.
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is missing or damaged: {error}.") from error
    if array.shape != shape or array.dtype != dtype:
        raise DataError(
            f"{path} is damaged: expected {shape} {dtype}, found {array.shape} {array.dtype}."
        )
    return array
