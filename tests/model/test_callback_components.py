"""Can every callback of Keras that a YAML names be built, and does it run?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_networks import NUMBERS, build, load

from dltrain.catalog.components import components
from dltrain.errors import MachineError
from dltrain.runs.layout import RunPaths
from dltrain.training import prepare
from dltrain.training.prepare import build_callbacks

EXAMPLES = {
    "backup_and_restore": ", backup_dir: backup",
    "csv_logger": ", filename: log.csv",
    "early_stopping": ", monitor: loss, patience: 1",
    "model_checkpoint": ", filepath: best.keras, monitor: val_mae",
    "reduce_lr_on_plateau": ", monitor: loss, patience: 0, factor: 0.5, min_delta: 1e9",
    "remote_monitor": ", root: http://127.0.0.1:9",
    "tensorboard": ", log_dir: board",
}
# The package that a callback needs and dltrain doesn't install.
NEEDS = {"tensorboard": "tensorboard", "orbax_checkpoint": "orbax"}
WRITES = {"csv_logger": "log.csv", "model_checkpoint": "best.keras"}


@pytest.mark.parametrize("name", [n for n in components("callbacks") if n not in NEEDS])
def test_a_callback_is_built_and_runs_for_two_epochs(name: str, tmp_path: Path) -> None:
    rest = f"metrics: [mae]\ntraining: {{callbacks: [{{type: {name}{EXAMPLES.get(name, '')}}}]}}"
    network = build("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest, eager=True)
    (callback,) = build_callbacks(network.loaded.config, RunPaths(tmp_path))
    rows = (network.inputs, network.labels)
    history = network.trained.fit(
        *rows, validation_data=rows, epochs=2, callbacks=[callback], verbose=0
    )
    assert np.isfinite(history.history["loss"]).all()
    if name in WRITES:  # inside the run directory, wherever the command was started
        assert (tmp_path / WRITES[name]).is_file()
    if name == "reduce_lr_on_plateau":
        assert float(network.trained.optimizer.learning_rate) < 1e-3


def test_a_monitored_metric_is_maximized_or_minimized_as_it_must_be(tmp_path: Path) -> None:
    rest = (
        "metrics: [mae, r2]\n"
        "training: {callbacks: [{type: early_stopping, monitor: val_r2}, "
        "{type: early_stopping, monitor: val_mae}]}"
    )
    network = build("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest, eager=True)
    first, second = build_callbacks(network.loaded.config, RunPaths(tmp_path))
    assert (first.mode, second.mode) == ("max", "min")


def test_early_stopping_and_the_plateau_come_from_their_own_sections(tmp_path: Path) -> None:
    rest = (
        "training: {early_stopping: {patience: 7}, "
        "reduce_lr_on_plateau: {factor: 0.3, monitor: loss}}"
    )
    network = build("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest, eager=True)
    stopping, plateau = build_callbacks(network.loaded.config, RunPaths(tmp_path))
    assert (stopping.patience, stopping.monitor) == (7, "val_loss")
    assert not stopping.restore_best_weights  # dltrain keeps the best itself
    assert (plateau.factor, plateau.monitor) == (0.3, "loss")


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_callback_of_a_package_that_is_missing_is_refused_before_training(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "find_spec", lambda package: None)
    arguments = EXAMPLES.get(name, ", directory: orbax")
    rest = f"training: {{callbacks: [{{type: {name}{arguments}}}]}}"
    loaded = load("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest)
    with pytest.raises(MachineError) as caught:
        prepare.check_callbacks(loaded)
    expected = f"training.callbacks[0]: {name} needs the package {NEEDS[name]}"
    assert expected in str(caught.value)
