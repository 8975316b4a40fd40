"""Does a run that begins with a preset of KerasHub train, and need the preset no more?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared_runs import compare_runs
from tiny_presets import save_bert, save_resnet
from tiny_runs import Result, change

Cli = Callable[..., Result]

PHASES = [
    {"epochs": 1, "learning_rate": 0.01, "trainable": "none"},
    {"epochs": 1, "learning_rate": 0.001, "trainable": "all"},
]
TRAINING = {
    "batch_size": 16,
    "early_stopping": {"patience": 9, "restore_best_weights": False},
    "checkpoint": {"every_epochs": 1},
    "phases": PHASES,
}
TEXTS: dict[str, Any] = {
    "name": "texts",
    "seed": 1,
    "dataset": {"type": "jsonl", "path": "texts.jsonl", "max_length": 12},
    "model": {
        "pretrained": {"type": "keras_hub", "preset": "p"},
        "layers": [{"type": "dense", "units": 2}],
    },
    "training": TRAINING,
}
IMAGES = change(
    TEXTS,
    name="images",
    dataset={"name": "digits", "rows_per_class": 8, "validation_split": 0.25},
)
IMAGES["model"]["layers"][-1]["units"] = 10


def write_texts(path: Path) -> None:
    with path.open("w") as file:
        for number in range(40):
            label = ("bad", "good")[number % 2]
            file.write(json.dumps({"text": f"the movie, {label} no {number}!", "label": label}))
            file.write("\n")


def fit(dltrain: Cli, folder: Path, config: dict[str, Any], *flags: str) -> Result:
    (folder / "c.yaml").write_text(json.dumps(config))
    result = dltrain("fit", "c.yaml", "--quiet", "--json", *flags)
    assert result.code == 0, result.err
    return result


def read_backbone(run: Path) -> Any:
    import keras

    model = keras.saving.load_model(run / "model.keras", safe_mode=True, compile=False)
    return model.get_layer("keras_hub").get_layer("keras_hub_backbone")


def stop_after_first_phase(run: Path) -> None:
    (run / "checkpoints/0002-000000.npz").unlink()
    status = json.loads((run / "status.json").read_text())
    status |= {"state": "interrupted", "epochs_done": 1, "ended_at": None}
    (run / "status.json").write_text(json.dumps(status))


@pytest.mark.timeout(900)
def test_texts_are_read_by_the_presets_tokenizer_that_the_run_keeps(
    dltrain: Cli, workplace: Path
) -> None:
    write_texts(workplace / "texts.jsonl")
    save_bert(workplace / "p")
    fit(dltrain, workplace, TEXTS, "--run-dir", "whole")
    fit(dltrain, workplace, TEXTS, "--run-dir", "part")
    stop_after_first_phase(workplace / "part")
    shutil.rmtree(workplace / "p")
    resumed = dltrain("fit", "--resume", "part", "--quiet", "--json")
    assert resumed.code == 0, resumed.err
    assert compare_runs(workplace / "whole", workplace / "part") == []
    recorded = json.loads((workplace / "whole/metrics.json").read_text())["splits"]["test"]
    evaluated = dltrain("eval", "whole", "--json")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["accuracy"] == recorded["accuracy"]
    predicted = dltrain("predict", "whole", "--text", "the movie, good no 1!")
    assert predicted.code == 0, predicted.err
    exported = dltrain("export", "whole", "--format", "savedmodel", "--json")
    assert exported.code == 0, exported.err
    again = dltrain("fit", "whole/config.yaml", "--run-dir", "again", "--quiet")
    assert again.code == 3
    told = f"the preset {workplace / 'p'} is gone; what a run keeps of it has no weights."
    assert told in again.err.replace("\n", " ")
    assert not (workplace / "again").exists()


@pytest.mark.timeout(900)
def test_images_are_frozen_in_the_first_phase_and_prepared_inside_the_model(
    dltrain: Cli, workplace: Path
) -> None:
    saved = save_resnet(workplace / "p")
    first = change(IMAGES, training__phases=PHASES[:1])
    fit(dltrain, workplace, first, "--run-dir", "first")
    for one, two in zip(
        read_backbone(workplace / "first").get_weights(), saved.get_weights(), strict=True
    ):
        assert np.array_equal(one, two), "its moving statistics, too"
    fit(dltrain, workplace, IMAGES, "--run-dir", "whole")
    tuned = read_backbone(workplace / "whole").get_weights()
    assert not any(
        np.array_equal(one, two) for one, two in zip(tuned, saved.get_weights(), strict=True)
    )
    fit(dltrain, workplace, IMAGES, "--run-dir", "part")
    stop_after_first_phase(workplace / "part")
    shutil.rmtree(workplace / "p")
    resumed = dltrain("fit", "--resume", "part", "--quiet", "--json")
    assert resumed.code == 0, resumed.err
    assert compare_runs(workplace / "whole", workplace / "part") == []
    evaluated = dltrain("eval", "whole", "--json")
    assert evaluated.code == 0, evaluated.err


def test_offline_a_name_is_not_fetched(dltrain: Cli, workplace: Path) -> None:
    config = change(IMAGES, model__pretrained__preset="resnet_18_imagenet")
    (workplace / "c.yaml").write_text(json.dumps(config))
    for flag in ("--offline", "--smoke"):
        result = dltrain("fit", "c.yaml", "--quiet", flag)
        assert result.code == 3
        assert (
            "the preset resnet_18_imagenet would be fetched, and the network is forbidden "
            "(--offline, DLTRAIN_OFFLINE, or a smoke run)."
        ) in result.err
        assert "Save it where there is a network, with keras_hub.models.Backbone" in result.err
        assert not (workplace / "runs").exists()
