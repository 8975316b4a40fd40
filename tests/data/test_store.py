"""Where does prepared data lie, and is a damaged directory told from a whole one?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tiny_archives import write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.prepare import parse_dataset, store_dataset
from dltrain.data.store import (
    explain_disk_errors,
    explain_remedies,
    is_offline,
    is_prepared,
    read_record,
    resolve_data_dir,
)
from dltrain.errors import DataError, MachineError


@pytest.fixture
def prepared(mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path) -> Path:
    """Return a data directory that holds the tiny MNIST."""
    parsed = parse_dataset(write_files(tmp_path / "idx", idx_files), mnist)
    source = {"from": "here", "checksum": "contents", "digests": {}}
    assert store_dataset(parsed, mnist, data_dir=tmp_path / "data", source=source)
    return tmp_path / "data"


def test_data_dir_is_the_option_then_the_environment_then_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", "/from/environment")
    assert resolve_data_dir(Path("/given")) == Path("/given")
    assert resolve_data_dir(None) == Path("/from/environment")
    monkeypatch.delenv("DLTRAIN_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = resolve_data_dir(None)
    assert found.is_relative_to(tmp_path)
    assert found.parts[-2:] == ("dltrain", "data")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False), ("", False)])
def test_offline_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: bool
) -> None:
    monkeypatch.setenv("DLTRAIN_OFFLINE", value)
    assert is_offline(False) is expected
    assert is_offline(True)


def test_remedies_name_another_data_dir_only_if_it_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    assert "--data-dir" not in explain_remedies("mnist", tmp_path, "a folder")
    elsewhere = explain_remedies("mnist", tmp_path / "other", "a folder")
    assert f"dltrain data fetch mnist --data-dir {tmp_path / 'other'}" in elsewhere
    assert f"dltrain data add mnist PATH --data-dir {tmp_path / 'other'}" in elsewhere


def test_record_of_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_record("mnist", tmp_path) is None
    assert read_record("mnist", tmp_path / "no" / "such") is None


def test_record_lists_rows_source_and_arrays(prepared: Path) -> None:
    record = read_record("mnist", prepared)
    assert record is not None
    assert (record["train_rows"], record["test_rows"]) == (20, 6)
    assert record["source"]["checksum"] == "contents"
    assert record["arrays"]["train_inputs.npy"]["digest"].startswith("sha256:")
    assert [path.name for path in prepared.iterdir()] == ["mnist"]


def test_missing_array_is_found(prepared: Path) -> None:
    (prepared / "mnist" / "test_labels.npy").unlink()
    with pytest.raises(DataError, match=r"test_labels\.npy is missing"):
        read_record("mnist", prepared)
    assert not is_prepared("mnist", prepared)


def test_cut_array_is_found(prepared: Path) -> None:
    path = prepared / "mnist" / "train_inputs.npy"
    size = path.stat().st_size
    os.truncate(path, size - 1)
    with pytest.raises(DataError, match=f"is damaged: expected {size} bytes, found {size - 1}"):
        read_record("mnist", prepared)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "dataset.json is damaged"),
        ("[]", "dataset.json is damaged"),
        ('{"format": 1, "name": "mnist"}', "dataset.json is damaged"),
        ('{"format": 99, "name": "mnist", "arrays": {}}', "another version of dltrain"),
        ('{"format": 1, "name": "cifar10", "arrays": {}}', "another version of dltrain"),
    ],
)
def test_damaged_record_is_found(prepared: Path, text: str, message: str) -> None:
    (prepared / "mnist" / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_record("mnist", prepared)


def test_directory_without_a_record_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    with pytest.raises(DataError, match=r"is not a prepared dataset: no dataset\.json"):
        read_record("mnist", tmp_path)


def test_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(MachineError, match="The disk is full") as caught,
        explain_disk_errors(tmp_path),
    ):
        raise full
    assert "--data-dir" in caught.value.hint
