"""Does what stands in for a dataset look like it, say what it is, and teach a model something?"""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_archives import pack, tiny, write_files

from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.config.schema import DatasetConfig
from dltrain.data.add import add_dataset
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.load import load_data
from dltrain.data.open import open_dataset, open_smoke_dataset
from dltrain.data.stand_in import describe_stand_in, find_kind, make_stand_in, take_subset
from dltrain.data.texts import Texts
from dltrain.data.tokenize import PADDING_ID, UNKNOWN_ID
from dltrain.errors import DataError

FETCHED = [name for name, info in DATASETS.items() if not info.embedded]
TEXT = {"max_words": 5000, "max_length": 60, "truncate": "end", "ngrams": 1}


def configure(name: str, **options: Any) -> DatasetConfig:
    text = TEXT if DATASETS[name].modality == "text" else {}
    test_split = None if DATASETS[name].test_rows else 0.2
    return DatasetConfig(**{"name": name, "test_split": test_split, **text, **options})


def load(name: str, data_dir: Path, **options: Any) -> Any:
    return load_data(configure(name, **options), seed=7, data_dir=data_dir, smoke=True)


@pytest.mark.parametrize("name", FETCHED)
def test_a_stand_in_has_the_shapes_dtypes_range_classes_and_splits_of_the_real_set(
    name: str,
) -> None:
    info = DATASETS[name]
    made = make_stand_in(info, configure(name), seed=1)
    assert made.test is not None
    for rows in (made.train, made.test):
        assert rows.labels.dtype == np.int64
        counts = np.bincount(rows.labels.astype(int), minlength=len(info.class_names))
        assert len(counts) == len(info.class_names)
        assert counts.min() >= 4
        if info.modality == "text":
            assert isinstance(rows.inputs, Texts)
        else:
            assert isinstance(rows.inputs, np.ndarray)
            assert rows.inputs.shape == (len(rows), *info.shape)
            assert rows.inputs.dtype == np.uint8
            assert (rows.inputs.min(), rows.inputs.max()) == (0, 255)
    assert made.info.class_names == info.class_names
    assert (made.info.train_rows, made.info.test_rows) == (len(made.train), len(made.test))


def test_a_set_without_published_test_rows_gets_none() -> None:
    info = dataclasses.replace(DATASETS["mnist"], test_rows=0)
    assert make_stand_in(info, configure("mnist"), seed=1).test is None


def test_a_stand_in_says_what_it_is() -> None:
    made = make_stand_in(DATASETS["mnist"], configure("mnist"), seed=11)
    assert made.fingerprint == {"name": "mnist", "stand_in": True, "rows": 200, "seed": 11}
    assert describe_stand_in(made.fingerprint) == "a stand-in for mnist, made from seed 11"


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_the_seed_alone_decides_what_is_made(name: str) -> None:
    def content(seed: int) -> bytes:
        rows = make_stand_in(DATASETS[name], configure(name), seed=seed).train
        inputs = rows.inputs.utf8 if isinstance(rows.inputs, Texts) else rows.inputs
        return inputs.tobytes() + rows.labels.tobytes()

    assert content(1) == content(1)
    assert content(1) != content(2)


def count_ids(loaded: Any, split: str, size: int) -> np.ndarray:
    """Return how often each id occurs in each row, as shares."""
    ids = loaded.tables[split].inputs
    counts = np.stack([np.bincount(row[row != PADDING_ID], minlength=size) for row in ids])
    return counts / counts.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", FETCHED)
def test_a_stand_in_can_be_learned_and_what_is_learned_holds_for_test_rows(
    name: str, tmp_path: Path
) -> None:
    loaded = load(name, tmp_path)
    inputs = {
        split: count_ids(loaded, split, TEXT["max_words"])
        if loaded.info.modality == "text"
        else table.take(slice(None)).reshape(len(table), -1) / 255.0
        for split, table in loaded.tables.items()
    }
    labels = {split: table.labels for split, table in loaded.tables.items()}
    classes = np.unique(labels["train"])
    centres = np.stack(
        [inputs["train"][labels["train"] == label].mean(axis=0) for label in classes]
    )
    distances = ((inputs["test"][:, None] - centres) ** 2).sum(axis=2)
    assert (classes[distances.argmin(axis=1)] == labels["test"]).mean() > 0.9


