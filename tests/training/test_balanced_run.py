"""Does a training with `training.balance` take other rows for its steps, and for nothing else?"""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared_runs import compare_runs
from tiny_runs import CONFIG, Result, change

from dltrain.config.load import load_config
from dltrain.data.load import load_data
from dltrain.errors import ConfigError
from dltrain.training.fit import FitResult, fit
from dltrain.training.listener import EpochReport, Listener, Plan
from dltrain.training.outcome import Interrupted
from dltrain.training.prepare import prepare_augmentation, prepare_network, prepare_rows

RARE = change(CONFIG, dataset__keep={"3": 0.1}, training__checkpoint={"every_epochs": 1})
Cli = Callable[..., Result]


class Heard(Listener):
    """Remember the notes and the plan; interrupt after an epoch, if asked to."""

    def __init__(self, *, interrupt_after: int = 0) -> None:
        self.notes: list[str] = []
        self.plans: list[Plan] = []
        self._interrupt_after = interrupt_after

    def note(self, text: str) -> None:
        self.notes.append(text)

    def plan(self, plan: Plan) -> None:
        self.plans.append(plan)

    def end_epoch(self, report: EpochReport) -> None:
        if report.epoch == self._interrupt_after:
            raise KeyboardInterrupt


def run(config: dict[str, Any], folder: Path, name: str = "run", **options: Any) -> FitResult:
    path = folder / "c.yaml"
    path.write_text(json.dumps(config))
    loaded = load_config(path)
    return fit(loaded, data_dir=folder, runs_root=folder, run_directory=folder / name, **options)


@pytest.mark.parametrize("method", ["oversample", "undersample"])
def test_only_the_steps_are_taken_on_other_rows(method: str, tmp_path: Path) -> None:
    heard = Heard()
    result = run(change(RARE, training__balance=method), tmp_path, listener=heard, score_train=True)
    loaded = load_config(tmp_path / "c.yaml")
    data = load_data(loaded.config.dataset, seed=loaded.config.seed, data_dir=tmp_path)
    counts = np.bincount(data.tables["train"].labels)
    rows = {"oversample": 10 * counts.max(), "undersample": 10 * counts.min()}[method]
    (plan,) = heard.plans
    assert plan.steps_per_epoch == -(-rows // 64)
    assert plan.rows == {split: len(table) for split, table in data.tables.items()}
    supports = {
        split: [each["support"] for each in scores["per_class"]]
        for split, scores in result.scores.items()
    }
    for split, table in data.tables.items():
        assert supports[split] == np.bincount(table.labels).tolist()
    (note,) = [note for note in heard.notes if note.startswith(method)]
    assert note.startswith(
        f"{method}: {len(data.tables['train']):,} training rows become {rows:,}: "
    )
    recorded = json.loads((result.paths.environment).read_text())["balance"]
    assert recorded["3"] == {"had": counts[3], "has": rows // 10}


@pytest.mark.parametrize("balance", ["oversample", "undersample", "class_weight", "focal_loss"])
def test_a_balanced_training_that_was_interrupted_ends_at_the_same_bits(
    balance: str, tmp_path: Path
) -> None:
    flip = [{"type": "random_flip", "mode": "horizontal"}]
    config = change(RARE, training__balance=balance, dataset__augment=flip)
    whole = run(config, tmp_path, "whole")
    with pytest.raises(Interrupted):
        run(config, tmp_path, "parts", listener=Heard(interrupt_after=1))
    parts = run(config, tmp_path, "parts", resume=True)
    assert compare_runs(whole.paths.root, parts.paths.root) == []


def test_copies_of_a_row_are_augmented_each_in_its_own_way(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    shift = [{"type": "random_translation", "height_factor": 0.4, "width_factor": 0.4}]
    path.write_text(
        json.dumps(change(RARE, training__balance="oversample", dataset__augment=shift))
    )
    loaded = load_config(path)
    data = load_data(loaded.config.dataset, seed=3, data_dir=tmp_path)
    table = prepare_rows(loaded, data).table
    assert table.positions is not None
    rare = table.positions[np.flatnonzero(data.tables["train"].labels == 3)[0]]
    copies = np.flatnonzero(table.positions == rare)[:6]
    assert len(copies) == 6
    augment = prepare_augmentation(loaded, data, prepare_network(loaded, data)[1])
    assert augment is not None
    images = table.take(copies).astype(np.float32)
    changed = np.asarray(augment(images, table.labels[copies].astype(np.int32), copies, 0, 0)[0])
    assert len({image.tobytes() for image in changed}) > 3


def test_smote_trains_on_a_table_of_ones_own(dltrain: Cli, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    with (tmp_path / "rare.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "kind", "y"])
        for row in range(200):
            rare = row % 10 == 0
            a, b = random.normal(2.0 if rare else 0.0, 1.0, 2)
            writer.writerow([f"{a:.3f}", f"{b:.3f}", "xy"[row % 2], "rare" if rare else "no"])
    config = {
        "name": "table",
        "dataset": {"type": "csv", "path": "rare.csv", "target": "y"},
        "model": {"layers": [{"type": "dense", "units": 1}]},
        "training": {"epochs": 1, "balance": "smote"},
    }
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    result = dltrain("fit", tmp_path / "c.yaml", "--run-dir", tmp_path / "run")
    assert result.code == 0, result.err
    assert "smote: 144 training rows become" in result.err


def test_smote_refuses_rows_with_weights_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "dataset: {name: digits}\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
        "training: {balance: oversample}\n"
    )
    loaded = load_config(path)
    data = load_data(loaded.config.dataset, seed=3, data_dir=tmp_path)
    table = data.tables["train"]
    weights = np.ones(len(table), np.float32)
    weighed = dataclasses.replace(table, weights=weights)
    data = dataclasses.replace(data, tables={**data.tables, "train": weighed})
    assert prepare_rows(loaded, data).table.weights is not None
    smote = {"type": "smote", "ratio": 1.0, "k_neighbors": 5}
    training = loaded.config.training.model_copy(update={"balance": smote})
    config = loaded.config.model_copy(update={"training": training})
    with pytest.raises(ConfigError) as caught:
        prepare_rows(dataclasses.replace(loaded, config=config), data)
    assert str(caught.value) == (
        f"{path}:3:21  training.balance\n"
        "  smote makes rows that have no weight; these rows have weights. Use oversample, or "
        "leave the weights out."
    )
