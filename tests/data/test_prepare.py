"""Does a prepared dataset appear whole or not at all, whoever else writes it or is killed?"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_archives import write_files

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.open import open_dataset
from dltrain.data.prepare import parse_dataset, store_dataset
from dltrain.data.store import is_prepared
from dltrain.errors import MachineError

SOURCE = {"from": "here", "checksum": "contents", "digests": {}}


@pytest.fixture
def idx_folder(idx_files: dict[str, bytes], tmp_path: Path) -> Path:
    """Return a folder with the four files of the tiny MNIST."""
    return write_files(tmp_path / "idx", idx_files)


def store_at(moment: float, folder: Path, info: DatasetInfo, data_dir: Path) -> bool:
    """Prepare at a given time, in whichever process this runs."""
    parsed = parse_dataset(folder, info)
    time.sleep(max(0.0, moment - time.time()))
    return store_dataset(parsed, info, data_dir=data_dir, source=SOURCE)


def test_two_processes_at_once_leave_one_whole_dataset(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(abs, range(2))  # both have started
        job = (time.time() + 0.5, idx_folder, mnist, data_dir)
        was_first = pool.starmap(store_at, [job, job])
    assert sorted(was_first) == [False, True]
    assert is_prepared("mnist", data_dir)
    assert [path.name for path in data_dir.iterdir()] == ["mnist"]


KILLED_WHILE_WRITING = """
import os, pickle, signal, sys
from pathlib import Path
from dltrain.data.prepare import parse_dataset, store_dataset
info, folder, data_dir, moment = pickle.load(sys.stdin.buffer)
real, left = os.fsync, [moment]
def fsync(number):
    real(number)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
store_dataset(parse_dataset(folder, info), info, data_dir=data_dir, source={})
"""


@pytest.mark.parametrize("moment", [1, 3, 5], ids=["first array", "third array", "dataset.json"])
def test_kill_in_the_middle_leaves_nothing_that_is_taken_for_whole(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path, moment: int
) -> None:
    import pickle

    data_dir = tmp_path / "data"
    plain = pickle.dumps((mnist, idx_folder, data_dir, moment))
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING], input=plain, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not is_prepared("mnist", data_dir)
    assert [path.name.split("-")[0] for path in data_dir.iterdir()] == [".preparing"]

    assert store_at(0, idx_folder, mnist, data_dir)
    assert is_prepared("mnist", data_dir)
    assert [path.name for path in data_dir.iterdir()] == ["mnist"]


def test_what_is_there_stays_unless_told_to_replace_it(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path
) -> None:
    parsed = parse_dataset(idx_folder, mnist)
    assert store_dataset(parsed, mnist, data_dir=tmp_path, source=SOURCE)
    opened = open_dataset("mnist", data_dir=tmp_path, datasets={"mnist": mnist})
    assert not store_dataset(parsed, mnist, data_dir=tmp_path, source=SOURCE)
    inode = (tmp_path / "mnist").stat().st_ino
    assert store_dataset(parsed, mnist, data_dir=tmp_path, source=SOURCE, replace=True)
    assert (tmp_path / "mnist").stat().st_ino != inode
    # Who has the old arrays open keeps them.
    np.testing.assert_array_equal(opened.train.inputs, parsed.train.inputs)


def test_what_is_there_but_damaged_gives_way(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train_inputs.npy").write_bytes(b"half")
    parsed = parse_dataset(idx_folder, mnist)
    assert store_dataset(parsed, mnist, data_dir=tmp_path, source=SOURCE)
    assert is_prepared("mnist", tmp_path)


def test_full_disk_leaves_nothing_behind(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = parse_dataset(idx_folder, mnist)

    def fail(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    data_dir = tmp_path / "data"
    with pytest.raises(MachineError, match="The disk is full"):
        store_dataset(parsed, mnist, data_dir=data_dir, source=SOURCE)
    assert list(data_dir.iterdir()) == []


def test_write_that_fails_midway_tells_the_reason_of_the_system(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    parsed = parse_dataset(idx_folder, mnist)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))  # bytes a file may have
    try:
        with pytest.raises(MachineError, match="can't be written: File too large"):
            store_dataset(parsed, mnist, data_dir=tmp_path / "data", source=SOURCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "data").iterdir()) == []


def test_data_dir_that_can_not_be_made_is_named(
    mnist: DatasetInfo, idx_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="file/data can't be written: Not a directory"):
        store_dataset(
            parse_dataset(idx_folder, mnist), mnist, data_dir=tmp_path / "file/data", source=SOURCE
        )
