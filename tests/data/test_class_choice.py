"""Are only the rows of the classes asked for used, at most so many, and the same ones each time?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dltrain.catalog.datasets import DATASETS
from dltrain.config.schema import DatasetConfig
from dltrain.data.class_choice import UNCHOSEN, choose_rows
from dltrain.data.embedded import make_embedded
from dltrain.data.load import load_data
from dltrain.data.sources import open_sources
from dltrain.data.splits import limit_classes

CHOSEN = DatasetConfig(
    name="digits", classes=["8", "3"], validation_split=0.2, test_split=0.2, normalize="unit"
)


def test_rows_of_other_classes_are_marked_and_no_input_is_copied() -> None:
    whole = make_embedded(DATASETS["digits"], options={})
    chosen = choose_rows(whole, ["8", 3])
    assert chosen.info.class_names == ("8", "3")
    assert chosen.train.inputs is whole.train.inputs
    before, after = np.asarray(whole.train.labels), np.asarray(chosen.train.labels)
    assert set(after[before == 8]) == {0}
    assert set(after[before == 3]) == {1}
    assert set(after[(before != 8) & (before != 3)]) == {UNCHOSEN}
    assert choose_rows(chosen, ["8", "3"]) is chosen
    assert choose_rows(whole, None) is whole


def test_every_split_holds_the_chosen_classes_alone(tmp_path: Path) -> None:
    data = load_data(CHOSEN, seed=1, data_dir=tmp_path)
    rows = {split: len(table) for split, table in data.tables.items()}
    assert sum(rows.values()) == 174 + 183
    assert rows["test"] == 71
    for table in data.tables.values():
        assert set(np.unique(table.labels)) == {0, 1}
    opened = open_sources(CHOSEN, seed=1, data_dir=tmp_path, splits={"test"})
    assert opened.sources["test"].ids() == data.sources["test"].ids()


def test_a_smoke_run_has_every_chosen_class_in_every_split(tmp_path: Path) -> None:
    few = CHOSEN.model_copy(update={"rows_per_class": 2, "validation_split": 0.01})
    data = load_data(few, seed=1, data_dir=tmp_path, smoke=True)
    assert all(set(np.unique(table.labels)) == {0, 1} for table in data.tables.values())


def test_rows_per_class_leaves_so_many_to_train_and_validate_on(tmp_path: Path) -> None:
    few = CHOSEN.model_copy(update={"rows_per_class": 10})
    data = load_data(few, seed=1, data_dir=tmp_path)
    counts = {split: np.bincount(table.labels).tolist() for split, table in data.tables.items()}
    assert counts["train"] == [8, 8]
    assert counts["validation"] == [2, 2]
    assert sum(counts["test"]) == 71, "test rows stay"


def test_which_rows_stay_follows_from_the_seed_and_the_class() -> None:
    labels = np.repeat([0, 1, 2], [50, 40, 3])
    rows = np.arange(len(labels))
    first = limit_classes(rows, labels, most=5, seed=1)
    assert np.bincount(labels[first]).tolist() == [5, 5, 3]
    assert np.array_equal(first, np.sort(first))
    assert np.array_equal(first, limit_classes(rows, labels, most=5, seed=1))
    assert not np.array_equal(first, limit_classes(rows, labels, most=5, seed=2))
    fewer = limit_classes(rows, labels, most=4, seed=1)
    assert set(fewer) < set(first)
