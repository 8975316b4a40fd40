"""When may a run go on, from which checkpoint, and what is said otherwise?"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from compared_runs import compare_checkpoints, compare_runs
from killing import Ended, Kill, Nursery
from killing_points import Point
from tiny_runs import REGRESSION, change

from dltrain.errors import RunError
from dltrain.runs.checkpoint import list_checkpoints, read_last_checkpoint
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.status import is_stale, read_status

# Three steps an epoch, a checkpoint after each; nothing in it depends on how many epochs there are.
SHORT: dict[str, Any] = change(
    REGRESSION,
    dataset__rows=80,
    model__layers=[{"type": "dropout", "rate": 0.2}, {"type": "dense", "units": 1}],
    optimizer={"type": "adam", "learning_rate": 0.05},
    training={
        "batch_size": 16,
        "epochs": 2,
        "checkpoint": {"every_steps": 1, "every_epochs": 1},
    },
)

Train = Callable[..., Ended]


@pytest.fixture
def train(nursery: Nursery, tmp_path: Path) -> Train:
    """Return a function that runs a command line in the test's folder, in a process of its own."""

    def run(*arguments: object, kill: Kill | None = None) -> Ended:
        return nursery.run(*arguments, "--quiet", folder=tmp_path, kill=kill)

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write SHORT; return its path."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(SHORT, sort_keys=False))
    return path


@pytest.fixture
def killed(train: Train, config: Path, tmp_path: Path) -> Path:
    """Return a run that was killed with two checkpoints left."""
    kill = Kill("after replace", Point.of("after unlink checkpoint", 3))
    assert train("fit", config, "--run-dir", "run", kill=kill).was_killed
    assert len(list_checkpoints(tmp_path / "run/checkpoints")) == 2
    return tmp_path / "run"


@pytest.fixture
def whole(train: Train, config: Path, tmp_path: Path) -> Path:
    """Return a run of SHORT that never stopped."""
    assert train("fit", config, "--run-dir", "whole").code == 0
    return tmp_path / "whole"


