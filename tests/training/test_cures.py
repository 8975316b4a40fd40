"""Do the cures for overfitting train, resume to the same bits, and leave a plain Keras model?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from compared_runs import compare_runs
from tiny_runs import CONFIG, change

from dltrain.config.load import load_config
from dltrain.training.fit import FitResult, fit
from dltrain.training.listener import Listener
from dltrain.training.outcome import Interrupted

# A block whose branch is left out for a random half of the rows: stochastic depth.
STOCHASTIC_DEPTH = yaml.safe_load("""
blocks:
  residual:
    parameters: {rate: 0.0}
    layers:
      - {type: conv2d, filters: 4, kernel_size: 3, padding: same}
      - {type: dropout, name: branch, rate: $rate, noise_shape: [null, 1, 1, 1]}
      - {type: add, inputs: [branch, input]}
layers:
  - {type: conv2d, filters: 4, kernel_size: 3, padding: same}
  - {block: residual, rate: 0.5}
  - flatten
  - {type: dense, units: 10}
""")

CURES: dict[str, dict[str, Any]] = {
    "mix_up": {"dataset__augment": ["mix_up"]},
    "cut_mix": {"dataset__augment": [{"type": "random_flip"}, {"type": "cut_mix"}]},
    "rand_augment": {"dataset__augment": [{"type": "rand_augment", "factor": 0.5}]},
    "random_erasing": {"dataset__augment": ["random_erasing"]},
    "stochastic depth": {"model": STOCHASTIC_DEPTH},
    "accumulation": {"optimizer__gradient_accumulation_steps": 3},
}


class Interrupting(Listener):
    """Interrupt in the middle of the second epoch."""

    def __init__(self) -> None:
        self._epoch = 0

    def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        self._epoch = epoch

    def step(self, step: int, loss: float) -> None:
        if self._epoch == 2 and step >= 2:
            raise KeyboardInterrupt


def train(config: dict[str, Any], folder: Path, name: str, **options: Any) -> FitResult:
    path = folder / "c.yaml"
    path.write_text(json.dumps(config))
    return fit(
        load_config(path),
        data_dir=folder,
        runs_root=folder,
        run_directory=folder / name,
        **options,
    )


@pytest.mark.parametrize("cure", CURES)
def test_a_cure_trains_and_a_resumed_run_ends_at_the_same_bits(cure: str, tmp_path: Path) -> None:
    checkpoint = {"every_epochs": 1, "every_steps": 2}
    config = change(
        CONFIG, training__epochs=2, training__batch_size=300, training__checkpoint=checkpoint
    )
    config = change(config, **CURES[cure])
    whole = train(config, tmp_path, "whole")
    with pytest.raises(Interrupted):
        train(config, tmp_path, "parts", listener=Interrupting())
    parts = train(config, tmp_path, "parts", resume=True)
    assert compare_runs(whole.paths.root, parts.paths.root) == []
    assert whole.history[-1]["loss"] < whole.history[0]["loss"]


def test_stochastic_depth_leaves_out_a_branch_row_by_row_and_only_in_training() -> None:
    branch = keras.layers.Dropout(0.5, noise_shape=(None, 1, 1, 1), seed=1)
    images = np.ones((200, 4, 4, 2), np.float32)
    rows = np.asarray(branch(images, training=True)).reshape(200, -1)
    assert set(np.unique(rows)) == {0.0, 2.0}
    assert (np.ptp(rows, axis=1) == 0).all(), "a row's branch goes as a whole"
    assert 60 < (rows[:, 0] == 0).sum() < 140
    np.testing.assert_array_equal(branch(images, training=False), images)


def test_a_model_with_stochastic_depth_loads_in_plain_keras(tmp_path: Path) -> None:
    import subprocess
    import sys

    config = change(CONFIG, model=STOCHASTIC_DEPTH, training__epochs=1)
    result = train(config, tmp_path, "run")
    script = (
        "import sys, keras; model = keras.models.load_model(sys.argv[1]); "
        "print([layer.noise_shape for layer in model.layers if hasattr(layer, 'noise_shape')], "
        "'dltrain' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(result.paths.model)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[(None, 1, 1, 1)] False"


def test_dropped_words_train_and_a_resumed_run_ends_at_the_same_bits(tmp_path: Path) -> None:
    config = {
        "name": "words",
        "seed": 3,
        "dataset": {"name": "imdb", "max_words": 200, "max_length": 20, "ngrams": 2,
                    "ngram_buckets": 100, "word_dropout": 0.5},
        "model": {
            "layers": [
                {"type": "embedding", "input_dim": 300, "output_dim": 4},
                "global_average_pooling1d",
                {"type": "dense", "units": 1},
            ]
        },
        "training": {"epochs": 2, "batch_size": 40, "checkpoint": {"every_steps": 2}},
    }  # fmt: skip
    whole = train(config, tmp_path, "whole", smoke=True)
    with pytest.raises(Interrupted):
        train(config, tmp_path, "parts", listener=Interrupting(), smoke=True)
    parts = train(config, tmp_path, "parts", resume=True, smoke=True)
    assert compare_runs(whole.paths.root, parts.paths.root) == []
    other = train(change(config, dataset__word_dropout=0.0), tmp_path, "other", smoke=True)
    assert other.history[0]["loss"] != whole.history[0]["loss"]
