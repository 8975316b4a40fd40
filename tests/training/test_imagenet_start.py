"""Does `weights: imagenet` of a config bring the file's weights into the run's model?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import Result

Cli = Callable[..., Result]

CONFIG: dict[str, Any] = {
    "name": "front",
    "dataset": {"name": "digits", "rows_per_class": 4, "validation_split": 0.25},
    "model": {
        # Of this one Keras knows no checksum: a file that the test made will do.
        "pretrained": {"type": "mobilenet", "weights": "imagenet", "image_size": [32, 32]},
        "layers": [{"type": "dense", "units": 10}],
    },
    "training": {"batch_size": 30, "epochs": 1},
}


@pytest.mark.timeout(900)
def test_the_file_in_kerass_cache_is_taken_and_without_it_the_message_says_what_to_fetch(
    dltrain: Cli, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    monkeypatch.setenv("KERAS_HOME", str(workplace / "keras"))
    monkeypatch.setenv("HOME", str(workplace))
    (workplace / "c.yaml").write_text(json.dumps(CONFIG))
    result = dltrain("fit", "c.yaml", "--quiet", "--offline")
    assert result.code == 3
    assert "the ImageNet weights of mobilenet can't be had. Tried:" in result.err
    name = "mobilenet_1_0_224_tf_no_top.h5"
    assert f"put it into {workplace}/keras/models as {name}" in result.err.replace("\n", " ")
    assert not (workplace / "runs").exists()

    made = keras.applications.MobileNet(weights=None, include_top=False)
    (workplace / "keras/models").mkdir(parents=True)
    with h5py.File(workplace / "keras/models" / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, made)
    result = dltrain("fit", "c.yaml", "--quiet", "--offline", "--json")
    assert result.code == 0, result.err
    saved = keras.saving.load_model(workplace / "runs/front/0001/model.keras")
    found = saved.get_layer("mobilenet").get_weights()
    for one, two in zip(found, made.get_weights(), strict=True):
        assert np.array_equal(one, two)
