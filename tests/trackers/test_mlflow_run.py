"""Does MLflow's own client find what was recorded, once, and what if its server is down?"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tracked_runs import (
    FLAT_SCORES,
    find_free_port,
    make_ending,
    make_epoch,
    make_run,
)

from dltrain.trackers.contract import TrackedRun
from dltrain.trackers.guard import Guarded
from dltrain.trackers.memory import MemoryFile
from dltrain.trackers.mlflow import MLflowTracker

OPTIONS: dict[str, Any] = {"type": "mlflow", "log_model": True, "timeout_seconds": 60.0}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database; making its tables takes a second or more."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'runs.db'}"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder: beside a database MLflow keeps files in the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return make_run(tmp_path / "runs/tiny/0001")


def begin(run: TrackedRun, memory: dict[str, Any] | None = None, **options: Any) -> MLflowTracker:
    tracker = MLflowTracker({**OPTIONS, **options})
    tracker.memory = dict(memory or {})
    tracker.begin(run)
    return tracker


def make_client(database: str) -> Any:
    import mlflow

    return mlflow.MlflowClient(tracking_uri=database)


def steps(client: Any, run_id: str, name: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in client.get_metric_history(run_id, name)]


def test_a_run_goes_on_where_it_was_and_has_each_step_once(run: TrackedRun, database: str) -> None:
    tracker = begin(run, tracking_uri=database)
    for number in (1, 2, 3):
        tracker.log_epochs([make_epoch(number)])
    tracker.finish(make_ending(run, state="interrupted"))
    client = make_client(database)
    run_id = tracker.memory["run_id"]
    assert client.get_run(run_id).info.status == "KILLED"

    resumed = make_run(run.paths.root, epochs_done=1)
    again = begin(resumed, tracker.memory, tracking_uri=database)
    assert again.memory["run_id"] == run_id
    assert client.get_run(run_id).info.status == "RUNNING"
    for number in (1, 2, 3, 4):
        # MLflow itself leaves out what has the same time.
        again.log_epochs([make_epoch(number, later=60)])
    file = run.paths.root / "plots/loss.png"
    file.parent.mkdir()
    file.write_bytes(b"png")
    run.paths.metrics.write_text("{}")
    again.finish(make_ending(resumed, files=(run.paths.metrics, file)))

    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "tiny/0001"
    assert client.get_experiment(found.info.experiment_id).name == "tiny"
    assert found.data.params == {
        "name": "tiny",
        "seed": "3",
        "model.layers.0": "flatten",
        "model.layers.1.type": "dense",
        "model.layers.1.units": "2",
        "training.epochs": "3",
        "training.shuffle": "True",
    }
    assert found.data.tags["dltrain.run_directory"] == str(run.paths.root)
    assert steps(client, run_id, "loss") == [(1, 1), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)]
    for name, value in FLAT_SCORES.items():
        assert steps(client, run_id, name) == [(4, value)]
    artifacts = [each.path for each in client.list_artifacts(run_id)]
    assert artifacts == ["metrics.json", "plots"]
    assert [each.path for each in client.list_artifacts(run_id, "plots")] == ["plots/loss.png"]


def test_what_the_server_took_before_it_failed_is_not_there_twice(
    run: TrackedRun, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    log_batch = MlflowClient.log_batch
    failures = {"loss": 1, "test/accuracy": 1}

    def log_and_fail(self: Any, run_id: str, metrics: Any = (), **rest: Any) -> Any:
        log_batch(self, run_id, metrics, **rest)
        for metric in metrics:
            if failures.get(metric.key):
                failures[metric.key] -= 1
                raise TimeoutError("the answer of the server was lost")

    monkeypatch.setattr(MlflowClient, "log_batch", log_and_fail)
    monkeypatch.setattr("dltrain.trackers.guard.RETRY_SECONDS", 0.0)
    tracker = MLflowTracker({**OPTIONS, "tracking_uri": database})
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))
    for number in (1, 2):
        guarded.log_epoch(make_epoch(number))
    guarded.finish(make_ending(run))
    guarded.wait()
    assert "the answer of the server was lost" in "".join(guarded.take_messages())
    run_id = tracker.memory["run_id"]
    client = make_client(database)
    assert steps(client, run_id, "loss") == [(1, 1.0), (2, 0.5)]


def test_without_an_address_the_run_lies_in_a_database_of_the_current_folder(
    run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = begin(run)
    assert tracker.memory["uri"] == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert (tmp_path / "mlflow.db").is_file()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = begin(run, tracker.memory)
    assert again.where == tracker.where
    assert [*elsewhere.iterdir()] == []


def test_another_address_in_the_config_means_another_run(run: TrackedRun, database: str) -> None:
    tracker = begin(
        run, {"asked_uri": "http://gone", "uri": "x", "run_id": "y"}, tracking_uri=database
    )
    assert tracker.memory["uri"] == database
    assert make_client(database).get_run(tracker.memory["run_id"]).info.status == "RUNNING"


def test_a_password_of_the_environment_is_not_written_down(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9/mlflow")
    guarded = Guarded(MLflowTracker(OPTIONS), run, MemoryFile(run.paths.root))
    guarded.finish(make_ending(run))
    guarded.wait()
    (message,) = guarded.take_messages()
    assert "http://127.0.0.1:9/mlflow can't be reached" in message
    assert guarded.tracker._uri == "http://me:secret@127.0.0.1:9/mlflow"
    assert guarded.tracker.memory["uri"] == "http://127.0.0.1:9/mlflow"


def fail_to_record(run: TrackedRun, address: str) -> tuple[list[str], float]:
    """Record two epochs at `address`; return the messages, and how long the end waited."""
    guarded = Guarded(
        MLflowTracker({**OPTIONS, "tracking_uri": address}), run, MemoryFile(run.paths.root)
    )
    begun = time.monotonic()
    for number in (1, 2):
        guarded.log_epoch(make_epoch(number))
    assert time.monotonic() - begun < 0.2
    guarded.finish(make_ending(run))
    guarded.wait()
    return guarded.take_messages(), time.monotonic() - begun


def test_a_server_that_is_down_is_told_once_and_holds_nothing_up(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = f"http://127.0.0.1:{find_free_port()}"
    messages, seconds = fail_to_record(run, address)
    assert messages == [
        "Warning: mlflow failed, and the run goes on without it: "
        f"{address} can't be reached ([Errno 111] Connection refused)."
    ]
    assert seconds < 10


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Return the address of a server that takes every request and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_never_answers_holds_nothing_up(
    run: TrackedRun, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    messages, seconds = fail_to_record(run, silent_server)
    assert messages == [
        "Warning: mlflow failed, and the run goes on without it: "
        f"{silent_server} can't be reached (timed out)."
    ]
    assert seconds < 10


def test_requests_have_timeouts_and_nothing_is_reported(
    run: TrackedRun, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (
        *("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"),
        "MLFLOW_DISABLE_TELEMETRY",
    )
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    begin(run, tracking_uri=database)
    assert [os.environ[name] for name in names] == ["10", "2", "true"]


def test_a_package_that_is_broken_is_told(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "mlflow.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    messages, _ = fail_to_record(run, "http://127.0.0.1:1")
    assert messages == [
        "Warning: mlflow failed, and the run goes on without it: ModuleNotFoundError: "
        "No module named 'a_package_that_is_not_there'."
    ]
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
