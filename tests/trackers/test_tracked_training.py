"""Does a training that three trackers follow arrive in each, as the tools' own readers see it?

One run: three epochs against a tracking server of MLflow, then killed after its second checkpoint
(as far as its files tell), and resumed to the fourth epoch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tiny_runs import CONFIG, REGRESSION, Result, change
from tracked_runs import (
    find_free_port,
    find_wandb_folders,
    inspect_wandb,
    mlflow_server,
    read_events,
    read_scalars,
    read_wandb_history,
    wait_for,
)

from dltrain.cli import run as run_command
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.history import read_history
from dltrain.trackers.flatten import flatten_scores

Dltrain = Callable[..., Result]


@dataclass(frozen=True)
class Tracked:
    """The run's directory, the server, and what the first session had brought when it ended."""

    root: Path
    client: Any
    run_id: str
    first: dict[str, Any]

    @property
    def history(self) -> list[dict[str, float]]:
        return read_history(self.root / "history.csv")

    @property
    def scores(self) -> dict[str, float]:
        return flatten_scores(json.loads((self.root / "metrics.json").read_text())["splits"])


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    folder = tmp_path_factory.mktemp("tracked")
    root = folder / "runs/tiny/0001"
    with mlflow_server(folder) as address:
        mlflow = {"type": "mlflow", "tracking_uri": address, "experiment_name": "tries"}
        mlflow |= {"registered_model_name": "tiny-model", "timeout_seconds": 120}
        wandb = {"type": "wandb", "mode": "offline", "project": "tries"}
        config = change(CONFIG, trackers=["tensorboard", mlflow, wandb])
        config["training"]["checkpoint"] = {"every_epochs": 1}
        (folder / "c.yaml").write_text(yaml.safe_dump(config))
        import keras  # noqa: F401  (while the server starts)
        from mlflow import MlflowClient

        wait_for(address)
        assert run_command(["fit", str(folder / "c.yaml"), "--quiet", "--run-dir", str(root)]) == 0
        memory = json.loads((root / "trackers.json").read_text())["trackers"]
        client = MlflowClient(tracking_uri=address)
        run_id = memory["mlflow"]["run_id"]
        first = {
            "status": client.get_run(run_id).info.status,
            "train": read_scalars(root / "tensorboard/train"),
            "history": read_history(root / "history.csv"),
            "memory": memory,
        }
        list_checkpoints(root / "checkpoints")[-1].unlink()
        (root / "plots").mkdir(exist_ok=True)
        (root / "plots/loss.png").write_bytes(b"a picture")
        command = ["fit", "--resume", str(root), "--epochs", "4", "--quiet"]
        assert run_command(command) == 0
        # What one run needs must not lead the next one of this process astray.
        assert "MLFLOW_TRACKING_URI" not in os.environ
        yield Tracked(root, client, run_id, first)


def test_the_first_session_arrived_whole(tracked: Tracked) -> None:
    first = tracked.first
    assert first["status"] == "FINISHED"
    losses = [(row["epoch"], pytest.approx(row["loss"])) for row in first["history"]]
    assert first["train"]["loss"] == losses
    assert [part["epoch"] for part in first["memory"].values()] == [3, 3, 3]


def test_tensorboard_has_every_epoch_once_with_weights_and_hyperparameters(
    tracked: Tracked,
) -> None:
    folder = tracked.root / "tensorboard"
    train, validation = (read_scalars(folder / name) for name in ("train", "validation"))
    assert set(train) == {"loss", "accuracy", "learning_rate", "seconds"}
    assert set(validation) == {"loss", "accuracy"}
    for name, found in [*train.items(), *((f"val_{k}", v) for k, v in validation.items())]:
        assert found == [(row["epoch"], pytest.approx(row[name])) for row in tracked.history]
    events = read_events(folder / "train")
    names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    assert events.Tags()["histograms"] == [f"weights/{name}" for name in names]
    kernels = events.Histograms("weights/dense/kernel")
    assert [event.step for event in kernels] == [1, 2, 3, 4]
    assert {event.histogram_value.num for event in kernels} == {64 * 16}
    root = read_events(folder)
    assert set(root.Tags()["images"]) == {"validation/confusion_matrix", "test/confusion_matrix"}
    assert "_hparams_/session_start_info" in root.PluginTagToContent("hparams")
    ends = read_scalars(folder)
    assert {name: values[-1] for name, values in ends.items()} == {
        name: (4, pytest.approx(value)) for name, value in tracked.scores.items()
    }


def test_histograms_are_of_the_weights_that_were_trained(tracked: Tracked) -> None:
    import keras

    model = keras.saving.load_model(tracked.root / "model.keras", compile=False)
    accuracies = [row["val_accuracy"] for row in tracked.history]
    best = int(np.argmax(accuracies)) + 1
    kernel = model.get_layer("dense").kernel.numpy()
    events = read_events(tracked.root / "tensorboard/train")
    histogram = events.Histograms("weights/dense/kernel")[best - 1].histogram_value
    assert histogram.min == pytest.approx(kernel.min())
    assert histogram.sum_squares == pytest.approx(np.square(kernel).sum(), rel=1e-5)


