"""Do ImageNet's weights come here whole or not at all, and does the message say what to do?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tiny_archives import md5
from tiny_server import Server, cut, silent, whole

from dltrain.catalog.applications import Application, WeightsFile, applications
from dltrain.data.download import Patience
from dltrain.data.imagenet_weights import find_imagenet_weights
from dltrain.errors import DataError, MachineError

CONTENT = b"weights" * 1000


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def application(server: Server) -> Application:
    """Return MobileNet with an address on this machine and the checksum of CONTENT."""
    weights = WeightsFile("m.h5", f"{server.url}/m.h5", md5(CONTENT))
    return dataclasses.replace(applications()["mobilenet"], weights=weights)


def models(tmp_path: Path) -> Path:
    return tmp_path / "keras-home" / "models"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def hint(application: Application, tmp_path: Path) -> str:
    return (
        f"Fetch {application.weights.url} where there is a network, and put it into "
        f"{models(tmp_path)} as m.h5; or set model.pretrained.weights to the path of a file, or to "
        "none."
    )


def test_a_file_is_fetched_once_whole_and_without_remains(
    application: Application, server: Server, tmp_path: Path
) -> None:
    server.answers["/m.h5"] = whole(CONTENT)
    for _ in range(2):
        found = find_imagenet_weights(application, offline=False)
        assert found == models(tmp_path) / "m.h5"
        assert found.read_bytes() == CONTENT
    assert server.asked == ["/m.h5"]
    assert names(models(tmp_path)) == ["m.h5"]


def test_what_keras_fetched_is_taken_also_offline(
    application: Application, server: Server, tmp_path: Path
) -> None:
    kept = tmp_path / "home" / ".keras" / "models" / "m.h5"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    assert find_imagenet_weights(application, offline=True) == kept
    assert server.asked == []


def test_a_mirror_is_asked_first(
    application: Application, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLTRAIN_MIRROR", f"{server.url}/mirror/")
    server.answers["/mirror/models/m.h5"] = whole(CONTENT)
    assert find_imagenet_weights(application, offline=False).read_bytes() == CONTENT
    assert server.asked == ["/mirror/models/m.h5"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "the server says 404 Not Found"),
        (
            cut(CONTENT, 100),
            "the connection ended early: IncompleteRead(100 bytes read, 6900 more expected)",
        ),
        (whole(b"others"), f"wrong content: its checksum is not {md5(CONTENT).replace(':', ' ')}"),
        (silent(5), "the server doesn't answer in time"),
    ],
    ids=["404", "cut", "others", "silent"],
)
def test_a_download_that_fails_says_why_and_leaves_nothing(
    application: Application, server: Server, tmp_path: Path, answer: object, reason: str
) -> None:
    if answer is not None:
        server.answers["/m.h5"] = answer  # type: ignore[assignment]
    patience = Patience(connect_seconds=1, read_seconds=0.3)
    with pytest.raises(DataError) as error:
        find_imagenet_weights(application, offline=False, patience=patience)
    assert error.value.message == (
        "the ImageNet weights of mobilenet can't be had. Tried:\n"
        f"  {application.weights.url}: {reason}"
    )
    assert error.value.hint == hint(application, tmp_path)
    assert error.value.exit_code == 3
    assert names(models(tmp_path)) == []


def test_no_network_is_told(application: Application, tmp_path: Path) -> None:
    weights = dataclasses.replace(application.weights, url="http://127.0.0.1:9/m.h5")
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/m\.h5: connection refused"):
        find_imagenet_weights(dataclasses.replace(application, weights=weights), offline=False)


def test_offline_nothing_is_fetched(
    application: Application, server: Server, tmp_path: Path
) -> None:
    server.answers["/m.h5"] = whole(CONTENT)
    with pytest.raises(DataError) as error:
        find_imagenet_weights(application, offline=True)
    assert error.value.message == (
        "the ImageNet weights of mobilenet can't be had. Tried:\n"
        "  the network is forbidden (--offline or DLTRAIN_OFFLINE)"
    )
    assert error.value.hint == hint(application, tmp_path)
    assert server.asked == []


def test_a_damaged_file_is_fetched_again_or_told(
    application: Application, server: Server, tmp_path: Path
) -> None:
    path = models(tmp_path) / "m.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:50])
    with pytest.raises(DataError) as error:
        find_imagenet_weights(application, offline=True)
    assert f"  {path}: wrong content: its checksum is not " in error.value.message
    server.answers["/m.h5"] = whole(CONTENT)
    assert find_imagenet_weights(application, offline=False).read_bytes() == CONTENT


def test_without_a_known_checksum_the_length_is_checked_and_what_lies_there_taken(
    application: Application, server: Server, tmp_path: Path
) -> None:
    weights = dataclasses.replace(application.weights, digest=None)
    bare = dataclasses.replace(application, weights=weights)
    server.answers["/m.h5"] = cut(CONTENT, 100)
    with pytest.raises(DataError, match="the connection ended early: IncompleteRead"):
        find_imagenet_weights(bare, offline=False)
    assert names(models(tmp_path)) == []
    server.answers["/m.h5"] = whole(CONTENT)
    assert find_imagenet_weights(bare, offline=False).read_bytes() == CONTENT
    assert find_imagenet_weights(bare, offline=True).read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written_is_the_machines_fault(
    application: Application, server: Server, tmp_path: Path
) -> None:
    server.answers["/m.h5"] = whole(CONTENT)
    models(tmp_path).parent.mkdir(parents=True)
    models(tmp_path).write_text("a file, where the folder should be")
    with pytest.raises(MachineError, match=r"models can't be written: File exists\.") as error:
        find_imagenet_weights(application, offline=False)
    assert error.value.exit_code == 6
