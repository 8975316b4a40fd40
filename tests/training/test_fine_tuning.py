"""Does a training start from another run's weights, and train in each phase what it should?"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared_runs import compare_runs
from tiny_runs import CONFIG, Result, change

Cli = Callable[..., Result]

LAYERS = [
    "flatten",
    {"type": "dense", "units": 16, "activation": "relu", "name": "hidden"},
    "batch_normalization",
    {"type": "dense", "units": 5, "name": "scores"},
]
SOURCE = change(
    CONFIG,
    name="source",
    dataset__classes=[0, 1, 2, 3, 4],
    model__layers=LAYERS,
    training__epochs=2,
)
TUNED = change(
    SOURCE,
    name="tuned",
    dataset__classes=[5, 6, 7, 8, 9],
    model__from_run={"run": "source", "skip": ["scores"]},
    training={
        "batch_size": 64,
        "checkpoint": {"every_epochs": 1},
        "phases": [
            {"epochs": 2, "learning_rate": 0.01, "trainable": "none"},
            {"epochs": 1, "learning_rate": 0.001, "trainable": "all"},
        ],
    },
)


def write(folder: Path, config: dict[str, Any], name: str = "c.yaml") -> str:
    (folder / name).write_text(json.dumps(config))
    return name


def fit(dltrain: Cli, folder: Path, config: dict[str, Any], *flags: str) -> Result:
    result = dltrain("fit", write(folder, config), "--quiet", "--json", *flags)
    assert result.code == 0, result.err
    return result


def read_weights(run: Path) -> dict[str, list[Any]]:
    """Load the model with plain Keras; return every layer's weights."""
    import keras

    model = keras.saving.load_model(run / "model.keras")
    assert all(layer.trainable for layer in model.layers), "the file says nothing of phases"
    return {layer.name: layer.get_weights() for layer in model.layers}


def are_equal(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_frozen_part_stays_what_it_was_until_its_phase(dltrain: Cli, workplace: Path) -> None:
    fit(dltrain, workplace, SOURCE)
    source = read_weights(workplace / "runs/source/0001")
    first = change(TUNED, training__phases=[{"epochs": 2, "trainable": "none"}])
    fit(dltrain, workplace, first, "--run-dir", "first")
    frozen = read_weights(workplace / "first")
    assert are_equal(frozen["hidden"], source["hidden"])
    assert are_equal(frozen["batch_normalization"], source["batch_normalization"])
    assert not are_equal(frozen["scores"], source["scores"])
    table = json.loads((workplace / "first/model.json").read_text())
    assert table["trainable_parameters"] == 16 * 5 + 5

    stopping = {"monitor": "val_loss", "patience": 9, "restore_best_weights": False}
    both = change(TUNED, training__early_stopping=stopping)  # keeps the last epoch
    fit(dltrain, workplace, both, "--run-dir", "both")
    tuned = read_weights(workplace / "both")
    assert not are_equal(tuned["hidden"], source["hidden"])
    rows = list(csv.DictReader((workplace / "both/history.csv").open()))
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.01, 0.01, 0.001])
    resolved = json.loads(json.dumps(TUNED["model"]["from_run"]))
    resolved["run"] = str(workplace / "runs/source/0001")
    written = (workplace / "both/config.yaml").read_text()
    assert f"run: {resolved['run']}" in written
    evaluated = dltrain("eval", "both", "--json")
    assert evaluated.code == 0, evaluated.err


def test_a_run_that_goes_on_after_a_phase_equals_one_that_never_stopped(
    dltrain: Cli, workplace: Path
) -> None:
    fit(dltrain, workplace, SOURCE)
    fit(dltrain, workplace, TUNED, "--run-dir", "whole")
    # Stopped right where the second phase begins: its last checkpoint is of the new optimizer.
    fit(dltrain, workplace, TUNED, "--run-dir", "part")
    checkpoints = workplace / "part/checkpoints"
    (checkpoints / "0003-000000.npz").unlink()
    status = json.loads((workplace / "part/status.json").read_text())
    status |= {"state": "interrupted", "epochs_done": 2, "ended_at": None}
    (workplace / "part/status.json").write_text(json.dumps(status))
    shutil.rmtree(workplace / "runs")  # the run holds all that it needs
    resumed = dltrain("fit", "--resume", "part", "--quiet", "--json")
    assert resumed.code == 0, resumed.err
    assert compare_runs(workplace / "whole", workplace / "part") == []


