"""Are CIFAR's batches read, in order, and nothing run that they smuggle in?"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from tiny_archives import pack, write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.cifar import load_arrays_only
from dltrain.data.prepare import parse_dataset
from dltrain.errors import DataError


def write_archive(tmp_path: Path, files: dict[str, bytes]) -> Path:
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(pack(files))
    return path


def test_planes_become_pixels_and_batches_keep_their_order(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    parsed = parse_dataset(write_archive(tmp_path, cifar_files), cifar)
    assert isinstance(parsed.train.inputs, np.ndarray)
    assert parsed.train.inputs.shape == (10, 4, 2, 3)
    second = pickle.loads(cifar_files["cifar-10-batches-py/data_batch_2"])
    red, green, blue = second[b"data"][0].reshape(3, 4, 2)
    np.testing.assert_array_equal(parsed.train.inputs[2], np.stack([red, green, blue], axis=-1))
    assert parsed.train.labels[2:4].tolist() == second[b"labels"]
    assert len(parsed.test) == 2


def test_order_of_members_does_not_matter(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    expected = parse_dataset(write_archive(tmp_path, cifar_files), cifar)
    backwards = {f"./{name}": cifar_files[name] for name in reversed(cifar_files)}
    found = parse_dataset(write_archive(tmp_path, backwards), cifar)
    np.testing.assert_array_equal(found.train.inputs, expected.train.inputs)
    np.testing.assert_array_equal(found.train.labels, expected.train.labels)


def test_unpacked_folder_gives_the_same(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    expected = parse_dataset(write_archive(tmp_path, cifar_files), cifar)
    folder = write_files(tmp_path / "unpacked", cifar_files)
    for path in (folder, folder / "cifar-10-batches-py"):
        found = parse_dataset(path, cifar)
        np.testing.assert_array_equal(found.train.inputs, expected.train.inputs)


def test_members_outside_the_expected_names_are_ignored(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    extra = {
        "../cifar-10-batches-py/data_batch_1": b"traversal",
        "/cifar-10-batches-py/data_batch_1": b"absolute",
        "cifar-10-batches-py/data_batch_6": b"no such batch",
        "other/data_batch_1": b"elsewhere",
    }
    parsed = parse_dataset(write_archive(tmp_path, {**extra, **cifar_files}), cifar)
    assert len(parsed.train) == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cifar-10-python.tar.gz"]


def test_missing_batch_is_named(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    del cifar_files["cifar-10-batches-py/data_batch_3"]
    with pytest.raises(DataError, match=r"has no data_batch_3\."):
        parse_dataset(write_archive(tmp_path, cifar_files), cifar)


def test_batch_that_comes_twice_is_refused(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    again = {"./cifar-10-batches-py/test_batch": cifar_files["cifar-10-batches-py/test_batch"]}
    with pytest.raises(DataError, match="has test_batch twice"):
        parse_dataset(write_archive(tmp_path, {**cifar_files, **again, "data_batch_1": b""}), cifar)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_truncated_archive_is_refused(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path, kept: float
) -> None:
    path = write_archive(tmp_path, cifar_files)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match="is not a whole tar archive"):
        parse_dataset(path, cifar)


def test_flipped_byte_in_an_archive_is_found_without_any_checksum_of_ours(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "cifar-10-python.tar.gz"
    content = bytearray(pack(cifar_files, compresslevel=0))
    pixels = pickle.loads(cifar_files["cifar-10-batches-py/data_batch_2"])[b"data"].tobytes()
    text = pixels.decode("latin1").encode()[:8]
    content[content.index(text)] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="CRC check failed"):
        parse_dataset(path, cifar)


def test_file_that_is_no_archive_is_refused(cifar: DatasetInfo, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"\x00\xff" * 700)
    with pytest.raises(DataError, match="is not a whole tar archive"):
        parse_dataset(tmp_path / "junk", cifar)


class RunsWhenLoaded:
    """Pickle as a call that leaves a file behind."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.mkdir, ("{path}",)),
        (eval, ("__import__('os').mkdir('{path}')",)),
        (getattr, (1, "real")),
    ],
)
def test_malicious_global_is_refused_and_not_run(
    cifar: DatasetInfo,
    cifar_files: dict[str, bytes],
    tmp_path: Path,
    function: object,
    arguments: tuple[object, ...],
) -> None:
    trace = tmp_path / "trace"
    filled = [a.format(path=trace) if isinstance(a, str) else a for a in arguments]
    batch = {b"data": RunsWhenLoaded(function, *filled), b"labels": []}
    cifar_files["cifar-10-batches-py/data_batch_1"] = pickle.dumps(batch, protocol=2)
    with pytest.raises(DataError, match="is not allowed"):
        parse_dataset(write_archive(tmp_path, cifar_files), cifar)
    assert not trace.exists()


@pytest.mark.parametrize("protocol", range(5))
def test_arrays_bytes_lists_and_dicts_are_read(protocol: int) -> None:
    original = {
        b"data": np.arange(6, dtype=np.uint8).reshape(2, 3),
        b"labels": [1, 2],
        b"b": b"\xff",
    }
    found = load_arrays_only(pickle.dumps(original, protocol=protocol), where="here")
    np.testing.assert_array_equal(found[b"data"], original[b"data"])
    assert found[b"labels"] == [1, 2]
    assert found[b"b"] == b"\xff"


def test_pickle_of_python_2_and_numpy_1_is_read() -> None:
    # What Python 2 wrote: byte strings as SHORT_BINSTRING, NumPy under its old name.
    pickled = (
        b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"K\x00\x85U\x01b\x87R(K\x01K\x01K\x03\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x03\x01\x02\xfftb"
        b"U\x06labels]K\x07au."
    )
    found = load_arrays_only(pickled, where="here")
    assert found[b"data"].tolist() == [[1, 2, 255]]
    assert found[b"labels"] == [7]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([1], "expected a dict, found list"),
        ({b"data": [1], b"labels": [1]}, "'data' is not"),
        ({b"data": np.zeros((2, 5), np.uint8), b"labels": [1, 2]}, "'data' is not"),
        ({b"data": np.zeros((2, 24), np.float32), b"labels": [1, 2]}, "'data' is not"),
        ({b"data": np.zeros((2, 24), np.uint8), b"labels": [1]}, "'labels' is not a list of 2"),
        ({b"data": np.zeros((2, 24), np.uint8), b"labels": ["1", "2"]}, "'labels' is not"),
    ],
)
def test_batch_of_another_form_is_refused(
    cifar: DatasetInfo,
    cifar_files: dict[str, bytes],
    tmp_path: Path,
    batch: object,
    message: str,
) -> None:
    cifar_files["cifar-10-batches-py/data_batch_1"] = pickle.dumps(batch, protocol=2)
    with pytest.raises(DataError, match=message):
        parse_dataset(write_archive(tmp_path, cifar_files), cifar)


def test_wrong_row_count_is_refused(
    cifar: DatasetInfo, cifar_files: dict[str, bytes], tmp_path: Path
) -> None:
    name = "cifar-10-batches-py/data_batch_1"
    cifar_files[name] = cifar_files["cifar-10-batches-py/test_batch"]
    one_more = {b"data": np.zeros((3, 24), np.uint8), b"labels": [0, 0, 0]}
    cifar_files["cifar-10-batches-py/test_batch"] = pickle.dumps(one_more)
    with pytest.raises(DataError, match="test: expected 2 rows, found 3"):
        parse_dataset(write_archive(tmp_path, cifar_files), cifar)
