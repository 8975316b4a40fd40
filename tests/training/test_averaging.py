"""Are averaged weights validated, kept and saved, while the training goes on with its own?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from compared_runs import compare_runs
from tiny_runs import CONFIG, change

from dltrain.config.load import load_config
from dltrain.data.load import load_data
from dltrain.training.averaging import averaged_weights
from dltrain.training.fit import FitResult, fit
from dltrain.training.listener import EpochReport, Listener
from dltrain.training.outcome import Interrupted
from dltrain.training.prepare import prepare_network

AVERAGED = change(
    CONFIG,
    model__layers=["flatten", {"type": "dense", "units": 10}],
    optimizer={"type": "adam", "learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.9},
    training__shuffle=False,
    training__jit_compile=False,
    training__checkpoint={"every_epochs": 1},
)


class Interrupting(Listener):
    """Interrupt after the first epoch."""

    def end_epoch(self, report: EpochReport) -> None:
        if report.epoch == 1:
            raise KeyboardInterrupt


def train(config: dict[str, Any], folder: Path, name: str = "run", **options: Any) -> FitResult:
    path = folder / "c.yaml"
    path.write_text(json.dumps(config))
    return fit(
        load_config(path),
        data_dir=folder,
        runs_root=folder,
        run_directory=folder / name,
        **options,
    )


def compiled(**options: Any) -> Any:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, **options), "mse")
    return model


ROWS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
TARGETS = np.ones((20, 2), np.float32)


def test_the_averages_stand_in_the_model_for_the_block_only() -> None:
    model = compiled(use_ema=True, ema_momentum=0.5)
    model.train_on_batch(ROWS, TARGETS)
    after_one = model.get_weights()
    model.train_on_batch(ROWS, TARGETS)
    after_two = model.get_weights()
    with averaged_weights(model):
        inside = model.get_weights()
    for one, two, average, now in zip(
        after_one, after_two, inside, model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(average, (one + two) / 2, rtol=1e-6)
        assert now.tobytes() == two.tobytes()


def test_weights_come_back_from_a_block_that_fails() -> None:
    model = compiled(use_ema=True)
    model.train_on_batch(ROWS, TARGETS)
    model.train_on_batch(ROWS, TARGETS)
    before = model.get_weights()
    with pytest.raises(KeyError), averaged_weights(model):
        raise KeyError
    for one, other in zip(before, model.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("steps", [0, 1])
def test_nothing_happens_without_averages(steps: int) -> None:
    model = compiled(use_ema=steps == 0)
    for _ in range(steps):
        model.train_on_batch(ROWS, TARGETS)
    model.optimizer.build(model.trainable_variables)
    before = model.get_weights()
    with averaged_weights(model):
        for one, other in zip(before, model.get_weights(), strict=True):
            assert one.tobytes() == other.tobytes()


def test_the_model_kept_is_the_average_that_keras_fit_ends_with(tmp_path: Path) -> None:
    last = change(AVERAGED, training__early_stopping={"restore_best_weights": False})
    result = train(last, tmp_path)
    saved = keras.models.load_model(result.paths.model)
    loaded = load_config(tmp_path / "c.yaml")
    data = load_data(loaded.config.dataset, seed=3, data_dir=tmp_path)
    tables = {split: table.in_memory() for split, table in data.tables.items()}
    keras.utils.set_random_seed(3)
    script, _ = prepare_network(loaded, data)
    script.compile(
        keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    train_rows = tables["train"]
    script.fit(
        train_rows.inputs.astype(np.float32),
        train_rows.labels,
        batch_size=64,
        epochs=3,
        shuffle=False,
        verbose=0,
    )
    for ours, theirs in zip(saved.get_weights(), script.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    validation = tables["validation"]
    predicted = np.asarray(saved(validation.inputs.astype(np.float32))).argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert result.history[-1]["val_accuracy"] == pytest.approx(accuracy)
    assert result.scores["validation"]["accuracy"]["value"] == pytest.approx(accuracy)


@pytest.mark.parametrize("frequency", [None, 7])
def test_a_training_with_averages_that_was_interrupted_ends_at_the_same_bits(
    frequency: int | None, tmp_path: Path
) -> None:
    config = change(AVERAGED, optimizer__ema_overwrite_frequency=frequency)
    whole = train(config, tmp_path, "whole")
    with pytest.raises(Interrupted):
        train(config, tmp_path, "parts", listener=Interrupting())
    parts = train(config, tmp_path, "parts", resume=True)
    assert compare_runs(whole.paths.root, parts.paths.root) == []