def test_layers_that_differ_are_told_where_they_stand(dltrain: Cli, workplace: Path) -> None:
    fit(dltrain, workplace, SOURCE)
    wider = [{**layer, "units": 32} if "hidden" in str(layer) else layer for layer in LAYERS]
    name = write(workplace, change(TUNED, model__layers=wider))
    problems = dltrain("check", name, "--json").json["problems"]
    assert [(each["key"], each["message"], each["hint"]) for each in problems] == [
        (
            "model.layers[1]",
            "hidden has 2,080 parameters here and 1,040 in runs/source/0001, whose weights it "
            "takes.",
            "Make them the same, or write `skip: [hidden]` under model.from_run.",
        ),
        (
            "model.layers[2]",
            "batch_normalization has 128 parameters here and 64 in runs/source/0001, whose weights "
            "it takes.",
            "Make them the same, or write `skip: [batch_normalization]` under model.from_run.",
        ),
    ]
    assert dltrain("fit", name, "--quiet").code == 2


def test_a_run_that_is_not_there_is_told_at_once(dltrain: Cli, workplace: Path) -> None:
    result = dltrain("fit", write(workplace, TUNED), "--quiet")
    assert (result.code, result.out) == (2, "")
    assert "There is no run 'source': runs holds no runs." in result.err
    assert "model.from_run needs it: train it first." in result.err
    checked = dltrain("check", "c.yaml")
    assert checked.code == 0
    assert "model.from_run can't be looked at: There is no run 'source'" in checked.out
    assert "hidden (dense), not trained" in checked.out


FRONT: dict[str, Any] = {
    "name": "front",
    "seed": 1,
    "dataset": {"name": "digits", "rows_per_class": 10, "validation_split": 0.2},
    "model": {
        "pretrained": {
            "type": "mobilenet_v3_small",
            "weights": "w.weights.h5",
            "image_size": [32, 32],
        },
        "layers": [{"type": "dense", "units": 10}],
    },
    "training": {
        "batch_size": 40,
        "early_stopping": {"patience": 9, "restore_best_weights": False},
        "checkpoint": {"every_epochs": 1},
        "phases": [
            {"epochs": 1},
            {"epochs": 1, "learning_rate": 1e-4, "trainable": {"last_n": 10}},
        ],
    },
}


def save_application(workplace: Path) -> Any:
    """Save new weights of MobileNetV3Small for FRONT, as a person would; return it."""
    import keras

    application = keras.applications.MobileNetV3Small(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    application.save_weights(workplace / "w.weights.h5")
    return application


def test_of_a_pretrained_model_only_the_last_layers_are_tuned(
    dltrain: Cli, workplace: Path
) -> None:
    import keras

    application = save_application(workplace)
    fit(dltrain, workplace, FRONT, "--run-dir", "whole")
    front = keras.saving.load_model(workplace / "whole/model.keras").get_layer("mobilenet_v3_small")
    tuned = [
        index
        for index, layer in enumerate(front.layers)
        if layer.weights
        and not are_equal(layer.get_weights(), application.get_layer(layer.name).get_weights())
    ]
    assert tuned, "the second phase trains some of it"
    assert min(tuned) >= len(front.layers) - 10, "and only of its last ten layers"


@pytest.mark.slow
def test_a_pretrained_model_goes_on_to_the_same_bits(dltrain: Cli, workplace: Path) -> None:
    save_application(workplace)
    fit(dltrain, workplace, FRONT, "--run-dir", "whole")
    fit(dltrain, workplace, FRONT, "--run-dir", "part")
    (workplace / "part/checkpoints/0002-000000.npz").unlink()
    status = json.loads((workplace / "part/status.json").read_text())
    status |= {"state": "interrupted", "epochs_done": 1, "ended_at": None}
    (workplace / "part/status.json").write_text(json.dumps(status))
    resumed = dltrain("fit", "--resume", "part", "--quiet", "--json")
    assert resumed.code == 0, resumed.err
    assert compare_runs(workplace / "whole", workplace / "part") == []
