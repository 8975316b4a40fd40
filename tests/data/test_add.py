"""Is what someone has on disk recognised, and its checksum told truly?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tiny_archives import gzip_files, make_idx_files, pack, tiny, with_url, write_files

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.data.add import add_dataset
from dltrain.data.store import read_record
from dltrain.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("form", "checksum"),
    [
        ("published", "published"),
        ("repacked", "contents"),
        ("unzipped", "contents"),
        ("changed", "differs"),
        ("changed and unzipped", "differs"),
    ],
)
def test_folder_of_idx_files_is_added_and_judged(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path, form: str, checksum: str
) -> None:
    if "changed" in form:
        idx_files["t10k-labels-idx1-ubyte"] = idx_files["t10k-labels-idx1-ubyte"][:-1] + b"\x03"
    zipped = gzip_files(idx_files, level=1 if form == "repacked" else 9)
    folder = write_files(tmp_path / "idx", idx_files if "unzipped" in form else zipped)
    added = add_dataset(mnist, folder, data_dir=tmp_path / "data")
    assert added.checksum == checksum
    record = read_record("mnist", tmp_path / "data")
    assert record is not None
    assert record["source"]["checksum"] == checksum
    assert record["source"]["from"] == str(folder)
    assert record["source"]["digests"]


def test_npz_with_another_checksum_is_added_and_said_to_differ(
    mnist: DatasetInfo, tmp_path: Path
) -> None:
    info = dataclasses.replace(mnist, sources=DATASETS["mnist"].sources)
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.zeros((20, 4, 3), np.uint8),
        y_train=np.zeros(20, np.uint8),
        x_test=np.zeros((6, 4, 3), np.uint8),
        y_test=np.zeros(6, np.uint8),
    )
    added = add_dataset(info, tmp_path / "mnist.npz", data_dir=tmp_path / "data")
    assert added.checksum == "differs"
    assert add_dataset(info, tmp_path, data_dir=tmp_path / "data").checksum == "differs"


def test_npz_is_not_taken_for_fashion_mnist(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"mnist\.npz is not fashion_mnist"):
        add_dataset(DATASETS["fashion_mnist"], tmp_path / "mnist.npz", data_dir=tmp_path)


def test_unzipped_files_without_published_digests_are_unknown(tmp_path: Path) -> None:
    info = tiny("fashion_mnist", shape=(4, 3, 1), train_rows=20, test_rows=6)
    folder = write_files(tmp_path / "idx", make_idx_files(info))
    assert add_dataset(info, folder, data_dir=tmp_path / "data").checksum == "unknown"


def test_cifar_archive_or_folder_is_added(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    content = pack(cifar_files)
    published = with_url(cifar, content)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(content)
    for path in (tmp_path / "cifar-10-python.tar.gz", tmp_path):
        added = add_dataset(published, path, data_dir=tmp_path / "data")
        assert added.checksum == "published"
    assert add_dataset(cifar, tmp_path, data_dir=tmp_path / "data").checksum == "differs"
    folder = write_files(tmp_path / "unpacked", cifar_files)
    for path in (folder, folder / "cifar-10-batches-py"):
        added = add_dataset(published, path, data_dir=tmp_path / "data")
        assert added.checksum == "unknown"


def test_cifar_folder_is_known_by_its_batches(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "unpacked", cifar_files)
    found = add_dataset(cifar, folder, data_dir=tmp_path / "data").digests
    known = dataclasses.replace(cifar, contents=found)
    assert add_dataset(known, folder, data_dir=tmp_path / "data").checksum == "contents"


def test_imdb_folder_is_added(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "unpacked", imdb_files)
    assert add_dataset(imdb, folder, data_dir=tmp_path / "data").checksum == "unknown"


def test_path_that_does_not_exist_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="doesn't exist") as caught:
        add_dataset(mnist, tmp_path / "nothing", data_dir=tmp_path)
    assert "the four IDX files" in caught.value.hint


def test_single_idx_file_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"is not mnist\.") as caught:
        add_dataset(mnist, tmp_path / "train-images-idx3-ubyte.gz", data_dir=tmp_path)
    assert "the folder with the four IDX files" in caught.value.hint


def test_built_in_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="digits is built in"):
        add_dataset(DATASETS["digits"], tmp_path, data_dir=tmp_path)


def test_failed_add_leaves_what_was_there(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "idx", idx_files)
    add_dataset(mnist, folder, data_dir=tmp_path / "data")
    (folder / "train-images-idx3-ubyte").write_bytes(b"junk")
    with pytest.raises(DataError):
        add_dataset(mnist, folder, data_dir=tmp_path / "data")
    assert read_record("mnist", tmp_path / "data") is not None
