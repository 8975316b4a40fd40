"""What is left, and said, when a training is interrupted, terminated or killed?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import REGRESSION, Result

from dltrain.config.load import load_config
from dltrain.runs.checkpoint import read_last_checkpoint
from dltrain.training.fit import fit
from dltrain.training.listener import Listener
from dltrain.training.outcome import Interrupted
from dltrain.training.steps import TrainingSteps

WriteConfig = Callable[..., Path]

RUN = Path("runs/line/0001")


def start_training(config: Path) -> subprocess.Popen[str]:
    """Start a training that lasts for minutes; return once its second epoch is written."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dltrain", "fit", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch") and " 2/100000 " in line:
            return process
    raise AssertionError(f"the training ended by itself: {process.wait()}")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_the_run_with_its_code_and_its_model_kept(
    dltrain: Callable[..., Result],
    write_config: WriteConfig,
    number: signal.Signals,
    code: int,
    word: str,
) -> None:
    process = start_training(write_config(REGRESSION, training__epochs=100_000))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    status = json.loads((RUN / "status.json").read_text())
    assert status["state"] == "interrupted"
    assert status["reason"] == f"{word} after {status['epochs_done']} of 100000 epochs"
    assert err.endswith(
        f"error: The run was {status['reason']}.\nGo on with it: dltrain fit --resume {RUN}\n"
    )
    assert out == ""
    assert "Traceback" not in err
    rows = (RUN / "history.csv").read_text().splitlines()
    assert len(rows) - 1 == status["epochs_done"]
    checkpoint, notes = read_last_checkpoint(RUN / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.epoch == status["epochs_done"]
    assert notes == []
    assert {path.name for path in RUN.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "environment.json",
        "history.csv",
        "history.jsonl",
        "model.json",
        "model.keras",
        "preprocessing.json",
        "source.yaml",
        "status.json",
        "warnings.json",
    }
    listed = dltrain("runs")
    assert f"line/0001 interrupted: {status['reason']}" in listed.out


def test_an_interrupt_that_is_swallowed_ends_the_run_all_the_same(
    workplace: Path, write_config: WriteConfig
) -> None:
    class Swallowing(Listener):
        """Lose the exception of the signal, as a finalizer or C code does."""

        def step(self, step: int, loss: float) -> None:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted, match=r"The run was interrupted after 0 of 3 epochs\."):
            fit(
                load_config(write_config(REGRESSION)),
                data_dir=workplace,
                runs_root=workplace / "runs",
                listener=Swallowing(),
            )
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert json.loads((RUN / "status.json").read_text())["state"] == "interrupted"


def test_a_signal_during_the_first_steps_tracing_ends_at_once(
    workplace: Path, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []

    def run(steps: TrainingSteps, *arguments: Any, **options: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of a trace that may take seconds")

    monkeypatch.setattr(TrainingSteps, "run", run)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted) as caught:
            fit(
                load_config(write_config(REGRESSION)),
                data_dir=workplace,
                runs_root=workplace / "runs",
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached == []
    assert caught.value.message == "The run was interrupted after 0 of 3 epochs."
    assert caught.value.hint == "No checkpoint was written yet: train again from the config."
    assert json.loads((RUN / "status.json").read_text())["state"] == "interrupted"


def test_a_killed_run_is_listed_as_killed_and_its_directory_is_not_reused(
    dltrain: Callable[..., Result], write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, training__epochs=100_000)
    process = start_training(config)
    at_work = dltrain("runs", "--json").json
    assert [(run["run"], run["status"]) for run in at_work] == [("line/0001", "running")]
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 10
    while dltrain("runs", "--json").json[0]["status"] != "killed":
        assert time.monotonic() < deadline
    refused = dltrain("fit", config, "--run-dir", RUN)
    assert refused.code == 2
    assert refused.err.startswith(f"error: {RUN} exists and is not empty: it holds a run.\n")
