"""Does a smoke test see what breaks a config, label what it did, and leave nothing behind?"""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import CONFIG, REGRESSION

from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import TrainingError
from dltrain.runs.layout import RunPaths
from dltrain.training import checkpoints
from dltrain.training.listener import Listener
from dltrain.training.outcome import Interrupted
from dltrain.training.smoke import SmokeResult, plan_trial, run_smoke

Load = Callable[..., LoadedConfig]

MNIST = {**CONFIG, "dataset": {"name": "mnist", "validation_split": 0.1}}


@pytest.fixture
def load(write_config: Callable[..., Path]) -> Load:
    """Return a function that loads a config, changed."""
    return lambda config=REGRESSION, **changes: load_config(write_config(config, **changes))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def smoke(workplace: Path, temporary: Path) -> Callable[..., SmokeResult]:
    """Return a function that tries a config with an empty data folder."""

    def smoke(loaded: LoadedConfig, **options: Any) -> SmokeResult:
        return run_smoke(loaded, data_dir=workplace / "data", **options)

    return smoke


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_trial_changes_how_much_is_done_and_nothing_else(load: Load, tmp_path: Path) -> None:
    loaded = load(MNIST, training__batch_size=128, training__epochs=9)
    trial = plan_trial(loaded, data_dir=tmp_path)
    before, after = (one.config.model_dump() for one in (loaded, trial.loaded))
    changed = {key: after["training"].pop(key) for key in ("batch_size", "epochs", "checkpoint")}
    for key in changed:
        before["training"].pop(key)
    assert before == after
    assert (changed["batch_size"], changed["epochs"]) == (45, 2)
    assert (trial.batch_size, trial.configured_batch_size, trial.steps) == (45, 128, 4)
    assert changed["checkpoint"]["every_steps"] == 2
    assert trial.rows == {"train": 180, "validation": 20, "test": 50}
    assert trial.data == "a stand-in for mnist, made from seed 3"
    assert trial.loaded.layers == loaded.layers
    assert not any(tmp_path.glob("mnist*"))


@pytest.mark.parametrize(("asked", "tried"), [(3, 3), (40, 40), (46, 45), ("full", "full")])
def test_a_batch_is_reduced_only_as_far_as_needed(
    load: Load, tmp_path: Path, asked: Any, tried: Any
) -> None:
    trial = plan_trial(load(MNIST, training__batch_size=asked), data_dir=tmp_path)
    assert trial.loaded.config.training.batch_size == tried


def test_an_early_stopping_that_starts_late_still_fits(load: Load, tmp_path: Path) -> None:
    loaded = load(training__early_stopping={"start_from_epoch": 8}, training__epochs=9)
    trial = plan_trial(loaded, data_dir=tmp_path)
    assert trial.loaded.config.training.early_stopping is not None
    assert trial.loaded.config.training.early_stopping.start_from_epoch == 1


def test_a_config_that_works_is_removed_and_says_what_was_checked(
    load: Load, smoke: Callable[..., SmokeResult], temporary: Path
) -> None:
    result = smoke(load())
    assert result.checks == (
        "trained 10 steps",
        "evaluated validation and test",
        "loaded again, equal",
        "resumed in epoch 2 after step 2, equal",
    )
    assert result.run is None
    assert list(temporary.iterdir()) == []
    assert set(result.fitted.scores) == {"validation", "test"}


def test_a_run_that_is_kept_is_labelled_everywhere(
    load: Load, smoke: Callable[..., SmokeResult], tmp_path: Path, temporary: Path
) -> None:
    result = smoke(load(MNIST), run_directory=tmp_path / "kept")
    run = RunPaths(tmp_path / "kept")
    assert result.run == run.root
    assert read_json(run.status)["data"] == "stand-in"
    assert read_json(run.status)["state"] == "finished"
    assert read_json(run.metrics)["data"] == "stand-in"
    assert read_json(run.environment)["dataset"]["stand_in"] is True
    assert list(temporary.iterdir()) == []


def test_a_training_of_one_step_is_not_interrupted(
    load: Load, smoke: Callable[..., SmokeResult]
) -> None:
    result = smoke(load(training__batch_size="full", training__epochs=1))
    assert result.checks[0] == "trained 1 step"
    assert result.checks[-1] == "not resumed: there is but one step"


def test_full_batches_are_interrupted_between_epochs(
    load: Load, smoke: Callable[..., SmokeResult]
) -> None:
    result = smoke(load(training__batch_size="full"))
    assert result.checks[-1] == "resumed after epoch 1, equal"


def test_a_loss_that_explodes_fails_and_its_run_is_kept_and_named(
    load: Load, smoke: Callable[..., SmokeResult], temporary: Path
) -> None:
    with pytest.raises(TrainingError) as caught:
        smoke(load(optimizer__learning_rate=1e30))
    left = next(temporary.iterdir()) / "uninterrupted"
    assert caught.value.hint.endswith(f"\nWhat the smoke test left: {left}")
    status = read_json(left / "status.json")
    assert (status["state"], status["data"]) == ("failed", "subset")


def test_a_layer_that_is_not_saved_as_it_is_fails(
    load: Load, smoke: Callable[..., SmokeResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    save = keras.layers.Dense.save_own_variables

    def forget(self: Any, store: Any) -> None:
        kept: dict[str, Any] = {}
        save(self, kept)
        for name, values in kept.items():
            store[name] = np.zeros(values.shape, np.float32)

    monkeypatch.setattr(keras.layers.Dense, "save_own_variables", forget)
    with pytest.raises(TrainingError, match="predicts differently from the model that was trained"):
        smoke(load())


def test_what_a_resume_forgets_is_seen(
    load: Load,
    smoke: Callable[..., SmokeResult],
    monkeypatch: pytest.MonkeyPatch,
    temporary: Path,
) -> None:
    put = checkpoints.put_variables

    def forget(trained: Any, arrays: Any) -> Any:
        before = [variable.numpy() for variable in trained.optimizer.variables]
        mismatch = put(trained, arrays)
        for variable, value in zip(trained.optimizer.variables, before, strict=True):
            variable.assign(value)
        return mismatch

    monkeypatch.setattr(checkpoints, "put_variables", forget)
    with pytest.raises(TrainingError, match="interrupted and resumed differs") as caught:
        smoke(load(optimizer__type="adam"))
    folder = next(temporary.iterdir())
    assert f"left: {folder / 'resumed'} and {folder / 'uninterrupted'}" in caught.value.hint


def test_a_person_who_interrupts_it_leaves_nothing_behind(
    load: Load, smoke: Callable[..., SmokeResult], temporary: Path
) -> None:
    class Person(Listener):
        def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        smoke(load(), listener=Person())
    assert (caught.value.exit_code, caught.value.hint) == (143, "")
    assert caught.value.message == "The smoke test was interrupted."
    assert list(temporary.iterdir()) == []


def test_the_number_format_of_one_config_is_not_the_next_ones(
    load: Load, smoke: Callable[..., SmokeResult]
) -> None:
    import keras

    smoke(load(training__precision="mixed_bfloat16", training__epochs=1))
    assert keras.config.dtype_policy().name == "float32"
