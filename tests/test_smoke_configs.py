"""Does every shipped config work whole, from an empty data folder and without a network?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIGS = Path(__file__).parent.parent / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))

# The promise is 30 s for `dltrain fit --smoke` on two idle cores, 6 of them TensorFlow's import.
# The machines of a CI may be slower, and do other work besides.
MOST_SECONDS = 60

# Every way out: a proxy that nobody answers, and sockets that refuse to connect.
OFFLINE = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("something asked for the network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from dltrain.cli import main
sys.argv[0] = "dltrain"
main()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Run `dltrain smoke configs/` once; return what it says of each config."""
    folder = tmp_path_factory.mktemp("smoke")
    data_dir, temporary = folder / "data", folder / "temporary"
    data_dir.mkdir()
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "smoke", str(CONFIGS), "--json", "--device", "cpu"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if key != "DLTRAIN_OFFLINE"},
            "DLTRAIN_DATA_DIR": str(data_dir),
            "KERAS_HOME": str(folder / "keras"),
            "TMPDIR": str(temporary),
        },
    )
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    for entry in document["configs"]:
        entry["name"] = Path(entry["config"]).stem
        print(f"{entry['name']}: {entry['seconds']} s  {entry['error'] or ''}")
    assert (done.returncode == 0) == document["passed"] == (done.stderr == ""), done.stderr
    assert list(data_dir.iterdir()) == []
    if document["passed"]:
        assert list(temporary.iterdir()) == []
    assert {path.name for path in folder.iterdir()} <= {"data", "temporary", "keras"}
    return {entry["name"]: entry for entry in document["configs"]}


@pytest.mark.timeout(600)
def test_every_shipped_config_is_tried(report: dict[str, dict[str, Any]]) -> None:
    assert sorted(report) == NAMES
    assert len(NAMES) >= 11


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_shipped_config_works_from_an_empty_data_folder(
    report: dict[str, dict[str, Any]],
    name: str,
    record_property: Callable[[str, object], None],
) -> None:
    entry = report[name]
    record_property("seconds", entry["seconds"])
    assert entry["passed"], entry["error"]
    assert entry["seconds"] < MOST_SECONDS
    epochs, steps = entry["epochs"], entry["steps_per_epoch"]
    assert (epochs, steps >= 4) == (2, True)
    assert entry["checks"] == [
        f"trained {epochs * steps} steps",
        "evaluated validation and test",
        "loaded again, equal",
        f"resumed in epoch 2 after step {steps // 2}, equal",
    ]
    made = name.startswith(("mnist", "cifar10", "imdb", "imbalanced"))
    assert entry["data"] == ("stand-in" if made else "subset")
    assert set(entry["splits"]) == {"validation", "test"}
