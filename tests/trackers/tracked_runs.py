"""What do tests of trackers share? A run as trackers see it, a server, the tools' own readers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dltrain.runs.layout import RunPaths
from dltrain.trackers.contract import Ending, Epoch, State, TrackedRun

SCORES = {
    "test": {
        "task": "classification",
        "rows": 5,
        "headline": "accuracy",
        "accuracy": {"value": 0.8, "low": 0.3, "high": 1.0},
        "log_loss": {"value": None, "low": None, "high": None},
        "f1": {"macro": {"value": 0.75, "low": None, "high": None}},
        "classes": ["a$b", "c"],
        "per_class": [{"class": "a$b", "precision": 1.0}],
        "confusion_matrix": [[3, 0], [1, 1]],
        "baseline": {"accuracy": 0.6},
    }
}
FLAT_SCORES = {
    "test/rows": 5.0,
    "test/accuracy": 0.8,
    "test/accuracy.low": 0.3,
    "test/accuracy.high": 1.0,
    "test/f1/macro": 0.75,
    "test/baseline/accuracy": 0.6,
}


def clean_environment(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return `environment` without trackers' settings, with `home` for the folders of a user."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(("MLFLOW_", "WANDB_", "NETRC", "XDG_"))
    }
    apart = {"HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    apart |= {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}
    # Nobody listens there, and wandb reads it only once in a process.
    return {**kept, **apart, "WANDB_BASE_URL": "http://127.0.0.1:9"}


def make_run(root: Path, *, epochs_done: int = 0, offline: bool = False) -> TrackedRun:
    """Return a run whose directory is `root`, with a small config."""
    root.mkdir(parents=True, exist_ok=True)
    config = {
        "name": "tiny",
        "seed": 3,
        "model": {"layers": ["flatten", {"type": "dense", "units": 2, "activation": None}]},
        "training": {"epochs": 3, "shuffle": True},
    }
    paths = RunPaths(root)
    return TrackedRun(paths, config, device="cpu", epochs_done=epochs_done, offline=offline)


def make_epoch(number: int, *, later: float = 0.0, **values: float) -> Epoch:
    """Return an epoch with a loss of 1/number, that ended `later` than others of its number."""
    numbers = {"loss": 1 / number, "val_loss": 2 / number, "seconds": 0.5, **values}
    return Epoch(number, numbers, time=1_700_000_000.0 + number + later)


def make_ending(
    run: TrackedRun, *, state: State = "finished", files: tuple[Path, ...] = ()
) -> Ending:
    """Return the end of `run`, with SCORES if it finished."""
    splits = SCORES if state == "finished" else {}
    return Ending(state, time=1_700_000_010.0, root=run.paths.root, splits=splits, files=files)


def find_free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Start a tracking server on 127.0.0.1 that keeps all in `folder`; yield its address.

    It takes some seconds to answer: `wait_for` waits.
    """
    port = find_free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "server.log").open("wb") as log:
        # Without it the server starts another process, for work that no test asks for.
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_for(address: str, *, seconds: float = 200) -> None:
    """Return when the server at `address` is healthy."""
    ends = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < ends, "the server doesn't answer"
            time.sleep(0.1)


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the scalars that TensorBoard's reader finds in `folder`, tag → (step, value)."""
    events = read_events(folder)
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def read_events(folder: Path) -> Any:
    """Return TensorBoard's own reader of `folder`, with all that is in it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = {"scalars": 0, "images": 0, "histograms": 0}
    return EventAccumulator(str(folder), size_guidance=everything).Reload()


def find_wandb_folders(root: Path) -> list[Path]:
    """Return the folders of a run's sessions that wandb kept offline, the oldest first."""
    return sorted((root / "wandb").glob("offline-run-*"))


def inspect_wandb(folder: Path, *options: str) -> str:
    """Return what wandb's own reader prints of what it kept in `folder`."""
    (path,) = folder.glob("run-*.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", *options, "--json", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=dict(os.environ)
    )
    return done.stdout


def read_wandb_history(folder: Path) -> dict[int, dict[str, float]]:
    """Return step → numbers; a step that stands twice is an error."""
    rows = [json.loads(line) for line in inspect_wandb(folder).splitlines()]
    items = [row["history"]["item"] for row in rows if row["type"] == "history"]
    steps = [item["_step"] for item in items]
    assert len(steps) == len(set(steps))
    return {
        item["_step"]: {name: value for name, value in item.items() if name[0] != "_"}
        for item in items
    }
