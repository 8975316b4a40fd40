"""When is a checkpoint due, and what may it cost?"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dltrain.config.schema import CheckpointConfig
from dltrain.training.checkpoints import Checkpoints


def make(folder: Path, monkeypatch: pytest.MonkeyPatch, **config: Any) -> tuple[Any, list[int]]:
    """Return checkpoints that note the epochs after which one is taken, and that list."""
    checkpoints = Checkpoints(folder, CheckpointConfig(**config))
    taken: list[int] = []

    def save(parts: Any, progress: Any) -> None:
        taken.append(progress.epoch)

    monkeypatch.setattr(checkpoints, "_save", save)
    checkpoints.begin(PARTS)
    return checkpoints, taken


PARTS: Any = SimpleNamespace(
    callbacks=SimpleNamespace(callbacks=[]), epochs=6, trained=SimpleNamespace(stop_training=False)
)


def finish_epochs(checkpoints: Any, *, costs: float) -> None:
    """Finish six epochs of ten seconds; every checkpoint adds `costs` to what all have taken."""
    for epoch in range(1, 7):
        checkpoints._begun -= 10
        before = time.monotonic()
        checkpoints.after_epoch(PARTS, SimpleNamespace(epoch=epoch))
        assert time.monotonic() - before < 5
        checkpoints.seconds += costs


def test_by_default_every_epoch_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints, taken = make(tmp_path, monkeypatch)
    finish_epochs(checkpoints, costs=0.05)
    assert taken == [1, 2, 3, 4, 5, 6]


def test_by_default_they_are_left_out_where_they_would_take_too_much_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, taken = make(tmp_path, monkeypatch)
    checkpoints.seconds = 0.35  # as much as may be spent in 35 s; the last epoch always has one
    finish_epochs(checkpoints, costs=0.0)
    assert taken == [4, 5, 6]


def test_every_epoch_that_is_asked_for_has_one_whatever_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, taken = make(tmp_path, monkeypatch, every_epochs=2)
    finish_epochs(checkpoints, costs=100.0)
    assert taken == [2, 4, 6]


def test_none_are_taken_but_the_last_where_none_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, taken = make(tmp_path, monkeypatch, every_epochs=None, every_seconds=None)
    finish_epochs(checkpoints, costs=0.0)
    assert taken == [6]


def test_one_is_overdue_after_some_seconds_inside_an_epoch_or_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, taken = make(tmp_path, monkeypatch, every_epochs=None, every_seconds=60)
    parts = SimpleNamespace(**vars(PARTS), steps_per_epoch=10)
    progress = SimpleNamespace(epoch=1, step=3)
    checkpoints.after_steps(parts, progress)
    assert taken == []
    checkpoints._last -= 61
    checkpoints.after_steps(parts, progress)
    checkpoints.after_epoch(PARTS, SimpleNamespace(epoch=2))
    assert taken == [1, 2]
