"""Does `fit` train on what TensorFlow Datasets prepared, while it imports TensorFlow beside it?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from own_files import write_lines
from processes import run_dltrain
from tiny_tfds import prepare


@pytest.mark.timeout(600)
def test_images_are_trained_on_and_evaluated(tmp_path: Path) -> None:
    path = prepare(tmp_path / "prepared", rows={"train": 60, "test": 20})
    write_lines(
        tmp_path / "c.yaml",
        "dataset: {type: tfds, path: prepared/pets, image: photo, target: label, "
        "image_size: [8, 8]}",
        "model: {layers: [flatten, {type: dense, units: 1}]}",
        "optimizer: {type: adam, learning_rate: 0.05}",
        "training: {batch_size: 8, epochs: 20}",
    )
    # The two imports waited for each other until the second one waited for the first.
    result = run_dltrain(
        *("fit", "c.yaml", "--device", "cpu", "--run-dir", "run", "--json"),
        folder=tmp_path,
        timeout=300,
    )
    assert result.code == 0, result.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["splits"]["test"]["accuracy"]["value"] > 0.9
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert environment["dataset"]["type"] == "tfds"
    assert environment["dataset"]["path"] == str(path)
