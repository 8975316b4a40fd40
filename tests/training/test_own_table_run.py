"""Does a run keep what its training rows said of a table, and does `eval` apply that?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from own_files import write_flowers, write_lines
from tiny_runs import Result

from dltrain.runs.layout import RunPaths
from dltrain.training.recorded_data import read_preprocessing

CONFIG = """\
dataset: {type: csv, path: flowers.csv, target: species, ignore: [id]}
model: {layers: [{type: dense, units: 3}]}
optimizer: {type: adam, learning_rate: 0.05}
training: {epochs: 8, batch_size: 8}
"""


def test_eval_applies_what_the_training_rows_said(
    dltrain: Callable[..., Result], workplace: Path
) -> None:
    write_flowers(workplace / "flowers.csv")
    write_lines(workplace / "c.yaml", CONFIG)
    fitted = dltrain("fit", "c.yaml", "--device", "cpu", "--run-dir", "run", "--quiet")
    assert fitted.code == 0, fitted.err
    paths = RunPaths(workplace / "run")
    learned = read_preprocessing(paths)
    assert learned is not None
    assert learned.class_names == ("a", "b", "c")
    assert [(column.name, column.kind) for column in learned.columns] == [
        ("length", "number"),
        ("colour", "category"),
    ]

    # A raw row, by the record and the model alone, is of the class that it looks like.
    from dltrain.evaluation.saved_model import load_saved_model

    rows = [{"length": "2.0", "colour": "blue"}, {"length": "0", "colour": "red"}]
    outputs = np.asarray(load_saved_model(paths.model)(learned.encode(rows, say_row=str)))
    assert [learned.class_names[place] for place in outputs.argmax(axis=1)] == ["c", "a"]

    evaluated = dltrain("eval", "run", "--device", "cpu", "--json")
    assert evaluated.code == 0, evaluated.err
    record = json.loads(paths.preprocessing.read_text(encoding="utf-8"))
    number = record["columns"][0]
    assert 0 <= number["median"] <= 2
    number["median"] = 1e6
    paths.preprocessing.write_text(json.dumps(record), encoding="utf-8")
    changed = dltrain("eval", "run", "--device", "cpu", "--json")
    assert changed.code == 0, changed.err
    assert changed.json["log_loss"]["value"] > 0.1 + evaluated.json["log_loss"]["value"]

    number["kind"] = "colour"
    paths.preprocessing.write_text(json.dumps(record), encoding="utf-8")
    damaged = dltrain("eval", "run", "--device", "cpu")
    assert damaged.code == 2
    assert damaged.err.startswith(
        "error: run/preprocessing.json is damaged: columns.0.kind: Input should be 'number', "
        "'category', 'datetime' or 'text'."
    )