def test_mlflow_has_params_metrics_by_step_and_files(tracked: Tracked) -> None:
    client, run_id = tracked.client, tracked.run_id
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert client.get_experiment(found.info.experiment_id).name == "tries"
    assert found.data.params["model.layers.1.units"] == "16"
    assert found.data.params["optimizer.learning_rate"] == "0.01"
    for name in tracked.history[0]:
        if name != "epoch":
            values = [(m.step, m.value) for m in client.get_metric_history(run_id, name)]
            rows = [(row["epoch"], row[name]) for row in tracked.history]
            if name == "seconds":  # of the epoch trained twice the first is kept
                assert [step for step, _ in values] == [1, 2, 3, 4]
            else:
                assert values == rows
    for name, value in tracked.scores.items():
        assert found.data.metrics[name] == value
    names = {each.path for each in client.list_artifacts(run_id)}
    assert names >= {
        *("config.yaml", "environment.json", "history.csv", "metrics.json", "model.keras"),
        "plots",
    }
    assert not names & {"status.json", "trackers.json", "checkpoints", "wandb", "tensorboard"}


def test_the_registered_model_predicts_as_the_run_s(tracked: Tracked, tmp_path: Path) -> None:
    import keras
    import mlflow

    versions = tracked.client.search_model_versions("name = 'tiny-model'")
    assert {version.run_id for version in versions} == {tracked.run_id}
    assert sorted(int(version.version) for version in versions) == [1, 2]  # one a session
    newest = max(versions, key=lambda version: int(version.version))
    source = tracked.client.get_model_version_download_uri("tiny-model", newest.version)
    local = mlflow.artifacts.download_artifacts(
        source, dst_path=str(tmp_path), tracking_uri=str(tracked.client.tracking_uri)
    )
    registered = mlflow.keras.load_model(local)
    model = keras.saving.load_model(tracked.root / "model.keras", compile=False)
    images = np.random.default_rng(0).uniform(0, 16, (4, 8, 8, 1)).astype("float32")
    assert np.array_equal(registered.predict(images, verbose=0), model.predict(images, verbose=0))
    signature = mlflow.models.Model.load(local).signature
    (inputs,), (outputs,) = signature.inputs.inputs, signature.outputs.inputs
    assert (inputs.shape, outputs.shape) == ((-1, 8, 8, 1), (-1, 10))


def test_wandb_has_history_config_and_summary_under_one_id(tracked: Tracked) -> None:
    first, second = find_wandb_folders(tracked.root)
    history = {**read_wandb_history(first), **read_wandb_history(second)}
    assert sorted(read_wandb_history(first)) == [1, 2, 3]
    assert sorted(read_wandb_history(second)) == [4]
    for row in tracked.history:
        for name in ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"):
            assert history[int(row["epoch"])][name] == row[name]
    end = json.loads(inspect_wandb(second, "--summary"))
    assert end["exit_code"] == 0
    assert (
        end["config"]["model"]["layers"][1]
        == {
            "type": "dense",
            "units": 16,
            "activation": {"type": "relu"},
        }
        or end["config"]["model"]["layers"][1]["units"] == 16
    )
    assert {name: end["summary"][name] for name in tracked.scores} == pytest.approx(tracked.scores)
    assert {path.name for path in (second / "files").iterdir()} >= {"model.keras", "metrics.json"}


def test_a_server_that_is_down_does_not_stop_a_training(
    dltrain: Dltrain, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = f"http://127.0.0.1:{find_free_port()}"
    trackers = [{"type": "mlflow", "tracking_uri": address}, "tensorboard"]
    result = dltrain("fit", write_config(REGRESSION, trackers=trackers), "--json")
    assert result.code == 0, result.err
    assert result.json["epochs"] == 3
    warning = (
        f"warning: mlflow failed, and the run goes on without it: {address} can't be reached "
        "([Errno 111] Connection refused).\n"
    )
    assert result.err.count(warning) == 1
    assert result.err.lower().count("warning") == 1
    assert len(read_scalars(Path("runs/line/0001/tensorboard/train"))["loss"]) == 3


def test_a_smoke_run_is_not_tracked(
    dltrain: Dltrain, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(REGRESSION, trackers=["tensorboard", "mlflow", "wandb"])
    result = dltrain("fit", config, "--smoke", "--run-dir", "tried")
    assert result.code == 0, result.err
    names = {path.name for path in Path("tried").iterdir()}
    assert "metrics.json" in names
    assert not names & {"trackers.json", "tensorboard", "wandb"}
    assert not Path("mlflow.db").exists()
