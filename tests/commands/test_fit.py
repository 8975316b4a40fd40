"""Does `dltrain fit` leave a whole run directory, and print results only on stdout?"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import CONFIG, REGRESSION, Result

from dltrain.runs.history import read_history

Fit = Callable[..., Result]
WriteConfig = Callable[..., Path]


def read_json(path: Path) -> dict:
    """Return the JSON document in `path`."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_weights(run: Path) -> list[np.ndarray]:
    """Return the weights of the run's model as plain Keras loads it."""
    import keras

    return keras.models.load_model(run / "model.keras", compile=False).get_weights()


def test_a_run_leaves_exactly_the_files_of_its_directory(trained_run: Path) -> None:
    assert {path.name for path in trained_run.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "environment.json",
        "history.csv",
        "history.jsonl",
        "metrics.json",
        "mistakes.json",
        "model.json",
        "model.keras",
        "predictions.parquet",
        "source.yaml",
        "preprocessing.json",
        "status.json",
        "warnings.json",
    }
    # One after each epoch, of which the last two are kept.
    kept = {path.name for path in (trained_run / "checkpoints").iterdir()}
    assert kept == {"0002-000000.npz", "0003-000000.npz"}


def test_a_run_that_ended_well_says_finished(trained_run: Path) -> None:
    status = read_json(trained_run / "status.json")
    assert (status["state"], status["reason"]) == ("finished", "")
    assert (status["epochs_done"], status["epochs_goal"]) == (3, 3)
    assert status["ended_at"] >= status["started_at"]


def test_the_environment_names_versions_device_seed_data_and_command_line(
    trained_run: Path,
) -> None:
    environment = read_json(trained_run / "environment.json")
    assert {"dltrain", "tensorflow", "keras", "numpy"} <= set(environment["packages"])
    assert environment["device"]["kind"] in ("cpu", "gpu")
    assert environment["seed"] == 3
    assert environment["dataset"]["name"] == "digits"
    assert environment["dataset"]["checksum"] == "built in"
    assert environment["command_line"].startswith("dltrain")
    assert environment["rows"] == {"train": 1150, "validation": 288, "test": 359}
    assert environment["normalization"] == {"mean": [0.0], "scale": [16.0]}
    assert "git" in environment


