"""Does fetching survive what networks do, and never take a part for the whole?"""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_archives import gzip_files, pack, with_url
from tiny_server import Server, cut, missing, silent, trickle, whole

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.data.download import Patience
from dltrain.data.fetch import fetch_dataset
from dltrain.data.open import open_dataset
from dltrain.data.progress import Progress
from dltrain.data.store import is_prepared, read_record
from dltrain.errors import DataError

QUICK = Patience(
    connect_seconds=0.5, read_seconds=0.3, window_seconds=0.2, least_bytes_per_second=1000
)
NAME = "/cifar-10-python.tar.gz"


@pytest.fixture
def archive(cifar_files: dict[str, bytes]) -> bytes:
    """Return the tiny CIFAR archive."""
    return pack(cifar_files)


def fetch_failing(info: DatasetInfo, data_dir: Path) -> DataError:
    """Fetch, expect DataError, and see that nothing is there that could be taken for data."""
    with pytest.raises(DataError) as caught:
        fetch_dataset(info, data_dir=data_dir, patience=QUICK)
    assert not is_prepared(info.name, data_dir)
    downloads = data_dir / ".downloads"
    assert [path for path in downloads.rglob("*") if path.is_file()] == []
    assert f"dltrain data fetch {info.name}" in caught.value.hint
    assert f"dltrain data add {info.name} PATH" in caught.value.hint
    return caught.value


