"""Do the shipped configs end within two seconds of Ctrl-C, and go on from there?

With real data: `DLTRAIN_DATA_DIR=... pytest -m slow -s tests/training/test_signals_shipped.py`
prints the seconds of each. Two seconds are promised on two cores that do nothing else.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from processes import run_dltrain, start_dltrain

from dltrain.config.load import load_config
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.status import read_status

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
DATA = os.environ.get("DLTRAIN_DATA_DIR", "")

# Those whose training lasts long enough for somebody to interrupt it.
NAMES = [
    *("mnist_mlp", "mnist_cnn", "cifar10_cnn", "cifar10_resnet20"),
    *("imdb_fasttext", "imdb_cnn", "imdb_lstm", "imdb_transformer"),
]

MOST_SECONDS = 2.0

# How long into the training the signal comes: after the first steps are compiled, amid an epoch.
_LATER_SECONDS = 6.0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_config_ends_within_two_seconds_of_a_signal(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    dataset = load_config(CONFIGS / f"{name}.yaml").info.name
    if not DATA or not (Path(DATA) / dataset).is_dir():
        pytest.skip(f"{dataset} is not prepared in DLTRAIN_DATA_DIR")
    config, data = CONFIGS / f"{name}.yaml", {"DLTRAIN_DATA_DIR": DATA, "DLTRAIN_OFFLINE": "1"}
    process = start_dltrain("fit", config, "--run-dir", "run", folder=tmp_path, changes=data)
    try:
        assert process.stderr is not None
        assert any(re.match("epochs? ", line) for line in process.stderr), "it never began"
        time.sleep(_LATER_SECONDS)
        load = os.getloadavg()[0]
        process.send_signal(number)
        begun = time.perf_counter()
        _, err = process.communicate(timeout=120)
        seconds = time.perf_counter() - begun
    finally:
        process.kill()
    print(f"{name}: {seconds:.2f} s after {number.name}, load {load:.1f}")
    assert process.returncode == 128 + number, err
    assert read_status(tmp_path / "run/status.json").state == "interrupted"
    assert list_checkpoints(tmp_path / "run/checkpoints")
    assert seconds < MOST_SECONDS
    if number == signal.SIGTERM:  # once is enough to see that it goes on
        resumed = run_dltrain(
            *("fit", "--resume", "run", "--max-seconds", 25, "--json", "--quiet"),
            folder=tmp_path,
            changes=data,
            timeout=300,
        )
        assert resumed.code == 0, resumed.err
        assert resumed.json["resumed_from"] is not None
