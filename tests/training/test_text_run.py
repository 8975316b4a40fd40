"""Does a run on texts, from the archive to `eval`, work end to end?"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from tiny_runs import Result

from dltrain.catalog.datasets import DATASETS
from dltrain.commands import data as data_command
from dltrain.config import load as config_load
from dltrain.data.open import open_dataset

TRAIN_ROWS, TEST_ROWS = 80, 20

CONFIG: dict[str, Any] = {
    "name": "reviews",
    "dataset": {
        "name": "imdb",
        "validation_split": 0.2,
        "max_words": 200,
        "max_length": 12,
        "ngrams": 2,
        "ngram_buckets": 100,
    },
    "model": {
        "layers": [
            {"type": "embedding", "input_dim": 300, "output_dim": 8, "mask_zero": True},
            "global_average_pooling1d",
            {"type": "dense", "units": 1},
        ]
    },
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "metrics": ["accuracy"],
    "training": {"batch_size": 16, "epochs": 6},
}


def write_reviews(folder: Path) -> Path:
    """Write reviews as the publisher lays them out: one word tells good from bad."""
    words = {"neg": "dreadful", "pos": "splendid"}
    for split, rows in (("train", TRAIN_ROWS), ("test", TEST_ROWS)):
        for label, stars in (("neg", 2), ("pos", 9)):
            (folder / split / label).mkdir(parents=True)
            for number in range(rows // 2):
                text = f"The film no {number} was <br />{words[label]}, I think; {split}ed on it."
                (folder / split / label / f"{number}_{stars}.txt").write_text(text)
    return folder


@pytest.fixture
def few_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `imdb` mean a data set of a hundred reviews."""
    info = dataclasses.replace(
        DATASETS["imdb"], train_rows=TRAIN_ROWS, test_rows=TEST_ROWS, contents={}, sources=()
    )
    few = MappingProxyType({**DATASETS, "imdb": info})
    monkeypatch.setattr(config_load, "DATASETS", few)
    monkeypatch.setattr(data_command, "DATASETS", few)
    monkeypatch.setitem(open_dataset.__kwdefaults__, "datasets", few)


@pytest.mark.usefixtures("few_reviews")
def test_texts_are_added_trained_on_and_evaluated_from_the_run_alone(
    dltrain: Callable[..., Result], write_config: Callable[..., Path], workplace: Path
) -> None:
    write_reviews(workplace / "aclImdb")
    added = dltrain("data", "add", "imdb", "aclImdb", "--data-dir", "data")
    assert added.code == 0, added.err
    shutil.rmtree(workplace / "aclImdb")

    fitted = dltrain("fit", write_config(CONFIG), "--data-dir", "data", "--offline", "--json")
    assert fitted.code == 0, fitted.err
    assert fitted.json["splits"]["test"]["accuracy"]["value"] == 1.0
    assert "Building the vocabulary from the training rows." in fitted.err
    run = Path("runs/reviews/0001")
    vocabulary = json.loads((run / "tokenizer.json").read_text())["model"]["vocab"]
    assert {"splendid", "dreadful", "trained"} <= set(vocabulary)
    assert "tested" not in vocabulary, "the vocabulary is of the training rows alone"
    checksums = json.loads((run / "environment.json").read_text())["dataset"]["arrays"]
    assert set(checksums) >= {"train_utf8.npy", "test_utf8.npy"}

    evaluated = dltrain("eval", "reviews", "--data-dir", "data", "--offline", "--json")
    assert evaluated.code == 0, evaluated.err
    recorded = json.loads((run / "metrics.json").read_text())
    recorded = recorded.get("splits", recorded)["test"]
    assert {key: evaluated.json[key] for key in recorded} == recorded

    (run / "tokenizer.json").write_text("{}")
    damaged = dltrain("eval", "reviews", "--data-dir", "data", "--offline")
    assert damaged.code == 2
    assert damaged.err.startswith("error: runs/reviews/0001/tokenizer.json is missing or damaged: ")

    gone = dltrain("eval", "reviews", "--data-dir", "nowhere", "--offline")
    assert gone.code == 2, "the tokenizer is looked at first"


@pytest.mark.usefixtures("few_reviews")
def test_data_that_is_not_here_offline_names_the_two_commands(
    dltrain: Callable[..., Result], write_config: Callable[..., Path]
) -> None:
    result = dltrain("fit", write_config(CONFIG), "--data-dir", "data", "--offline")
    assert result.code == 3
    assert "dltrain data fetch imdb --data-dir data\n" in result.err
    assert "dltrain data add imdb PATH --data-dir data\n" in result.err
    assert not Path("runs").exists()
