"""Do early stopping, plateaus, schedules and Keras's own callbacks do what the config says?"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import CONFIG, REGRESSION, Result

from dltrain.runs.history import read_history

Fit = Callable[..., Result]
WriteConfig = Callable[..., Path]

RUN = Path("runs/line/0001")

# Steps much too large for a loss that bounces: the best epoch is an early one.
BOUNCING: dict[str, Any] = {
    **REGRESSION,
    "optimizer": {"type": "sgd", "learning_rate": 0.99},
    "training": {"batch_size": "full", "epochs": 8},
}


def read_scored_loss() -> float:
    """Return the MSE of the kept model on the validation rows."""
    metrics = json.loads((RUN / "metrics.json").read_text())
    return metrics.get("splits", metrics)["validation"]["mse"]["value"]


def test_early_stopping_stops_and_keeps_the_best_epoch(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    # Any change is smaller than min_delta, so the first epoch is the last that improved.
    config = write_config(
        REGRESSION,
        training__epochs=8,
        training__early_stopping={"monitor": "val_loss", "patience": 2, "min_delta": 1e6},
    )
    result = dltrain("fit", config, "--json")
    assert result.code == 0, result.err
    assert result.json["epochs"] == 3
    losses = [row["val_loss"] for row in read_history(RUN / "history.csv")]
    assert result.json["best_epoch"] == int(np.argmin(losses)) + 1
    assert read_scored_loss() == pytest.approx(min(losses), rel=1e-5)
    status = json.loads((RUN / "status.json").read_text())
    assert status["state"] == "finished"
    assert status["reason"] == "stopped early after 3 of 8 epochs"


def test_the_best_epoch_is_kept_without_early_stopping_too(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(BOUNCING), "--json")
    assert result.code == 0, result.err
    losses = [row["val_loss"] for row in read_history(RUN / "history.csv")]
    assert result.json["best_epoch"] == int(np.argmin(losses)) + 1
    assert read_scored_loss() == pytest.approx(min(losses), rel=1e-5)


def test_the_last_epoch_is_kept_when_the_best_is_not_wanted(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    stopping = {"monitor": "loss", "patience": 8, "restore_best_weights": False}
    config = write_config(BOUNCING, training__early_stopping=stopping, training__epochs=4)
    result = dltrain("fit", config, "--json")
    assert result.code == 0, result.err
    assert result.json["best_epoch"] == 4
    last = read_history(RUN / "history.csv")[-1]
    assert read_scored_loss() == pytest.approx(last["val_loss"], rel=1e-5)


def test_a_plateau_lowers_the_learning_rate(dltrain: Fit, write_config: WriteConfig) -> None:
    plateau = {"monitor": "loss", "patience": 1, "factor": 0.5, "min_delta": 1000.0}
    config = write_config(REGRESSION, training__reduce_lr_on_plateau=plateau, training__epochs=4)
    result = dltrain("fit", config, "--quiet")
    assert result.code == 0, result.err
    rates = [row["learning_rate"] for row in read_history(RUN / "history.csv")]
    assert rates[0] == pytest.approx(0.05)
    assert rates[-1] < 0.05 * 0.6
    assert rates == sorted(rates, reverse=True)


def test_a_schedule_is_recorded_in_the_history(dltrain: Fit, write_config: WriteConfig) -> None:
    rate = {
        "type": "exponential_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": 4,
        "decay_rate": 0.5,
    }
    config = write_config(REGRESSION, optimizer={"type": "sgd", "learning_rate": rate})
    result = dltrain("fit", config, "--quiet")
    assert result.code == 0, result.err
    rates = [row["learning_rate"] for row in read_history(RUN / "history.csv")]
    assert rates == pytest.approx([0.05, 0.025, 0.0125])


def test_full_batch_takes_one_step_an_epoch(dltrain: Fit, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(BOUNCING, training__epochs=2))
    assert result.code == 0, result.err
    assert "training  2 epochs of 1 steps, batch size 38" in result.err


def test_keras_callbacks_write_inside_the_run_directory(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    callbacks = [
        {"type": "csv_logger", "filename": "logs/keras.csv"},
        "terminate_on_nan",
        {"type": "model_checkpoint", "filepath": "checkpoints/{epoch:02d}.keras"},
        {"type": "backup_and_restore", "backup_dir": "backup"},
    ]
    config = write_config(REGRESSION, training__callbacks=callbacks)
    result = dltrain("fit", config, "--quiet")
    assert result.code == 0, result.err
    assert len((RUN / "logs/keras.csv").read_text().splitlines()) == 4
    assert len(list((RUN / "checkpoints").glob("*.keras"))) == 3
    assert {path.name for path in Path().iterdir()} <= {"config.yaml", "runs", "cache"}


def test_tensorboard_writes_into_the_run_or_says_what_to_install(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(REGRESSION, training__callbacks=["tensorboard"]))
    if find_spec("tensorboard"):
        assert result.code == 0, result.err
        assert list((RUN / "tensorboard").rglob("events.*"))
        return
    assert result.code == 6
    assert result.err == (
        "error: training.callbacks[0]: tensorboard needs the package tensorboard, which isn't "
        "installed.\npip install tensorboard, or take the callback out of the config.\n"
    )
    assert not Path("runs").exists()


@pytest.mark.parametrize("filename", ["../outside.csv", "/elsewhere/outside.csv"])
def test_a_callback_may_not_write_outside_the_run_directory(
    dltrain: Fit, write_config: WriteConfig, filename: str
) -> None:
    config = write_config(
        REGRESSION, training__callbacks=[{"type": "csv_logger", "filename": filename}]
    )
    result = dltrain("fit", config)
    assert result.code == 2
    assert f"expected a path inside the run directory, received '{filename}'." in result.err
    assert "training.callbacks[0].filename" in result.err
    assert not Path("runs").exists()


def test_a_callback_may_not_write_over_the_run_s_own_files(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    callbacks = [{"type": "model_checkpoint", "filepath": "model.keras"}]
    result = dltrain("fit", write_config(REGRESSION, training__callbacks=callbacks))
    assert result.code == 2
    assert (
        "training.callbacks[0].filepath\n  the run itself writes model.keras. "
        "Choose another name, such as callbacks/model.keras.\n"
    ) in result.err


def test_metrics_of_many_classes_can_be_monitored(dltrain: Fit, write_config: WriteConfig) -> None:
    config = write_config(
        CONFIG,
        metrics=["accuracy", "precision", "recall", "f1", "auc"],
        training={"batch_size": 256, "epochs": 2, "monitor": "val_f1"},
    )
    result = dltrain("fit", config, "--json")
    assert result.code == 0, result.err
    rows = read_history(Path("runs/tiny/0001/history.csv"))
    names = {"accuracy", "precision", "recall", "f1", "auc"}
    assert names | {f"val_{name}" for name in names} <= set(rows[0])
    best = max(rows, key=lambda row: row["val_f1"])
    assert result.json["best_epoch"] == best["epoch"]
    measured = result.json["splits"]["validation"]["f1"]["macro"]["value"]
    assert measured == pytest.approx(best["val_f1"], abs=1e-5)
