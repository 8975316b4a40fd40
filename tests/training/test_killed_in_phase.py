"""Does a fine-tuning that was killed inside its second phase go on to the same bits?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compared_runs import compare_runs
from killing import Kill, Nursery
from killing_points import Point

from dltrain.runs.checkpoint import read_last_checkpoint

# Four steps an epoch; a checkpoint after each.
CONFIG: dict[str, Any] = {
    "name": "phases",
    "seed": 1,
    "dataset": {"name": "digits", "rows_per_class": 10, "validation_split": 0.2},
    "model": {
        "pretrained": {"type": "mobilenet_v3_small", "weights": "none", "image_size": [32, 32]},
        "layers": [{"type": "dropout", "rate": 0.2}, {"type": "dense", "units": 10}],
    },
    "training": {
        "batch_size": 20,
        "checkpoint": {"every_steps": 1, "every_epochs": 1},
        "phases": [
            {"epochs": 1, "trainable": "none"},
            {"epochs": 2, "learning_rate": 1e-4, "trainable": {"last_n": 20}},
        ],
    },
}
FIRST_PHASE_STEPS = 4


@pytest.mark.timeout(900)
def test_a_backbone_that_was_half_tuned_goes_on_to_the_same_bits(
    nursery: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG))
    begin = ("fit", "config.yaml", "--json", "--quiet", "--run-dir")
    whole = nursery.run(*begin, "whole", folder=tmp_path)
    assert whole.code == 0, whole.err
    kind = "after replace checkpoint"
    kill = Kill(kind, Point.of(kind, FIRST_PHASE_STEPS + 2))
    assert nursery.run(*begin, "part", folder=tmp_path, kill=kill).was_killed
    checkpoint, _ = read_last_checkpoint(tmp_path / "part/checkpoints")
    assert checkpoint is not None
    assert checkpoint.epoch == 1
    assert checkpoint.step > 0, "inside the first epoch of the second phase"
    resumed = nursery.run("fit", "--resume", "part", "--json", "--quiet", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert compare_runs(tmp_path / "whole", tmp_path / "part") == []
