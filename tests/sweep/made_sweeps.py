"""How is a sweep's folder made without a training? Its config, sweep.json, and what runs leave."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tiny_runs import REGRESSION, change

from dltrain.config.load import load_config
from dltrain.config.sweep import Sweep
from dltrain.runs.atomic import write_json
from dltrain.runs.history import write_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import FORMAT
from dltrain.runs.status import begin_status, write_status
from dltrain.runs.sweeps import SweepPaths, make_folders, write_sweep
from dltrain.sweep.space import choose_point
from dltrain.sweep.study import Recorded

HOSTILE = "</script><b>one</b>"

# A block, a value that only one of its choices has, and every kind of range.
SPACE: dict[str, Any] = {
    "optimizer": {"choice": ["adam", {"type": "sgd", "momentum": 0.5}]},
    "optimizer.momentum": {"uniform": [0, 0.9], "when": {"optimizer.type": "sgd"}},
    "optimizer.learning_rate": {"log_uniform": [1e-4, 0.1]},
    "training.batch_size": {"int": [5, 20], "step": 5},
    "model.layers[0].name": {"choice": [HOSTILE, "two"]},
    "model.layers[0].units": {"log_int": [1, 50]},
}


def make_sweep(
    folder: Path, trials: int, *, space: Mapping[str, Any] = SPACE, **section: Any
) -> SweepPaths:
    """Make a sweep with so many trials; each third is pruned, and the fifth failed."""
    paths = SweepPaths(folder / "runs" / "line" / "sweep-0001")
    paths.root.mkdir(parents=True)
    make_folders(paths)
    config = change(REGRESSION, sweep={"space": dict(space), "trials": max(trials, 1), **section})
    paths.config.write_text(yaml.safe_dump(config, sort_keys=False))
    sweep = read_sweep(paths)
    draw = random.Random(0)
    rows = [_make_trial(paths, sweep, number, draw) for number in range(1, trials + 1)]
    write_sweep(paths, describe(sweep, rows))
    return paths


def read_sweep(paths: SweepPaths) -> Sweep:
    """Return the checked section of a made sweep."""
    sweep = load_config(paths.config).sweep
    assert sweep is not None
    return sweep


def describe(sweep: Sweep, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the form of sweep.json with these trials."""
    finished = [row for row in rows if row["results"]]
    best = min(finished, key=lambda row: row["results"][0])["trial"] if finished else None
    return {
        "name": "line",
        "state": "finished",
        "reason": "",
        "method": sweep.method,
        "pruner": sweep.pruner["type"],
        "metric": [each.metric for each in sweep.objectives],
        "direction": [each.direction for each in sweep.objectives],
        "seed": sweep.seed,
        "goal": len(rows),
        "study": "line",
        "storage": None,
        "member": None,
        "threads": None,
        "trials": list(rows),
        "best": best,
        "front": [best] if best else [],
        "test": {"metric": "r2", "value": 0.5} if best else None,
        "retrained": None,
    }


def _make_trial(
    paths: SweepPaths, sweep: Sweep, number: int, draw: random.Random
) -> dict[str, Any]:
    document = load_config(paths.config).document
    values = choose_point(
        document, sweep.dimensions, lambda each: draw.choice(each.points or each.ends)
    ).values
    state = "failed" if number == 5 else "pruned" if number % 3 == 0 else "finished"
    score = abs(values.get("optimizer.learning_rate", 0.01) - 0.01) + draw.random() / 10
    epochs = {"failed": 0, "pruned": 1, "finished": 3}[state]
    folder = paths.trial(number)
    folder.root.mkdir()
    write_history(
        folder.history,
        [{"epoch": epoch, "val_loss": score + 1 / epoch} for epoch in range(1, epochs + 1)],
    )
    results = [score + place for place in range(len(sweep.objectives))]
    return {
        "trial": number,
        "run": folder.root.name,
        "at": None,
        "state": state,
        "reason": "The loss became inf in epoch 1." if state == "failed" else "",
        "values": dict(values),
        "results": results if state == "finished" else None,
        "epochs": epochs,
    }


def record(number: int, *results: float, **values: Any) -> Recorded:
    """Return a finished trial as the study knows it; without results it failed."""
    state: Any = "finished" if results else "failed"
    values = values or {"seed_of_it": number}
    return Recorded(number, values, state, "", results or None, epochs=1)


def write_run(run: RunPaths, state: Any, *, value: float | None = None, reason: str = "") -> None:
    """Write what tells that a run has ended, with `value` as the val_loss of its best epoch."""
    run.root.mkdir(parents=True)
    write_status(run.status, begin_status(epochs_goal=1).end(state, reason=reason))
    if value is not None:
        write_history(run.history, [{"epoch": 1, "val_loss": value}])
        write_json(run.metrics, {"format": FORMAT, "training": {"best_epoch": 1}, "splits": {}})
