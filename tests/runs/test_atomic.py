"""Is a file of a run either whole or not there?"""

from __future__ import annotations

import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from dltrain.errors import MachineError, RunError
from dltrain.runs.atomic import (
    remove_leftovers,
    replacing,
    syncing_together,
    to_json,
    write_json,
    write_text,
)


@contextmanager
def small_files_only() -> Iterator[None]:
    """Let no file grow past 4 KiB: writing then fails with EFBIG, as on a full disk.

    Round the write alone: pytest's own output may be a longer file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_written_text_replaces_the_earlier_one_and_leaves_nothing_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.yaml"
    write_text(path, "a: 1\n")
    write_text(path, "a: ü\n")
    assert path.read_bytes() == "a: ü\n".encode()
    assert names(tmp_path) == ["config.yaml"]


def test_the_temporary_path_lies_beside_and_has_the_same_suffixes(tmp_path: Path) -> None:
    with replacing(tmp_path / "model.weights.h5") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffixes[-2:] == [".weights", ".h5"]  # Keras insists on both
        assert not (tmp_path / "model.weights.h5").exists()
        temporary.write_bytes(b"weights")
    assert (tmp_path / "model.weights.h5").read_bytes() == b"weights"


def watch_syncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by what is synced: a file's own name, or that of its directory."""
    synced: list[str] = []
    really_sync = os.fsync

    def sync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append(name.rpartition("partial.")[2])
        really_sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    return synced


def test_what_is_synced_is_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = watch_syncs(monkeypatch)
    write_text(tmp_path / "progress", "1", synced="nothing")
    assert synced == []
    write_text(tmp_path / "config", "a: 1")
    assert synced == ["config"]
    write_text(tmp_path / "end", "2", synced="entry")
    assert synced == ["config", "end", tmp_path.name]


def test_together_contents_are_synced_once_before_what_must_be_there_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = watch_syncs(monkeypatch)
    with syncing_together():
        for name in ("a", "b", "a", "gone"):
            write_text(tmp_path / name, name)
        (tmp_path / "gone").unlink()
        with syncing_together():
            write_text(tmp_path / "c", "c")
        assert synced == []
        write_text(tmp_path / "end", "1", synced="entry")
        assert sorted(synced[:3]) == ["a", "b", "c"]
        assert synced[3:] == ["end", tmp_path.name]
        write_text(tmp_path / "late", "l")
        assert len(synced) == 5
    assert synced[5:] == ["late"]
    write_text(tmp_path / "after", "x")
    assert synced[6:] == ["after"]


def test_what_a_late_sync_meets_is_told_as_for_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    path = tmp_path / "metrics.json"
    with pytest.raises(MachineError) as caught, syncing_together():
        write_text(path, "{}")
    assert caught.value.message == (
        f"The disk is full (No space left on device) while writing {path}."
    )


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt


def test_a_failed_write_keeps_the_earlier_content(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"earlier")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["model.keras"]


def test_a_full_disk_is_a_machine_error_that_says_what_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("{}")
    full = pytest.raises(MachineError, match=r"The disk is full \(File too large\)")
    with small_files_only(), full as caught:
        write_text(path, "x" * 10_000)
    assert str(path) in caught.value.message
    assert "its earlier content is unchanged" in caught.value.hint
    assert path.read_text() == "{}"
    assert names(tmp_path) == ["metrics.json"]


def test_a_full_disk_is_recognised_through_numpy_and_zip_files(tmp_path: Path) -> None:
    with (
        small_files_only(),
        pytest.raises(MachineError, match="The disk is full"),
        replacing(tmp_path / "arrays.npz") as temporary,
    ):
        np.savez(temporary, a=np.zeros(10_000))
    with (
        small_files_only(),
        pytest.raises(MachineError, match="The disk is full"),
        replacing(tmp_path / "array.npy") as temporary,
    ):
        np.save(temporary, np.zeros(10_000))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, r"The disk is full \(No space left on device\) while writing .*model.keras"),
        (errno.EDQUOT, r"The disk is full \(Disk quota exceeded\)"),
        (errno.EACCES, r"model.keras can't be written: Permission denied\."),
        (errno.EROFS, r"model.keras can't be written: Read-only file system\."),
        (errno.EIO, r"The disk reported an error while writing .*model.keras"),
    ],
)
def test_what_the_system_refuses_is_a_machine_error(
    tmp_path: Path, number: int, expected: str
) -> None:
    with pytest.raises(MachineError, match=expected), replacing(tmp_path / "model.keras"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Can't write data (errno = 28, error message = 'No space left on device')"),
        Exception("File too large (os error 27)"),
    ],
    ids=["HDF5", "Rust"],
)
def test_a_full_disk_is_recognised_in_a_librarys_text(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(MachineError, match="The disk is full"), replacing(tmp_path / "w.h5"):
        raise error


def write_with_a_failing_clean_up() -> None:
    try:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        # What zipfile does when it closes after a failed write.
        raise ValueError("Can't close the ZIP file while there is an open writing handle on it.")


def test_a_full_disk_is_recognised_behind_the_error_that_it_led_to(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="The disk is full"), replacing(tmp_path / "a.zip"):
        write_with_a_failing_clean_up()


def test_a_directory_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"the directory .*gone is gone"):
        write_text(tmp_path / "gone" / "status.json", "{}")


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "model.keras"):
        raise ZeroDivisionError


def test_json_takes_numpy_and_turns_what_is_not_finite_into_null(tmp_path: Path) -> None:
    data = {
        "value": np.float32(0.5),
        "rows": np.int64(3),
        "matrix": np.array([[1, 2]]),
        "nan": float("nan"),
        "path": Path("runs/a"),
        "pair": (1, np.inf),
    }
    write_json(tmp_path / "metrics.json", data)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "value": 0.5,
        "rows": 3,
        "matrix": [[1, 2]],
        "nan": None,
        "path": "runs/a",
        "pair": [1, None],
    }
    assert json.loads(to_json({"a": True})) == {"a": True}


def test_leftovers_of_a_killed_write_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("whole")
    (tmp_path / ".lock").touch()
    with replacing(tmp_path / "model.keras") as temporary:
        temporary.write_text("new")
        leftover = tmp_path / temporary.name.replace("model.keras", "torn.json")
    leftover.write_text("half")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".lock", "model.keras"]
