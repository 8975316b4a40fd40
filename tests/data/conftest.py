"""Give the tests small datasets, and a web server on this machine to fetch them from."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_archives import (
    gzip_files,
    make_cifar_files,
    make_idx_files,
    make_imdb_files,
    md5,
    tiny,
)
from tiny_server import Answer, Server, missing

from dltrain.catalog.datasets import DatasetInfo, SourceFile


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DLTRAIN_OFFLINE", "DLTRAIN_MIRROR", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))


@pytest.fixture
def mnist() -> DatasetInfo:
    """Return MNIST with 20 + 6 images of 4 by 3 pixels; its checksums are those of `idx_files`."""
    info = tiny("mnist", shape=(4, 3, 1), train_rows=20, test_rows=6)
    files = make_idx_files(info)
    return dataclasses.replace(
        info,
        contents={name: md5(content) for name, content in files.items()},
        sources=(
            tuple(
                SourceFile(name=name, urls=(), digest=md5(content))
                for name, content in gzip_files(files).items()
            ),
        ),
    )


@pytest.fixture
def idx_files(mnist: DatasetInfo) -> dict[str, bytes]:
    """Return the four unzipped files of the tiny MNIST."""
    return make_idx_files(mnist)


@pytest.fixture
def cifar() -> DatasetInfo:
    """Return CIFAR-10 with 10 + 2 images of 4 by 2 pixels; its archive is `pack(cifar_files)`."""
    info = tiny("cifar10", shape=(4, 2, 3), train_rows=10, test_rows=2)
    source = SourceFile(
        name="cifar-10-python.tar.gz",
        urls=(),
        digest="sha256:" + "0" * 64,
        keras_cache=("cifar-10-batches-py-target_archive",),
    )
    return dataclasses.replace(info, sources=((source,),))


@pytest.fixture
def cifar_files(cifar: DatasetInfo) -> dict[str, bytes]:
    """Return the members of the tiny CIFAR archive."""
    return make_cifar_files(cifar)


@pytest.fixture
def imdb() -> DatasetInfo:
    """Return IMDB with 24 + 4 reviews."""
    return tiny("imdb", shape=(), train_rows=24, test_rows=4)


@pytest.fixture
def imdb_files(imdb: DatasetInfo) -> dict[str, bytes]:
    """Return the members of the tiny IMDB archive."""
    return make_imdb_files(imdb)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a web server on 127.0.0.1 for one test; unknown paths are 404."""
    answers: dict[str, Answer] = {}
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            with contextlib.suppress(ConnectionError):
                answers.get(self.path, missing)(self)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        httpd.block_on_close = False
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Server(f"http://127.0.0.1:{httpd.server_address[1]}", answers, asked)
        httpd.shutdown()
        thread.join()
