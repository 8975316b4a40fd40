"""Are the rows of a table split, grouped and weighted as its columns and files say?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from config_problems import Load, Refuse
from own_files import write_lines

from dltrain.data.batches import Table
from dltrain.data.grouped_splits import hold_out_groups
from dltrain.data.load import LoadedData, load_data
from dltrain.errors import DataError

DENSE = "model: {layers: [{type: dense, units: 2}]}\ntraining: {batch_size: 8}\n"


@pytest.fixture
def read(load: Load, tmp_path: Path) -> Callable[[str], LoadedData]:
    """Return what checks a `dataset:` and then loads it."""

    def read(dataset: str) -> LoadedData:
        loaded = load(f"dataset: {dataset}\n{DENSE}")
        return load_data(loaded.config.dataset, seed=0, data_dir=tmp_path)

    return read


def values(data: LoadedData, split: str) -> list[float]:
    return sorted(float(value) for value in data.tables[split].take(slice(None))[:, 0])


def write_rows(path: Path, rows: int = 60, *, first: int = 0) -> Path:
    """Write x, a class, a split, a group of three rows and a weight."""
    lines = ["x,y,part,who,w"]
    for row in range(first, first + rows):
        part = "Test" if row % 5 == 0 else "val" if row % 5 == 1 else "train"
        lines.append(f"{row},{'ab'[row % 2]},{part},p{row // 3},{row / 2}")
    return write_lines(path, *lines)


def test_a_column_says_which_rows_are_which_split(read: Any, load: Load, tmp_path: Path) -> None:
    write_rows(tmp_path / "d.csv")
    text = "{type: csv, path: d.csv, target: y, ignore: [who, w], split_column: part}"
    data = read(text)
    assert values(data, "test") == [row for row in range(60) if row % 5 == 0]
    assert values(data, "validation") == [row for row in range(60) if row % 5 == 1]
    assert values(data, "train") == [row for row in range(60) if row % 5 > 1]
    assert data.row_shape == (1,), "what names the split is no feature"
    loaded = load(f"dataset: {text}\n{DENSE}")
    assert (loaded.info.train_rows, loaded.info.test_rows) == (48, 12)
    assert loaded.info.class_counts == (24, 24), "of those that aren't tested on"
    assert loaded.config.dataset.validation_split == 0.25
    assert loaded.config.training.monitor == "val_loss"


def test_a_resolved_config_with_a_split_column_is_right_again(load: Load, tmp_path: Path) -> None:
    from dltrain.config.dump import dump_config
    from dltrain.config.load import load_config

    write_rows(tmp_path / "d.csv")
    loaded = load(
        "dataset: {type: csv, path: d.csv, target: y, ignore: [who], split_column: part}\n" + DENSE
    )
    (tmp_path / "resolved.yaml").write_text(dump_config(loaded.config))
    assert load_config(tmp_path / "resolved.yaml").config == loaded.config


def test_files_are_splits(read: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "d.csv")
    write_rows(tmp_path / "v.csv", 10, first=100)
    # Columns in another order are the same columns.
    lines = (tmp_path / "v.csv").read_text().splitlines()
    swapped = [",".join([*reversed(line.split(","))]) for line in lines]
    write_lines(tmp_path / "v.csv", *swapped)
    write_rows(tmp_path / "t.csv", 12, first=200)
    data = read(
        "{type: csv, path: d.csv, target: y, ignore: [part, who, w], "
        "validation_path: v.csv, test_path: t.csv}"
    )
    assert values(data, "train") == [*range(60)]
    assert values(data, "validation") == [*range(100, 110)]
    assert values(data, "test") == [*range(200, 212)]
    assert set(data.fingerprint["arrays"]) == {"file", "validation", "test"}


def test_without_test_rows_some_are_held_out_of_those_to_train_on(
    read: Any, tmp_path: Path
) -> None:
    write_rows(tmp_path / "d.csv")
    write_rows(tmp_path / "v.csv", 10, first=100)
    data = read(
        "{type: csv, path: d.csv, target: y, ignore: [part, who, w], validation_path: v.csv, "
        "test_split: 0.5}"
    )
    assert values(data, "validation") == [*range(100, 110)]
    assert (len(data.tables["train"]), len(data.tables["test"])) == (30, 30)


def test_the_rows_of_a_group_stay_together(read: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "d.csv")
    data = read(
        "{type: csv, path: d.csv, target: y, ignore: [part, w], group_column: who, "
        "validation_split: 0.25}"
    )
    groups = {split: {value // 3 for value in values(data, split)} for split in data.tables}
    assert not groups["train"] & groups["test"]
    assert not groups["train"] & groups["validation"]
    assert not groups["test"] & groups["validation"]
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 36,
        "validation": 12,
        "test": 12,
    }
    again = read(
        "{type: csv, path: d.csv, target: y, ignore: [part, w], group_column: who, "
        "validation_split: 0.25}"
    )
    assert values(again, "validation") == values(data, "validation")


def test_groups_are_held_out_with_every_class_and_near_the_share() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), random.integers(1, 20, 40))
    labels = (groups % 10 == 0).astype(np.int64)
    rows = np.arange(len(groups))
    for seed in range(5):
        kept, held = hold_out_groups(
            rows, labels, groups, fraction=0.2, seed=seed, split="test", class_names=("a", "b")
        )
        assert not set(groups[kept]) & set(groups[held])
        assert sorted([*kept, *held]) == [*rows]
        assert abs(len(held) / len(rows) - 0.2) < 0.05
        assert set(labels[held]) == set(labels[kept]) == {0, 1}
        assert abs(labels[held].mean() - labels.mean()) < 0.1


def test_one_group_can_not_be_split() -> None:
    rows = np.arange(8)
    with pytest.raises(DataError) as caught:
        hold_out_groups(rows, rows * 1.0, rows * 0, fraction=0.2, seed=0, split="test")
    assert caught.value.message == "all 8 rows are of one group: none can be held out for test."


def test_a_class_that_lies_in_one_group_is_refused() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    with pytest.raises(DataError) as caught:
        hold_out_groups(
            np.arange(6),
            labels,
            np.array([0, 1, 2, 3, 4, 4]),
            fraction=0.3,
            seed=0,
            split="test",
            class_names=("a", "b"),
        )
    assert caught.value.message in (
        "no row of 'b' is left in the test split.",
        "no row of 'b' is left in the training split.",
    )


def test_weights_follow_their_rows(read: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "d.csv")
    data = read("{type: csv, path: d.csv, target: y, ignore: [part, who], weight_column: w}")
    for table in data.tables.values():
        assert table.weights is not None
        assert table.weights.dtype == np.float32
        np.testing.assert_array_equal(table.weights, table.take(slice(None))[:, 0] / 2)
        whole = table.in_memory()
        np.testing.assert_array_equal(whole.weights, table.weights)
        np.testing.assert_array_equal(table.head(3).weights, table.weights[:3])
    assert data.row_shape == (1,), "a weight is no feature"
    assert read("{type: csv, path: d.csv, target: y}").tables["train"].weights is None
    assert Table(np.zeros((2, 1)), np.zeros(2)).weights is None


@pytest.mark.parametrize(
    ("lines", "dataset", "message"),
    [
        (
            ["x,y,s", "1,a,train", "2,b,train", "3,a,dev"],
            "{split_column: s}",
            "d.csv:4: the split column 's' is 'dev'; expected train, validation or test.",
        ),
        (
            ["x,y,s", "1,a,train", "2,b,"],
            "{split_column: s}",
            "d.csv:3: the split column 's' is empty.",
        ),
        (
            ["x,y,s", "1,a,train", "2,b,train", "3,c,test", "4,c,test"],
            "{split_column: s}",
            "d.csv:4: the class 'c' of this test row is in no training row.",
        ),
        (
            ["x,y,s", "1,a,test", "2,b,test"],
            "{split_column: s}",
            "d.csv has no row to train on: 's' names none.",
        ),
        (
            ["x,y,s,g", "1,a,train,p", "2,b,train,q", "3,a,test,p", "4,b,test,r"],
            "{split_column: s, group_column: g}",
            "d.csv:4: the group 'p' of 'g' is in test; d.csv:2 puts it in train.",
        ),
        (
            ["x,y,g", "1,a,p", "2,b,", "3,a,q"],
            "{group_column: g}",
            "d.csv:3: the group column 'g' is empty.",
        ),
        (
            ["x,y,w", "1,a,1", "2,b,-1"],
            "{weight_column: w}",
            "d.csv:3: the weight 'w' is '-1'; expected a finite number of at least 0.",
        ),
        (
            ["x,y,w", "1,a,1", "2,b,"],
            "{weight_column: w}",
            "d.csv:3: the weight 'w' is missing; expected a finite number of at least 0.",
        ),
        (
            ["x,y,w", "1,a,1", "2,b,inf"],
            "{weight_column: w}",
            "d.csv:3: the weight 'w' is 'inf'; expected a finite number of at least 0.",
        ),
        (
            ["x,y,w", "1,a,1", "2,b,much"],
            "{weight_column: w}",
            "d.csv:3: the weight 'w' is 'much'; expected a finite number of at least 0.",
        ),
        (
            ["x,y,w", "1,a,0", "2,b,0"],
            "{weight_column: w}",
            "d.csv: every row has the weight 0; nothing could be learned.",
        ),
    ],
)
def test_columns_that_say_it_wrongly_are_refused_with_their_row(
    load: Load, tmp_path: Path, lines: list[str], dataset: str, message: str
) -> None:
    write_lines(tmp_path / "d.csv", *lines)
    text = f"{{type: csv, path: d.csv, target: y, {dataset[1:]}"

    def read() -> None:
        loaded = load(f"dataset: {text}\n{DENSE.replace('8', 'full')}")
        load_data(loaded.config.dataset, seed=0, data_dir=tmp_path)

    with pytest.raises(DataError) as caught:
        read()
    assert caught.value.message.replace(f"{tmp_path}/", "") == message


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        (
            "{type: csv, path: d.csv, target: y, split_column: parts}",
            "1:60 dataset.split_column: d.csv has no column 'parts'. Did you mean 'part'?",
        ),
        (
            "{type: csv, path: d.csv, target: y, weight_column: y}",
            "1:61 dataset.weight_column: 'y' is the target; it can not be the weight column too.",
        ),
        (
            "{type: csv, path: d.csv, target: y, columns: {who: category, z: text}}",
            "1:71 dataset.columns.z: d.csv has no column 'z'. It has x, y, part, who, w.",
        ),
        (
            "{type: csv, path: d.csv, target: y, columns: {who: name}}",
            "1:55 dataset.columns: expected one of number, category, datetime, text, received "
            "the text 'name'.",
        ),
        (
            "{type: csv, path: d.csv, target: y, split_column: part, validation_split: 0.2}",
            "1:66 dataset.validation_split: split_column already names the validation rows, 25.0% "
            "of those not tested on. Leave validation_split out.",
        ),
        (
            "{type: csv, path: d.csv, target: y, split_column: part, test_split: 0.2}",
            "1:66 dataset.test_split: d.csv has a published test split of 12 rows; test_split is "
            "for data without one.",
        ),
        (
            "{type: csv, path: d.csv, target: y, split_column: part, test_path: d.csv}",
            "1:46 dataset.split_column: test_path says which rows are a split; split_column says "
            "it of each row. Only one of them can. Leave one of them out.",
        ),
        (
            "{type: csv, path: d.csv, target: y, test_path: e.csv}",
            "1:57 dataset.test_path: there is no e.csv. Did you mean 'd.csv'?",
        ),
        (
            "{type: text_folder, path: d.csv, split_column: part}",
            "1:43 dataset.split_column: split_column goes with type: csv, parquet, jsonl, "
            "huggingface or tfds.",
        ),
    ],
)
def test_keys_that_name_columns_wrongly_are_refused(
    refuse: Refuse, tmp_path: Path, dataset: str, problem: str
) -> None:
    write_rows(tmp_path / "d.csv")
    found = refuse(f"dataset: {dataset}\n{DENSE}")
    assert f"c.yaml:{problem}" in found


def test_a_file_with_other_columns_is_refused(load: Load, tmp_path: Path) -> None:
    write_lines(tmp_path / "d.csv", "x,y", "1,a", "2,b")
    write_lines(tmp_path / "t.csv", "z,y", "1,a", "2,b")
    with pytest.raises(DataError) as caught:
        load("dataset: {type: csv, path: d.csv, target: y, test_path: t.csv}\n" + DENSE)
    assert caught.value.message == f"{tmp_path}/t.csv has no column 'x'."


def test_a_trial_of_few_rows_splits_them_by_share(load: Load, tmp_path: Path) -> None:
    lines = [f"{row},{'ab'[row % 2]},{'train' if row < 900 else 'val'},g" for row in range(1000)]
    write_lines(tmp_path / "d.csv", "x,y,part,who", *lines)
    loaded = load(
        "dataset: {type: csv, path: d.csv, target: y, split_column: part, test_split: 0.1}\n"
        + DENSE
    )
    data = load_data(loaded.config.dataset, seed=0, data_dir=tmp_path, smoke=True)
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 162,
        "validation": 18,
        "test": 20,
    }