def cut(path: Path) -> None:
    """Leave half of a file, as a disk does that lost power."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_a_byte(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def empty(path: Path) -> None:
    """Leave nothing in a file but its name."""
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip_a_byte, empty])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    train: Train, killed: Path, whole: Path, damage: Callable[[Path], None], nursery: Nursery
) -> None:
    before, newest = list_checkpoints(killed / "checkpoints")
    damage(newest)
    checkpoint, notes = read_last_checkpoint(killed / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.file_name == before.name
    (note,) = notes
    assert note.startswith(f"{newest} is damaged: ")
    assert note.endswith(" Going back to the one before.")
    resumed = nursery.run("fit", "--resume", "run", folder=killed.parent)
    assert resumed.code == 0, resumed.err
    assert f"run/checkpoints/{newest.name} is damaged: " in resumed.err
    assert "Going on after 1 of 2 epochs and step 1.\n" in resumed.err
    assert compare_runs(whole, killed) == []


def test_every_byte_of_a_checkpoint_is_watched(killed: Path) -> None:
    """Flip single bits all over the file: none may pass, or resume something else unnoticed."""
    from dltrain.runs.checkpoint import read_checkpoint

    path = list_checkpoints(killed / "checkpoints")[-1]
    content = path.read_bytes()
    whole = read_checkpoint(path)
    unnoticed = []
    for place in range(0, len(content), 61):
        damaged = bytearray(content)
        damaged[place] ^= 0x04
        path.write_bytes(damaged)
        try:
            found = read_checkpoint(path)
        except RunError:
            continue
        same = found.state == whole.state and found.arrays.keys() == whole.arrays.keys()
        if not same or any(
            found.arrays[name].tobytes() != array.tobytes()
            or found.arrays[name].dtype != array.dtype
            or found.arrays[name].shape != array.shape
            for name, array in whole.arrays.items()
        ):
            unnoticed.append(place)
    assert unnoticed == []


def test_two_damaged_checkpoints_are_an_error_that_says_what_to_do(
    train: Train, killed: Path
) -> None:
    paths = list_checkpoints(killed / "checkpoints")
    for path, damage in zip(paths, (cut, empty), strict=True):
        damage(path)
    refused = train("fit", "--resume", "run")
    assert refused.code == 2
    assert refused.err.startswith(
        f"error: No checkpoint in run/checkpoints is whole: {paths[1].name}, {paths[0].name}."
    ) or refused.err.startswith(
        f"error: No checkpoint in run/checkpoints is whole: {paths[0].name}, {paths[1].name}."
    )
    assert "train again from its config.yaml" in refused.err
    assert "Traceback" not in refused.err


def test_what_a_killed_write_left_is_removed(train: Train, config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    kill = Kill("half", Point.of("half write checkpoint", 30))
    assert train("fit", config, "--run-dir", "run", kill=kill).was_killed
    assert list((run / "checkpoints").glob(".*.partial.*"))
    (run / ".0123abcd.partial.model.keras").write_bytes(b"half a model")
    assert train("fit", "--resume", "run").code == 0
    assert not list(run.rglob(".*"))


def test_a_run_killed_before_its_first_checkpoint_begins_anew(
    train: Train, config: Path, whole: Path, tmp_path: Path, nursery: Nursery
) -> None:
    kill = Kill("half", Point.of("half write checkpoint", 1))
    assert train("fit", config, "--run-dir", "run", kill=kill).was_killed
    resumed = nursery.run("fit", "--resume", "run", folder=tmp_path)
    assert resumed.code == 0, resumed.err
    assert "No checkpoint was written yet: the run begins anew." in resumed.err
    assert compare_runs(whole, tmp_path / "run") == []


def read_files(run: Path) -> dict[str, bytes]:
    """Return the content of every file of a run, but the lock that a killed process leaves."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_finished_run_is_not_trained_further(train: Train, whole: Path) -> None:
    before = read_files(whole)
    refused = train("fit", "--resume", "whole")
    assert refused.code == 2
    assert refused.err.startswith("error: whole has finished: 2 epochs.\nNothing was changed. ")
    assert "--epochs 3" in refused.err
    assert read_files(whole) == before


def test_two_epochs_and_two_more_equal_four_in_one_go(
    train: Train, whole: Path, config: Path, tmp_path: Path
) -> None:
    assert train("fit", "--resume", "whole", "--epochs", 4).code == 0
    assert train("fit", config, "--epochs", 4, "--run-dir", "four").code == 0
    assert compare_runs(tmp_path / "four", whole) == []


def test_fewer_epochs_than_are_done_are_refused(train: Train, whole: Path) -> None:
    before = read_files(whole)
    refused = train("fit", "--resume", "whole", "--epochs", 1)
    assert refused.code == 2
    assert "whole has trained 2 epochs; --epochs 1 is less." in refused.err
    assert read_files(whole) == before


def test_a_changed_config_is_refused_with_every_difference(
    train: Train, killed: Path, config: Path
) -> None:
    before = read_files(killed)
    changed = change(SHORT, optimizer__learning_rate=0.1, training__batch_size=8, seed=4)
    config.write_text(yaml.safe_dump(changed))
    refused = train("fit", config, "--resume", "run")
    assert refused.code == 2
    for line in (
        "  optimizer.learning_rate: 0.05 there, 0.1 here",
        "  seed: 3 there, 4 here",
        "  training.batch_size: 16 there, 8 here",
    ):
        assert line in refused.err.splitlines()
    assert "epochs, patience, checkpoints, training.input and trackers may change" in refused.err
    assert read_files(killed) == before