def test_whole_file_is_fetched_checked_prepared_and_removed(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    server.answers[NAME] = whole(archive)
    info = with_url(cifar, archive, server.url + NAME)
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    record = read_record("cifar10", tmp_path)
    assert record is not None
    assert record["source"]["checksum"] == "published"
    assert record["source"]["from"] == [server.url + NAME]
    assert list((tmp_path / ".downloads").iterdir()) == []
    assert not fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    assert server.asked == [NAME]


def test_opening_fetches_what_is_not_there(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    server.answers[NAME] = whole(archive)
    info = with_url(cifar, archive, server.url + NAME)
    dataset = open_dataset("cifar10", data_dir=tmp_path, datasets={"cifar10": info})
    assert len(dataset.train) == 10


def test_four_files_come_from_whichever_mirror_has_them(
    mnist: DatasetInfo, idx_files: dict[str, bytes], server: Server, tmp_path: Path
) -> None:
    for number, (name, content) in enumerate(gzip_files(idx_files).items()):
        server.answers[f"/{'ab'[number % 2]}/{name}"] = whole(content)
    (files,) = mnist.sources
    urls = (f"{server.url}/a/", f"{server.url}/b/")
    spread = tuple(
        dataclasses.replace(file, urls=tuple(url + file.name for url in urls)) for file in files
    )
    info = dataclasses.replace(mnist, sources=(spread,))
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("cut half-way", "the connection ended"),
        ("one wrong byte", "wrong content: its checksum is not sha256"),
        ("404", "the server says 404 Not Found"),
        ("trickle", "too slow: "),
        ("silence", "the server doesn't answer in time"),
    ],
)
def test_damaged_answer_is_refused_with_its_reason(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path, damage: str, reason: str
) -> None:
    wrong = bytearray(archive)
    wrong[len(wrong) // 2] ^= 1
    server.answers[NAME] = {
        "cut half-way": cut(archive, len(archive) // 2),
        "one wrong byte": whole(bytes(wrong)),
        "404": missing,
        "trickle": trickle(archive),
        "silence": silent(1.0),
    }[damage]
    started = time.monotonic()
    error = fetch_failing(with_url(cifar, archive, server.url + NAME), tmp_path)
    assert f"{server.url}{NAME}: {reason}" in error.message
    assert time.monotonic() - started < 5


def test_first_mirror_fails_and_the_second_works(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    server.answers["/cut"] = cut(archive, 100)
    server.answers["/good"] = whole(archive)
    info = with_url(cifar, archive, server.url + "/cut", server.url + "/good")
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    assert server.asked == ["/cut", "/good"]


def test_every_address_tried_is_listed(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        server.answers["/cut"] = cut(archive, 100)
        urls = (closed, server.url + "/nothing", server.url + "/cut")
        error = fetch_failing(with_url(cifar, archive, *urls), tmp_path)
    assert error.exit_code == 3
    assert f"cifar10 is not in {tmp_path} and could not be fetched. Tried:" in error.message
    assert f"{closed}: connection refused" in error.message
    assert "/nothing: the server says 404" in error.message
    assert "/cut: the connection ended early: " in error.message


def test_second_set_of_files_is_tried_if_the_first_fails(
    mnist: DatasetInfo, archive: bytes, cifar: DatasetInfo, server: Server, tmp_path: Path
) -> None:
    server.answers[NAME] = whole(archive)
    info = with_url(cifar, archive, server.url + NAME)
    gone = dataclasses.replace(info.sources[0][0], urls=(server.url + "/gone",), name="other")
    info = dataclasses.replace(info, sources=((gone,), *info.sources))
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)


def test_mirror_of_the_environment_comes_first_and_is_checked_too(
    cifar: DatasetInfo,
    archive: bytes,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DLTRAIN_MIRROR", f"{server.url}/mirror/")
    info = with_url(cifar, archive, server.url + NAME)
    server.answers["/mirror/cifar10" + NAME] = whole(b"wrong" + archive)
    server.answers[NAME] = whole(archive)
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    assert server.asked == ["/mirror/cifar10" + NAME, NAME]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_offline_asks_nobody(
    cifar: DatasetInfo,
    archive: bytes,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    if by == "environment":
        monkeypatch.setenv("DLTRAIN_OFFLINE", "1")
    info = with_url(cifar, archive, server.url + NAME)
    with pytest.raises(DataError, match="the network is forbidden") as caught:
        fetch_dataset(info, data_dir=tmp_path, offline=by == "option")
    assert "dltrain data add cifar10 PATH" in caught.value.hint
    assert server.asked == []


@pytest.mark.parametrize("matches", [True, False])
def test_download_of_keras_is_used_only_if_its_checksum_matches(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path, matches: bool
) -> None:
    kept = Path(os.environ["KERAS_HOME"]) / "datasets" / "cifar-10-batches-py-target_archive"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(archive if matches else archive[:500])
    info = with_url(cifar, archive, server.url + NAME)
    if matches:
        assert fetch_dataset(info, data_dir=tmp_path / "data", offline=True)
        assert kept.read_bytes() == archive
    else:
        fetch_failing(info, tmp_path / "data")
        assert server.asked == [NAME]


def test_damaged_dataset_is_fetched_anew(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    server.answers[NAME] = whole(archive)
    info = with_url(cifar, archive, server.url + NAME)
    fetch_dataset(info, data_dir=tmp_path)
    (tmp_path / "cifar10" / "test_labels.npy").unlink()
    assert fetch_dataset(info, data_dir=tmp_path)
    assert is_prepared("cifar10", tmp_path)


def test_full_disk_ends_in_a_data_error_without_asking_more_mirrors(
    cifar: DatasetInfo,
    archive: bytes,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.answers[NAME] = whole(archive)
    info = with_url(cifar, archive, server.url + NAME, server.url + "/other")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("dltrain.data.download._stream", fail)
    error = fetch_failing(info, tmp_path)
    assert "The disk is full" in error.message
    assert server.asked == []


def test_data_dir_that_can_not_be_written_ends_in_a_data_error(
    cifar: DatasetInfo, archive: bytes, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    info = with_url(cifar, archive, "http://127.0.0.1:9/never-asked")
    with pytest.raises(DataError, match="can't be written: Not a directory"):
        fetch_dataset(info, data_dir=tmp_path / "file" / "data")


KILLED_WHILE_FETCHING = """
import pickle, sys
from dltrain.data.fetch import fetch_dataset
info, data_dir = pickle.load(sys.stdin.buffer)
fetch_dataset(info, data_dir=data_dir)
"""


def test_kill_during_a_download_leaves_no_part_that_is_taken_for_whole(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    import pickle

    server.answers[NAME] = trickle(archive)
    info = with_url(cifar, archive, server.url + NAME)
    child = subprocess.Popen([sys.executable, "-c", KILLED_WHILE_FETCHING], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(pickle.dumps((info, tmp_path)))
    child.stdin.close()
    folder = tmp_path / ".downloads" / "cifar10"
    for _ in range(500):
        if server.asked and folder.is_dir() and any(folder.iterdir()):
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert [path.name for path in folder.iterdir()] != []
    assert not (folder / NAME[1:]).exists()
    server.answers[NAME] = whole(archive)
    assert fetch_dataset(info, data_dir=tmp_path, patience=QUICK)
    assert not folder.exists()


def test_progress_hears_of_bytes_and_steps(
    cifar: DatasetInfo, archive: bytes, server: Server, tmp_path: Path
) -> None:
    class Heard(Progress):
        notes: list[str] = []  # noqa: RUF012
        bytes_done: list[tuple[str, int, int | None]] = []  # noqa: RUF012

        def note(self, text: str) -> None:
            self.notes.append(text)

        def advance(self, label: str, *, done_bytes: int, total_bytes: int | None) -> None:
            self.bytes_done.append((label, done_bytes, total_bytes))

    server.answers[NAME] = whole(archive)
    heard = Heard()
    fetch_dataset(with_url(cifar, archive, server.url + NAME), data_dir=tmp_path, progress=heard)
    assert heard.notes[0] == f"fetching {server.url}{NAME}"
    assert heard.bytes_done[-1] == (NAME[1:], len(archive), len(archive))


def test_every_published_file_has_addresses_and_a_checksum() -> None:
    for info in DATASETS.values():
        assert info.embedded == (not info.sources)
        for files in info.sources:
            for file in files:
                algorithm, _, hexadecimal = file.digest.partition(":")
                assert len(hexadecimal) == {"md5": 32, "sha256": 64}[algorithm]
                assert file.urls
                assert all(url.endswith(f"/{file.name}") for url in file.urls)
