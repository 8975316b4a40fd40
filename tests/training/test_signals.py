"""What do Ctrl-C and SIGTERM leave, and does the run go on from there to the same bits?"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from compared_runs import compare_runs
from killing import Nursery
from resumable import COSINE
from tiny_runs import change

from dltrain.runs.checkpoint import read_last_checkpoint
from dltrain.runs.status import read_status
from dltrain.training.signals import Signals, Terminated


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a real process that listens to Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-m", "dltrain", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def wait_for_epoch(process: subprocess.Popen[str], epoch: int) -> None:
    """Return once the line of an epoch was written."""
    assert process.stderr is not None
    for line in process.stderr:
        if re.match(rf"epoch +{epoch}/", line):
            return
    raise AssertionError(f"the training ended by itself: {process.wait()}")


# Without early stopping, so that the signal always comes before the end.
LONG = change(COSINE, training={"batch_size": 64, "epochs": 60, "checkpoint": {"every_epochs": 20}})


@pytest.fixture(scope="module")
def long_run(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train LONG without a pause; return the run."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "config.yaml").write_text(yaml.safe_dump(LONG, sort_keys=False))
    ended = nursery.run("fit", "config.yaml", "--run-dir", "run", "--quiet", folder=folder)
    assert ended.code == 0, ended.err
    return folder / "run"


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_leaves_a_checkpoint_of_that_step_and_the_run_goes_on_to_the_same_bits(
    nursery: Nursery,
    long_run: Path,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    word: str,
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(LONG, sort_keys=False))
    process = start(tmp_path, "fit", "config.yaml", "--run-dir", "run")
    wait_for_epoch(process, 3)
    process.send_signal(number)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    seconds = time.monotonic() - begun
    assert process.returncode == code, err
    assert seconds < 6, "two seconds are promised, on a machine that does nothing else"
    status = read_status(tmp_path / "run/status.json")
    assert (status.state, status.stopped_by) == ("interrupted", "signal")
    assert status.reason == f"{word} after {status.epochs_done} of 60 epochs"
    assert err.endswith(
        f"error: The run was {status.reason}.\nGo on with it: dltrain fit --resume run\n"
    )
    assert "Traceback" not in err
    assert out == ""
    checkpoint, notes = read_last_checkpoint(tmp_path / "run/checkpoints")
    assert checkpoint is not None
    assert not notes
    assert checkpoint.epoch == status.epochs_done
    assert checkpoint.epoch < 20, "it isn't one that was due by itself"
    resumed = nursery.run("fit", "--resume", "run", "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert compare_runs(long_run, tmp_path / "run") == []


def test_a_second_ctrl_c_ends_at_once_and_harms_nothing(
    nursery: Nursery, long_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(LONG, sort_keys=False))
    process = start(tmp_path, "fit", "config.yaml", "--run-dir", "run")
    wait_for_epoch(process, 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert time.monotonic() - begun < 6
    assert "Traceback" not in err
    assert read_status(tmp_path / "run/status.json").state == "interrupted"
    resumed = nursery.run("fit", "--resume", "run", "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert compare_runs(long_run, tmp_path / "run") == []


def test_what_is_deferred_is_raised_where_it_is_heeded() -> None:
    signals, passed = Signals(), []

    def go_on() -> None:
        with signals.deferred():
            with signals.heeded():
                passed.append("nothing came yet")
            signals.handle(signal.SIGTERM, None)
            passed.append("something may be half done")
            with signals.heeded():
                passed.append("nothing is half done")

    with pytest.raises(Terminated):
        go_on()
    assert passed == ["nothing came yet", "something may be half done"]


def test_a_signal_is_raised_at_once_while_it_is_heeded() -> None:
    signals, passed = Signals(), []

    def wait() -> None:
        with signals.deferred(), signals.heeded():
            signals.handle(signal.SIGINT, None)
            passed.append("still waiting")

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert passed == []
