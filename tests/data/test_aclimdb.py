"""Are the IMDB reviews read in a fixed order, and strange archives refused?"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from tiny_archives import pack, write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.members import read_members
from dltrain.data.prepare import parse_dataset
from dltrain.data.texts import Texts
from dltrain.errors import DataError


def write_archive(tmp_path: Path, files: dict[str, bytes]) -> Path:
    path = tmp_path / "aclImdb_v1.tar.gz"
    path.write_bytes(pack(files))
    return path


def test_reviews_come_sorted_by_path_whatever_the_order_in_the_archive(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    backwards = {name: imdb_files[name] for name in reversed(imdb_files)}
    expected = [imdb_files[name].decode() for name in sorted(imdb_files) if "train/neg" in name] + [
        imdb_files[name].decode() for name in sorted(imdb_files) if "train/pos" in name
    ]
    folder = write_files(tmp_path / "unpacked", imdb_files)
    for path in (write_archive(tmp_path, backwards), folder, folder / "aclImdb"):
        parsed = parse_dataset(path, imdb)
        assert isinstance(parsed.train.inputs, Texts)
        assert list(parsed.train.inputs) == expected
        assert parsed.train.labels.tolist() == [0] * 12 + [1] * 12
        assert parsed.test.labels.tolist() == [0, 0, 1, 1]


def test_unlabelled_reviews_and_strange_names_are_ignored(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    strange = {
        "../aclImdb/train/neg/90_1.txt": b"traversal",
        "/aclImdb/train/neg/91_1.txt": b"absolute",
        "aclImdb/train/neg/../neg/92_1.txt": b"roundabout",
        "aclImdb/train/neg/._93_1.txt": b"left by a Mac",
    }
    parsed = parse_dataset(write_archive(tmp_path, {**strange, **imdb_files}), imdb)
    assert len(parsed.train) == 24
    assert [path.name for path in tmp_path.iterdir()] == ["aclImdb_v1.tar.gz"]


def test_missing_review_is_refused(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    del imdb_files["aclImdb/train/neg/3_2.txt"]
    with pytest.raises(DataError, match="train: expected 24 rows, found 23"):
        parse_dataset(write_archive(tmp_path, imdb_files), imdb)


def test_too_many_reviews_are_refused(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    more = {"aclImdb/train/pos/77_10.txt": b"one more"}
    with pytest.raises(DataError, match="has more than 24 reviews in train"):
        parse_dataset(write_archive(tmp_path, {**imdb_files, **more}), imdb)


def test_text_that_is_not_utf8_is_named(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    imdb_files["aclImdb/test/pos/0_9.txt"] = b"caf\xe9"
    with pytest.raises(DataError, match=r"aclImdb/test/pos/0_9\.txt is not UTF-8"):
        parse_dataset(write_archive(tmp_path, imdb_files), imdb)


def test_member_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path, {"a": b"12345"})
    with pytest.raises(DataError, match="a has 5 bytes; expected at most 4"):
        list(read_members(path, wanted=lambda name: True, largest_bytes=4))


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("a")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert list(read_members(path, wanted=lambda name: True, largest_bytes=4)) == []
