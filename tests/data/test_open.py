"""Does a prepared dataset open at once, and a damaged one say what to do?"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_archives import pack, write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.add import add_dataset
from dltrain.data.dataset import Dataset
from dltrain.data.open import open_dataset
from dltrain.data.texts import Texts
from dltrain.errors import DataError


def open_tiny(info: DatasetInfo, data_dir: Path) -> Dataset:
    return open_dataset(info.name, data_dir=data_dir, offline=True, datasets={info.name: info})


@pytest.fixture
def data_dir(
    mnist: DatasetInfo,
    idx_files: dict[str, bytes],
    imdb: DatasetInfo,
    imdb_files: dict[str, bytes],
    tmp_path: Path,
) -> Path:
    """Return a data directory with the tiny MNIST and IMDB."""
    add_dataset(mnist, write_files(tmp_path / "idx", idx_files), data_dir=tmp_path / "data")
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(pack(imdb_files))
    add_dataset(imdb, archive, data_dir=tmp_path / "data")
    return tmp_path / "data"


def test_images_are_mapped_read_only_in_milliseconds(mnist: DatasetInfo, data_dir: Path) -> None:
    open_tiny(mnist, data_dir)
    started = time.perf_counter()
    dataset = open_tiny(mnist, data_dir)
    assert time.perf_counter() - started < 0.1  # 2 ms when nothing else runs
    assert isinstance(dataset.train.inputs, np.memmap)
    assert not dataset.train.inputs.flags.writeable
    assert dataset.train.inputs.shape == (20, 4, 3, 1)
    assert dataset.test is not None
    assert len(dataset.test) == 6
    assert dataset.fingerprint["checksum"] == "contents"
    assert set(dataset.fingerprint["arrays"]) >= {"train_inputs.npy", "test_labels.npy"}


def test_texts_are_mapped_and_decoded_when_asked_for(imdb: DatasetInfo, data_dir: Path) -> None:
    dataset = open_tiny(imdb, data_dir)
    assert isinstance(dataset.train.inputs, Texts)
    assert isinstance(dataset.train.inputs.utf8, np.memmap)
    assert dataset.train.inputs[0] == "train neg 0 é<br />"
    assert dataset.train.labels[[0, -1]].tolist() == [0, 1]


def test_unknown_dataset_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no dataset 'emnist'") as caught:
        open_dataset("emnist", data_dir=tmp_path)
    assert "fashion_mnist" in caught.value.hint


def test_damaged_dataset_says_how_to_mend_it(mnist: DatasetInfo, data_dir: Path) -> None:
    os.truncate(data_dir / "mnist" / "train_inputs.npy", 100)
    with pytest.raises(DataError, match=r"train_inputs\.npy is damaged") as caught:
        open_tiny(mnist, data_dir)
    assert "dltrain data fetch mnist" in caught.value.hint
    assert "dltrain data add mnist PATH" in caught.value.hint


def test_array_of_another_shape_is_refused(mnist: DatasetInfo, data_dir: Path) -> None:
    path = data_dir / "mnist" / "train_labels.npy"
    size = path.stat().st_size
    np.save(path, np.zeros(40, dtype=np.int32))  # as many bytes
    assert path.stat().st_size == size
    with pytest.raises(DataError, match=r"expected \(20,\) int64, found \(40,\) int32"):
        open_tiny(mnist, data_dir)


def test_array_that_is_no_array_is_refused(mnist: DatasetInfo, data_dir: Path) -> None:
    path = data_dir / "mnist" / "train_labels.npy"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(DataError, match=r"train_labels\.npy is missing or damaged"):
        open_tiny(mnist, data_dir)


def test_option_of_a_dataset_that_has_none_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist has no option 'rows'"):
        open_dataset("mnist", data_dir=tmp_path, options={"rows": 3}, datasets={"mnist": mnist})