def test_what_may_change_is_taken(train: Train, killed: Path, config: Path, whole: Path) -> None:
    changed = change(
        SHORT,
        training__checkpoint={"every_epochs": 2},
        training__input="stream",
        training__callbacks=[{"type": "csv_logger", "filename": "logged.csv"}],
    )
    config.write_text(yaml.safe_dump(changed))
    resumed = train("fit", config, "--resume", "run")
    assert resumed.code == 0, resumed.err
    logged = (killed / "logged.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in logged] == ["epoch", "1"], "killed in the second epoch"
    differences = compare_runs(whole, killed)
    # The files, the config and its callbacks differ, as they should; no number does.
    wanted = ("files", "config.yaml", "checkpoint state callbacks")
    assert [text for text in differences if not text.startswith(wanted)] == []


def test_more_patience_lets_a_run_go_on_that_stopped_early(
    train: Train, config: Path, tmp_path: Path
) -> None:
    # No loss falls by 100: an epoch after the first, and after each patience, is without progress.
    stopping = {"monitor": "val_loss", "patience": 1, "min_delta": 100.0}
    stopped = change(SHORT, training__epochs=6, training__early_stopping=stopping)
    config.write_text(yaml.safe_dump(stopped))
    assert train("fit", config, "--run-dir", "run").code == 0
    assert read_status(tmp_path / "run/status.json").epochs_done == 2
    refused = train("fit", "--resume", "run")
    assert refused.code == 2
    assert "run has finished: 2 epochs, then early stopping." in refused.err
    patient = change(stopped, training__early_stopping__patience=3)
    config.write_text(yaml.safe_dump(patient))
    assert train("fit", config, "--resume", "run").code == 0
    assert train("fit", config, "--run-dir", "patient").code == 0
    assert compare_runs(tmp_path / "patient", tmp_path / "run") == []


def test_two_processes_on_one_run_are_one_too_many(train: Train, killed: Path) -> None:
    before = read_files(killed)
    paths = RunPaths(killed)
    hold_run(paths)
    try:
        refused = train("fit", "--resume", "run")
    finally:
        release_run(paths)
    assert refused.code == 2
    assert refused.err.startswith(f"error: run is in use by process {os.getpid()} on ")
    assert read_files(killed) == before
    assert train("fit", "--resume", "run").code == 0


@pytest.mark.parametrize("place", ["absent", "folder", "file"])
def test_what_is_no_run_is_refused(train: Train, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    refused = train("fit", "--resume", place)
    assert refused.code == 2, refused.err
    assert refused.err.startswith("error: ")
    assert place in refused.err.splitlines()[0]
    assert "Traceback" not in refused.err
    assert list((tmp_path / "folder").iterdir()) == []
    assert not (tmp_path / "absent").exists()


def test_a_killed_run_is_known_as_killed(killed: Path) -> None:
    status = read_status(killed / "status.json")
    assert status.state == "running"
    assert is_stale(status)


def test_a_checkpoint_of_another_model_is_refused(
    train: Train, killed: Path, config: Path, tmp_path: Path
) -> None:
    wider = change(SHORT, dataset__features=4)
    config.write_text(yaml.safe_dump(wider))
    assert train("fit", config, "--run-dir", "wider").code == 0
    shutil.rmtree(killed / "checkpoints")
    shutil.copytree(tmp_path / "wider/checkpoints", killed / "checkpoints")
    refused = train("fit", "--resume", "run")
    assert refused.code == 2, refused.err
    assert "Traceback" not in refused.err


def test_the_last_checkpoints_of_two_equal_runs_are_equal(
    train: Train, whole: Path, config: Path, tmp_path: Path
) -> None:
    """See that the comparison itself finds what differs: two seeds do, one doesn't."""
    assert train("fit", config, "--seed", 9, "--run-dir", "other").code == 0
    one, other = (list_checkpoints(run / "checkpoints")[-1] for run in (whole, tmp_path / "other"))
    assert compare_checkpoints(one, one) == []
    assert compare_checkpoints(one, other)
    assert any("model.keras" in text for text in compare_runs(whole, tmp_path / "other"))
    assert json.loads((whole / "metrics.json").read_text())
