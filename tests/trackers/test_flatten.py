"""Do settings and scores get the names that trackers take?"""

from __future__ import annotations

import re
from pathlib import Path

from tracked_runs import FLAT_SCORES, SCORES, make_run

from dltrain.trackers.flatten import flatten_config, flatten_scores


def test_a_config_becomes_dotted_names_without_brackets(tmp_path: Path) -> None:
    flat = flatten_config({**make_run(tmp_path).config, "sizes": [3, 4], "none": [], "null": None})
    assert flat == {
        "name": "tiny",
        "seed": 3,
        "model.layers.0": "flatten",
        "model.layers.1.type": "dense",
        "model.layers.1.units": 2,
        "training.epochs": 3,
        "training.shuffle": True,
        "sizes": [3, 4],
    }
    assert all(re.fullmatch(r"[/\w.\- :]+", name) for name in flat)  # what MLflow takes


def test_scores_lose_tables_texts_and_what_is_undefined() -> None:
    assert flatten_scores(SCORES) == FLAT_SCORES
    assert flatten_scores({"test": {"mse": {"value": float("nan")}}}) == {}
