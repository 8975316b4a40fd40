"""Are IDX files and mnist.npz read, and damaged ones refused?"""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest
from tiny_archives import encode_idx, gzip_files, write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.idx import read_idx, read_idx_dataset
from dltrain.data.prepare import parse_dataset
from dltrain.errors import DataError


@pytest.mark.parametrize("zipped", [True, False])
def test_four_idx_files_become_images_and_labels(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path, zipped: bool
) -> None:
    write_files(tmp_path, gzip_files(idx_files) if zipped else idx_files)
    parsed = parse_dataset(tmp_path, mnist)
    assert isinstance(parsed.train.inputs, np.ndarray)
    assert parsed.train.inputs.shape == (20, 4, 3, 1)
    assert parsed.train.inputs.tobytes() == idx_files["train-images-idx3-ubyte"][16:]
    assert parsed.test.labels.tolist() == list(idx_files["t10k-labels-idx1-ubyte"][8:])
    assert parsed.test.labels.dtype == np.int64
    assert parsed.digests == mnist.contents


def test_npz_of_keras_gives_the_same(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path
) -> None:
    expected = parse_dataset(write_files(tmp_path / "idx", idx_files), mnist)
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.asarray(expected.train.inputs)[..., 0],
        y_train=expected.train.labels.astype(np.uint8),
        x_test=np.asarray(expected.test.inputs)[..., 0],
        y_test=expected.test.labels.astype(np.uint8),
    )
    for path in (tmp_path / "mnist.npz", tmp_path):
        found = parse_dataset(path, mnist)
        np.testing.assert_array_equal(found.train.inputs, expected.train.inputs)
        np.testing.assert_array_equal(found.test.labels, expected.test.labels)


def test_npz_that_is_junk_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match=r"is not mnist\.npz as Keras publishes it"):
        read_idx_dataset(tmp_path / "mnist.npz", mnist)


def test_npz_of_pickled_objects_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "mnist.npz", x_train=objects, y_train=objects)
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        read_idx_dataset(tmp_path / "mnist.npz", mnist)


def test_missing_idx_file_is_named(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path
) -> None:
    del idx_files["t10k-labels-idx1-ubyte"]
    write_files(tmp_path, idx_files)
    with pytest.raises(DataError, match=r"has no t10k-labels-idx1-ubyte\.gz") as caught:
        read_idx_dataset(tmp_path, mnist)
    assert "the folder with the four IDX files" in caught.value.hint


def test_wrong_magic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(b"\x00\x00\x0d\x03" + bytes(100))
    with pytest.raises(DataError, match="begins with 0x00000d03, expected 0x00000803"):
        read_idx(path, shape=(2, 4, 3))


def test_wrong_row_count_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(encode_idx(np.zeros((3, 4, 3), np.uint8)))
    with pytest.raises(DataError, match=r"expected the shape \(2, 4, 3\), found \(3, 4, 3\)"):
        read_idx(path, shape=(2, 4, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-1], "expected 40 bytes unzipped, found 39"),
        (lambda content: content + b"x", "expected 40 bytes unzipped, found more"),
        (lambda content: content[:10], "ends within its header"),
    ],
)
def test_wrong_length_is_refused(tmp_path: Path, change: object, message: str) -> None:
    content = encode_idx(np.zeros((2, 4, 3), np.uint8))
    (tmp_path / "images").write_bytes(change(content))  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "images", shape=(2, 4, 3))


@pytest.mark.parametrize("junk", ["cut", "not gzip"])
def test_damaged_gzip_is_refused(tmp_path: Path, junk: str) -> None:
    packed = gzip.compress(encode_idx(np.zeros((2, 4, 3), np.uint8)))
    (tmp_path / "images.gz").write_bytes(packed[:-9] if junk == "cut" else b"hello")
    with pytest.raises(DataError, match="is not a whole gzip file"):
        read_idx(tmp_path / "images.gz", shape=(2, 4, 3))


def test_label_out_of_range_is_refused(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path
) -> None:
    few_classes = dataclasses.replace(mnist, class_names=("zero", "one"))
    with pytest.raises(DataError, match="train: expected labels from 0 to 1, found 0 to"):
        parse_dataset(write_files(tmp_path, idx_files), few_classes)


def test_npz_with_fewer_labels_than_images_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.zeros((20, 4, 3), np.uint8),
        y_train=np.zeros(19, np.uint8),
        x_test=np.zeros((6, 4, 3), np.uint8),
        y_test=np.zeros(6, np.uint8),
    )
    with pytest.raises(DataError, match="train: expected 20 rows, found 20 with 19 labels"):
        parse_dataset(tmp_path / "mnist.npz", mnist)


def test_npz_of_floats_is_refused(mnist: DatasetInfo, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.zeros((20, 4, 3)),
        y_train=np.zeros(20, np.uint8),
        x_test=np.zeros((6, 4, 3)),
        y_test=np.zeros(6, np.uint8),
    )
    with pytest.raises(DataError, match=r"expected rows of shape \(4, 3, 1\) uint8, found"):
        parse_dataset(tmp_path / "mnist.npz", mnist)
