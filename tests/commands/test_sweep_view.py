"""What does a person see of the trials of a sweep?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dltrain.commands.sweep_view import show_sweep


def make_row(trial: int, state: str, result: float | None, **more: Any) -> dict[str, Any]:
    values = {"model.layers[0].units": 8 * trial, "model.layers[1].units": 4, "seed": trial}
    results = None if result is None else [result]
    row = {"trial": trial, "run": f"000{trial}", "state": state, "reason": "", "values": values}
    return {**row, "results": results, "epochs": 3, **more}


def test_trials_are_shown_best_first_with_short_names(capsys: pytest.CaptureFixture[str]) -> None:
    document = {
        "metric": ["val_accuracy"],
        "direction": ["maximize"],
        "goal": 4,
        "reason": "stopped by max_seconds, with 1 trial left",
        "trials": [
            make_row(1, "finished", 0.5),
            make_row(2, "failed", None, reason="Memory ran out."),
            make_row(3, "finished", 0.75),
        ],
        "best": 3,
        "front": [3],
        "test": None,
    }
    show_sweep(Path("runs/a/sweep-0001"), document)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "trial  state     val_accuracy  epochs  layers[0].units  layers[1].units  seed",
        "    3  finished        0.7500       3  24               4                3",
        "    1  finished        0.5000       3  8                4                1",
        "    2  failed                       3  16               4                2",
        "trial 2 failed: Memory ran out.",
        "runs/a/sweep-0001: 3 of 4 trials (2 finished, 1 failed); stopped by max_seconds, with 1 "
        "trial left",
        "best: trial 3, val_accuracy 0.7500",
        "train it again: dltrain fit runs/a/sweep-0001/best.yaml",
    ]