def test_a_made_number_can_be_learned() -> None:
    info = dataclasses.replace(
        DATASETS["mnist"], task="regression", class_names=(), modality="tabular", shape=(5,)
    )
    rows = make_stand_in(info, configure("mnist"), seed=1).train
    assert (rows.inputs.dtype, rows.labels.dtype) == (np.float32, np.float32)  # type: ignore[union-attr]
    design = np.column_stack([np.asarray(rows.inputs), np.ones(len(rows))])
    fitted = design @ np.linalg.lstsq(design, rows.labels, rcond=None)[0]
    assert np.corrcoef(fitted, rows.labels)[0, 1] > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_words": 20_000, "max_length": 40},
        {"max_words": 3_000, "max_length": 600, "validation_split": 0.5},
        {"max_words": 300, "max_length": 5},
        {"truncate": "start"},
    ],
)
def test_made_texts_fill_the_vocabulary_are_padded_and_truncated(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    loaded = load("imdb", tmp_path, **options)
    size = options.get("max_words", TEXT["max_words"])
    length = options.get("max_length", TEXT["max_length"])
    ids = loaded.tables["train"].inputs
    assert loaded.tokenizer.get_vocab_size() == size
    assert ids.max() >= 0.95 * size
    assert (ids == UNKNOWN_ID).any()
    padded = (ids == PADDING_ID).any(axis=1)
    assert 0.1 < padded.mean() < 0.9
    loaded.tokenizer.no_truncation()
    texts = make_stand_in(DATASETS["imdb"], configure("imdb", **options), seed=7).train.inputs
    assert any(len(loaded.tokenizer.encode(text).ids) > length for text in texts)


@pytest.mark.parametrize("name", sorted(DATASETS))
@pytest.mark.parametrize("share", [0.001, 0.1, 0.9])
def test_every_class_is_in_every_split_whatever_its_share(
    name: str, share: float, tmp_path: Path
) -> None:
    loaded = load(name, tmp_path, validation_split=share)
    assert set(loaded.tables) == {"train", "validation", "test"}
    for table in loaded.tables.values():
        assert len(table) >= 4
        if loaded.info.task == "classification":
            assert len(np.unique(table.labels)) == len(loaded.info.class_names)


def test_loaded_data_says_what_it_is(tmp_path: Path) -> None:
    made, real = load("mnist", tmp_path), load("digits", tmp_path)
    assert (made.kind, made.label) == ("stand-in", "a stand-in for mnist, made from seed 7")
    assert (real.kind, real.label) == ("subset", "a subset of digits, 200 rows before splitting")
    whole = load_data(configure("digits"), seed=7, data_dir=tmp_path)
    assert (whole.kind, whole.label) == ("real", "digits")


def test_no_validation_rows_are_made_where_none_are_asked_for(tmp_path: Path) -> None:
    assert set(load("mnist", tmp_path, validation_split=0.0).tables) == {"train", "test"}


def test_a_dozen_made_rows_can_be_split(tmp_path: Path) -> None:
    loaded = load("synthetic_regression", tmp_path, rows=12, features=3, test_split=0.9)
    assert {split: len(table) for split, table in loaded.tables.items()} == {
        "train": 3,
        "validation": 3,
        "test": 6,
    }


def test_a_huge_made_set_is_not_made_whole(tmp_path: Path) -> None:
    few, many = (
        load("synthetic_regression", tmp_path, rows=rows, features=20)
        for rows in (5_000, 100_000_000)  # the second would need 8 GB
    )
    everything = slice(None)
    np.testing.assert_array_equal(
        few.tables["train"].take(everything), many.tables["train"].take(everything)
    )
    assert len(many.train_labels) == 144


def make_uneven() -> Dataset:
    info = tiny("mnist", shape=(2, 2, 1), train_rows=1000, test_rows=100)
    info = dataclasses.replace(info, class_names=("common", "rare", "rarest"))

    def rows(counts: tuple[int, ...]) -> Rows:
        labels = np.random.default_rng(3).permutation(np.repeat(np.arange(3), counts))
        images = np.zeros((len(labels), 2, 2, 1), dtype=np.uint8)
        images[:, 0, 0, 0] = labels
        return Rows(images, labels.astype(np.int64))

    return Dataset(info, rows((960, 36, 4)), rows((90, 8, 2)), {"name": "mnist", "checksum": "x"})


def test_a_subset_has_every_class_as_often_as_it_can() -> None:
    subset = take_subset(make_uneven(), seed=1, rows=60)
    assert np.bincount(subset.train.labels.astype(int)).tolist() == [28, 28, 4]
    assert subset.test is not None
    assert np.bincount(subset.test.labels.astype(int)).tolist() == [41, 8, 2]
    for rows in (subset.train, subset.test):
        np.testing.assert_array_equal(np.asarray(rows.inputs)[:, 0, 0, 0], rows.labels)


def test_a_subset_says_what_it_is_and_depends_on_the_seed() -> None:
    dataset = make_uneven()
    subset = take_subset(dataset, seed=1, rows=60)
    assert subset.fingerprint == {"name": "mnist", "checksum": "x", "subset": 60, "seed": 1}
    assert describe_stand_in(subset.fingerprint) == "a subset of mnist, 60 rows before splitting"
    assert describe_stand_in(dataset.fingerprint) is None
    assert find_kind(dataset.fingerprint) == "real"
    labels = [take_subset(dataset, seed=seed, rows=60).train.labels.tolist() for seed in (1, 1, 2)]
    assert labels[0] == labels[1] != labels[2]


def test_a_subset_of_fewer_rows_than_asked_for_is_the_whole() -> None:
    dataset = open_dataset("diabetes", data_dir=Path("unused"))
    subset = take_subset(dataset, seed=1, rows=10_000)
    np.testing.assert_array_equal(np.asarray(subset.train.inputs), np.asarray(dataset.train.inputs))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("no_network")
def test_a_prepared_set_is_taken_and_one_that_is_not_is_made_without_a_network(
    imdb: DatasetInfo, imdb_files: dict[str, bytes], tmp_path: Path
) -> None:
    config, data_dir = configure("imdb"), tmp_path / "data"

    def open_smoke() -> Dataset:
        return open_smoke_dataset(config, data_dir=data_dir, seed=1, datasets={"imdb": imdb})

    assert open_smoke().fingerprint["stand_in"]
    assert not data_dir.exists()
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(pack(imdb_files))
    add_dataset(imdb, archive, data_dir=data_dir)
    real = open_smoke()
    assert real.fingerprint["subset"] == 24
    assert "stand_in" not in real.fingerprint
    assert isinstance(real.train.inputs, Texts)
    assert real.train.inputs[0] == "train neg 0 é<br />"


def test_a_damaged_set_is_an_error_and_not_stood_in_for(
    mnist: DatasetInfo, idx_files: dict[str, bytes], tmp_path: Path
) -> None:
    add_dataset(mnist, write_files(tmp_path / "idx", idx_files), data_dir=tmp_path / "data")
    (tmp_path / "data" / "mnist" / "train_labels.npy").unlink()
    with pytest.raises(DataError, match=r"train_labels\.npy is missing") as caught:
        open_smoke_dataset(
            configure("mnist"), data_dir=tmp_path / "data", seed=1, datasets={"mnist": mnist}
        )
    assert "dltrain data add mnist" in caught.value.hint


def test_an_unknown_set_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no dataset 'minst'"):
        open_smoke_dataset(DatasetConfig(name="minst"), data_dir=tmp_path, seed=1)