def test_history_has_a_row_an_epoch_with_whole_epoch_numbers(trained_run: Path) -> None:
    with (trained_run / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    columns = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"}
    assert set(rows[0]) == columns


def test_metrics_have_both_splits_with_intervals_and_the_baseline(trained_run: Path) -> None:
    metrics = read_json(trained_run / "metrics.json")
    for split, rows in (("validation", 288), ("test", 359)):
        scores = metrics["splits"][split] if "splits" in metrics else metrics[split]
        assert scores["rows"] == rows
        accuracy = scores["accuracy"]
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert accuracy["value"] > 3 * scores["baseline"]["accuracy"]["value"]


def test_the_kept_model_is_that_of_the_best_epoch(trained_run: Path) -> None:
    best = max(row["val_accuracy"] for row in read_history(trained_run / "history.csv"))
    metrics = read_json(trained_run / "metrics.json")
    validation = metrics.get("splits", metrics)["validation"]
    assert validation["accuracy"]["value"] == pytest.approx(best, abs=1e-6)


def test_plain_keras_loads_the_model_and_it_takes_raw_pixels(trained_run: Path) -> None:
    import keras
    from sklearn.datasets import load_digits

    model = keras.models.load_model(trained_run / "model.keras")
    digits = load_digits()
    outputs = model.predict(digits.images[:200, :, :, None], verbose=0)
    assert (outputs.argmax(axis=1) == digits.target[:200]).mean() > 0.5


def test_fit_on_the_config_of_a_run_gives_the_same_run(dltrain: Fit, trained_run: Path) -> None:
    result = dltrain("fit", trained_run / "config.yaml", "--run-dir", "again", "--quiet")
    assert result.code == 0, result.err
    for name in ("config.yaml", "metrics.json"):
        assert Path("again", name).read_bytes() == (trained_run / name).read_bytes()
    again, before = read_weights(Path("again")), read_weights(trained_run)
    assert all(np.array_equal(a, b) for a, b in zip(again, before, strict=True))


def test_runs_are_numbered_and_the_summary_names_the_run(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION)
    for number in ("0001", "0002"):
        result = dltrain("fit", config, "--quiet")
        assert result.code == 0, result.err
        assert result.out.splitlines()[-1].startswith("best epoch ")
        assert result.out.endswith(f"; run runs/line/{number}\n")
        assert result.err == ""


def test_progress_goes_to_stderr_and_results_to_stdout(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(REGRESSION))
    assert result.code == 0, result.err
    epochs = [line for line in result.err.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 3
    assert epochs[0].startswith("epoch 1/3 * loss ")
    assert "training  3 epochs of 4 steps, batch size 10, on " in result.err
    assert "data      synthetic_regression: 38 train, 13 validation, 13 test rows" in result.err
    assert "epoch 1/3" not in result.out
    for text in ("validation: 13 rows", "test: 13 rows", "R²", "RMSE", "(mean)"):
        assert text in result.out
    for text in (result.out, result.err):
        assert not any(ord(char) < 32 and char != "\n" for char in text), "control characters"
        assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("epoch"))


def test_json_is_one_document_with_every_split(dltrain: Fit, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--json")
    assert result.code == 0, result.err
    assert result.json["run"] == "runs/line/0001"
    assert result.json["epochs"] == 3
    assert 1 <= result.json["best_epoch"] <= 3
    assert set(result.json["splits"]) == {"validation", "test"}
    assert "epoch 3/3" in result.err


def test_flags_override_the_config_and_the_run_records_them(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    flags = ["--epochs", 1, "--seed", 9, "--set", "optimizer.learning_rate=1e-3"]
    result = dltrain("fit", write_config(REGRESSION), *flags, "--run-dir", "out/here", "--quiet")
    assert result.code == 0, result.err
    import yaml

    recorded = yaml.safe_load(Path("out/here/config.yaml").read_text(encoding="utf-8"))
    assert recorded["training"]["epochs"] == 1
    assert recorded["seed"] == 9
    assert recorded["optimizer"]["learning_rate"] == 0.001


def test_without_validation_rows_the_loss_chooses_and_only_test_is_scored(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, dataset__validation_split=0)
    result = dltrain("fit", config, "--json")
    assert result.code == 0, result.err
    assert set(result.json["splits"]) == {"test"}
    assert "training/validation" not in result.err
    assert "warning: " in result.err.splitlines()[0]
    assert "DL504  dataset.validation_split" in result.err.splitlines()[0]


def test_the_layer_table_shows_shapes_and_parameters(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(CONFIG), "--epochs", 1)
    assert result.code == 0, result.err
    lines = [line.split() for line in result.err.splitlines()]
    assert ["dense", "Dense", "(16)", "1,040"] in lines
    assert ["dense_1", "Dense", "(10)", "170"] in lines
    assert ["total", "1,210"] in lines


def test_a_long_line_of_an_epoch_is_broken_between_its_values_on_a_terminal() -> None:
    from rich.console import Console

    from dltrain.commands.training_view import TrainingView
    from dltrain.training.listener import EpochReport

    values = {f"{split}metric_{letter}": 0.5 for split in ("", "val_") for letter in "abcde"}
    view = TrainingView()
    texts = []
    for terminal in (True, False):
        file = io.StringIO()
        view.console = Console(file=file, force_terminal=terminal, width=50, color_system=None)
        view.is_watched = terminal
        view.end_epoch(EpochReport(7, 12, {"loss": 0.25, **values}, 1.5, True))
        texts.append(file.getvalue())
    assert texts[0].splitlines() == [
        "epoch  7/12 * loss 0.2500  metric_a 0.5000/0.5000",
        "              metric_b 0.5000/0.5000",
        "              metric_c 0.5000/0.5000",
        "              metric_d 0.5000/0.5000",
        "              metric_e 0.5000/0.5000  1.5 s",
    ]
    assert len(texts[1].splitlines()) == 1


def test_mixed_precision_trains_and_eval_gives_the_same_numbers(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(CONFIG, training__precision="mixed_bfloat16", training__epochs=1)
    result = dltrain("fit", config, "--quiet")
    assert result.code == 0, result.err
    evaluated = dltrain("eval", "tiny")
    assert evaluated.code == 0, evaluated.err
    assert "note: these numbers differ" not in evaluated.err


def test_a_process_of_its_own_prints_no_chatter_of_tensorflow(
    workplace: Path, write_config: WriteConfig
) -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": ""}
    del environment["TF_CPP_MIN_LOG_LEVEL"]
    # These metrics make TensorFlow 2.21 complain of oneDNN in the first step.
    config = write_config(CONFIG, metrics=["accuracy", "f1", "auc"], training__epochs=1)
    done = subprocess.run(
        [sys.executable, "-m", "dltrain", "fit", config, "--json"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run"] == "runs/tiny/0001"
    begins = ("layer", "dense", "total", "─", "data", "training", "run", "epoch", "Evaluating")
    begins += ("rescaling", "flatten", "dropout", "One epoch is too few", "Train for longer.")
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    assert [line for line in lines if not line.startswith(begins)] == []
    written = {path.name for path in workplace.iterdir()} - {"cache"}
    assert written == {"config.yaml", "runs"}


def test_an_impossible_shape_is_told_before_tensorflow_starts(
    workplace: Path, write_config: WriteConfig
) -> None:
    layers = [{"type": "max_pooling2d", "pool_size": 9}, "flatten", {"type": "dense", "units": 10}]
    config = write_config({**CONFIG, "model": {"layers": layers}})
    program = (
        "import sys; from dltrain.cli import run; "
        f"print(run(['fit', {str(config)!r}]), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "2 False\n"
    assert done.stderr.startswith(f"{config}:9:16  model.layers[0].pool_size\n")
    assert not Path("runs").exists()


def test_a_training_ends_with_a_diagnosis_on_stderr_and_in_json(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    path = write_config(training__epochs=2)
    sentence = "2 epochs are too few for a curve to say anything."
    result = dltrain("fit", path)
    assert result.code == 0, result.err
    assert result.err.endswith(f"{sentence}\n  Train for longer.\n    training: {{epochs: 10}}\n")
    assert sentence not in result.out
    result = dltrain("fit", path, "--json", "--quiet")
    assert result.json["diagnosis"] == {
        "kind": "unclear",
        "sentence": sentence,
        "suggestions": [{"text": "Train for longer.", "line": "training: {epochs: 10}"}],
    }
    assert sentence not in result.err
