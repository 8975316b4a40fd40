"""Is a dataset that Hugging Face's `datasets` saved read as any table, or as texts?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from config_problems import Load

from dltrain.data.load import LoadedData, load_data
from dltrain.errors import DataError, MachineError

DENSE = "model: {layers: [{type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
WORDS = (
    "model: {layers: [{type: embedding, input_dim: 30, output_dim: 4}, flatten, "
    "{type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
)


def make(rows: int, *, first: int = 0, **more: Any) -> datasets.Dataset:
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "size": datasets.Value("float64"),
            "label": datasets.ClassLabel(names=["neg", "pos"]),
            **{name: datasets.List(datasets.Value("int64")) for name in more},
        }
    )
    numbers = range(first, first + rows)
    values = {
        "text": [f"film {'good' if n % 2 else 'bad'} {n}" for n in numbers],
        "size": [None if n == 3 else n / 2 for n in numbers],
        "label": [n % 2 for n in numbers],
    }
    return datasets.Dataset.from_dict({**values, **more}, features=features)


def read(load: Load, text: str, folder: Path) -> LoadedData:
    return load_data(load(text).config.dataset, seed=0, data_dir=folder)


def refuse(load: Load, text: str, folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(load, text, folder)
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{folder}/", "")


def test_a_column_of_texts_is_the_input(load: Load, tmp_path: Path) -> None:
    saved = datasets.DatasetDict(
        train=make(40), validation=make(8, first=100), test=make(6, first=200), more=make(2)
    )
    saved.save_to_disk(tmp_path / "d")
    text = (
        "dataset: {type: huggingface, path: d, text: text, target: label, max_words: 30, "
        f"max_length: 4}}\n{WORDS}"
    )
    data = read(load, text, tmp_path)
    assert (data.info.modality, data.info.class_names) == ("text", ("neg", "pos"))
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 40,
        "validation": 8,
        "test": 6,
    }
    good = data.tokenizer.token_to_id("good")
    for table in data.tables.values():
        assert ((table.take(slice(None)) == good).any(axis=1) == table.labels).all()


def test_columns_make_features_as_those_of_any_table(load: Load, tmp_path: Path) -> None:
    make(40).save_to_disk(tmp_path / "d")
    text = f"dataset: {{type: huggingface, path: d, target: label, ignore: [text]}}\n{DENSE}"
    data = read(load, text, tmp_path)
    assert [(each.column, each.kind) for each in data.info.features] == [
        ("size", "number"),
        ("size", "missing"),
    ]
    table = data.tables["train"]
    assert table.positions is not None
    known = table.positions != 3
    np.testing.assert_array_equal(table.take(known)[:, 0], table.positions[known] / 2)
    assert len(data.tables["test"]) == 8, "held out by share"
    again = read(load, text, tmp_path).fingerprint["arrays"]
    assert again == data.fingerprint["arrays"]
    make(41).save_to_disk(tmp_path / "d")
    assert read(load, text, tmp_path).fingerprint["arrays"] != again


def test_bad_data_is_refused_with_its_row(load: Load, tmp_path: Path) -> None:
    text = f"dataset: {{type: huggingface, path: d, target: label, ignore: [text]}}\n{DENSE}"
    (tmp_path / "d").mkdir()
    assert refuse(load, text, tmp_path) == (
        "d holds no dataset: nothing that `save_to_disk` wrote, and no data files. In Python: "
        "datasets.load_dataset(NAME).save_to_disk('d')"
    )
    datasets.DatasetDict(test=make(4)).save_to_disk(tmp_path / "d")
    assert refuse(load, text, tmp_path) == (
        "d has the splits test; expected one called train. Save it as "
        "datasets.DatasetDict({'train': …})."
    )
    unlabelled = make(4).map(lambda row: {"label": -1 if row["size"] == 1 else row["label"]})
    datasets.DatasetDict(train=make(9), test=unlabelled).save_to_disk(tmp_path / "e")
    assert refuse(load, text.replace("path: d", "path: e"), tmp_path) == (
        "e test row 3: the target 'label' is missing (1 of the rows lack it). Remove such rows: "
        "nothing can be learned from them."
    )
    make(4, boxes=[[1], [2], [3], [4]]).save_to_disk(tmp_path / "f")
    assert refuse(load, text.replace("path: d", "path: f"), tmp_path).startswith(
        "f: the column 'boxes' holds list<"
    )
    (tmp_path / "f" / "state.json").write_text("{}")
    assert refuse(load, text.replace("path: d", "path: f"), tmp_path).startswith(
        "f can't be read: "
    )


def test_without_the_package_it_is_said_how_to_get_it(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(4).save_to_disk(tmp_path / "d")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MachineError) as caught:
        load(f"dataset: {{type: huggingface, path: d, target: label}}\n{DENSE}")
    assert (caught.value.message, caught.value.hint) == (
        "dataset.type: huggingface needs the package datasets, which isn't installed.",
        "pip install 'dltrain[huggingface]'",
    )
