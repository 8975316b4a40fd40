"""Does `dataset:` become tables of the right rows, with statistics of the training rows only?"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_archives import tiny

from dltrain.config.schema import DatasetConfig
from dltrain.data import load as load_module
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.load import LoadedData, load_data, split_dataset
from dltrain.data.texts import pack_texts
from dltrain.data.tokenize import UNKNOWN_ID
from dltrain.errors import DataError


def _make_images(*, published_test: bool = True, classes: int = 3) -> Dataset:
    info = tiny("cifar10", shape=(4, 2, 3), train_rows=60, test_rows=12 if published_test else 0)
    info = dataclasses.replace(info, class_names=tuple("abc"[:classes]))
    rng = np.random.default_rng(0)

    def rows(count: int) -> Rows:
        images = rng.integers(0, 256, (count, 4, 2, 3), dtype=np.uint8)
        images[:, 0, 0, 0] = np.arange(count)  # tells which row it was
        return Rows(images, (np.arange(count) % classes).astype(np.int64))

    return Dataset(info, rows(60), rows(12) if published_test else None, {"checksum": "x"})


def _make_texts(train: list[str], test: list[str]) -> Dataset:
    info = tiny("imdb", shape=(), train_rows=len(train), test_rows=len(test))

    def rows(texts: list[str]) -> Rows:
        labels = (np.arange(len(texts)) % 2).astype(np.int64)
        return Rows(pack_texts(text.encode() for text in texts), labels)

    return Dataset(info, rows(train), rows(test), {})


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Load a dataset that stands in memory instead of one from disk."""

    def load(dataset: Dataset, *, seed: int = 1, **options: Any) -> LoadedData:
        monkeypatch.setattr(load_module, "open_configured_dataset", lambda *_, **__: dataset)
        more = {key: options.pop(key) for key in ("splits", "tokenizer") if key in options}
        config = DatasetConfig(name=dataset.info.name, **options)
        return load_data(config, seed=seed, data_dir=tmp_path, **more)

    return load


def _numbers(loaded: LoadedData, split: str) -> list[int]:
    return loaded.tables[split].take(slice(None))[:, 0, 0, 0].tolist()


def test_training_and_validation_share_the_training_rows(load: Any) -> None:
    loaded = load(_make_images(), validation_split=0.2)
    assert {split: len(table) for split, table in loaded.tables.items()} == {
        "train": 48,
        "validation": 12,
        "test": 12,
    }
    train, validation = _numbers(loaded, "train"), _numbers(loaded, "validation")
    assert sorted(train + validation) == list(range(60))
    assert np.bincount(loaded.tables["validation"].labels).tolist() == [4, 4, 4]


def test_inputs_stay_with_their_labels(load: Any) -> None:
    loaded = load(_make_images(), validation_split=0.2)
    for split in ("train", "validation", "test"):
        numbers = np.array(_numbers(loaded, split))
        assert (numbers % 3).tolist() == loaded.tables[split].labels.tolist()


def test_seed_moves_the_validation_rows_and_never_the_test_rows(load: Any) -> None:
    for published in (True, False):
        dataset = _make_images(published_test=published)
        test_split = None if published else 0.25
        runs = [load(dataset, seed=seed, test_split=test_split) for seed in (1, 2)]
        assert _numbers(runs[0], "test") == _numbers(runs[1], "test")
        assert _numbers(runs[0], "validation") != _numbers(runs[1], "validation")


def test_unpublished_test_rows_are_held_out_of_training_and_validation(load: Any) -> None:
    loaded = load(_make_images(published_test=False), test_split=0.25, validation_split=0.2)
    parts = [_numbers(loaded, split) for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [36, 9, 15]
    assert sorted(row for part in parts for row in part) == list(range(60))
    assert np.bincount(loaded.tables["test"].labels).tolist() == [5, 5, 5]


def test_validation_share_does_not_move_the_test_rows() -> None:
    dataset = _make_images(published_test=False)
    tests = [
        split_dataset(
            dataset,
            DatasetConfig(name="cifar10", test_split=0.25, validation_split=share),
            seed=seed,
        )["test"][1].tolist()
        for share, seed in ((0.0, 1), (0.1, 1), (0.3, 9))
    ]
    assert tests[0] == tests[1] == tests[2]


def test_share_of_no_validation_rows_gives_no_table(load: Any) -> None:
    loaded = load(_make_images(), validation_split=0.0)
    assert set(loaded.tables) == {"train", "test"}
    assert len(loaded.tables["train"]) == 60


def test_only_the_splits_asked_for_are_made(load: Any) -> None:
    assert set(load(_make_images(), splits=("test",)).tables) == {"test"}


def test_the_training_labels_are_there_without_the_training_rows(load: Any) -> None:
    labels = load(_make_images()).tables["train"].labels
    assert load(_make_images(), splits=("test",)).train_labels.tolist() == labels.tolist()


def test_scaling_is_measured_on_the_training_rows(load: Any) -> None:
    dataset = _make_images()
    loaded = load(dataset, normalize="standard", validation_split=0.3)
    images = loaded.tables["train"].take(slice(None))
    assert loaded.scaling is not None
    np.testing.assert_allclose(loaded.scaling.mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(loaded.scaling.scale, images.std(axis=(0, 1, 2)), rtol=1e-12)
    whole = dataset.train.inputs
    assert isinstance(whole, np.ndarray)
    assert not np.allclose(loaded.scaling.mean, whole.mean(axis=(0, 1, 2)), rtol=1e-9)


def test_images_without_normalization_have_no_scaling_but_their_largest_value(load: Any) -> None:
    loaded = load(_make_images(), normalize="none")
    assert loaded.scaling is None
    assert loaded.largest == 255
    assert (loaded.row_shape, loaded.dtype) == ((4, 2, 3), "float32")
    assert loaded.fingerprint == {"checksum": "x"}


TRAIN = [f"good film number{number}" for number in range(20)]
TEXT_OPTIONS = {"max_words": 100, "max_length": 5, "ngrams": 1, "truncate": "end"}


def test_word_that_stands_in_validation_or_test_only_is_unknown(load: Any) -> None:
    loaded = load(
        _make_texts(TRAIN, ["good zebra", "bad film"]), validation_split=0.2, **TEXT_OPTIONS
    )
    good = loaded.tokenizer.token_to_id("good")
    film = loaded.tokenizer.token_to_id("film")
    assert loaded.tables["test"].inputs.tolist() == [
        [good, UNKNOWN_ID, 0, 0, 0],
        [UNKNOWN_ID, film, 0, 0, 0],
    ]
    assert loaded.tables["validation"].inputs.tolist() == [[good, film, UNKNOWN_ID, 0, 0]] * 4
    assert UNKNOWN_ID not in loaded.tables["train"].inputs
    assert (loaded.row_shape, loaded.dtype, loaded.scaling) == ((5,), "int32", None)


def test_tokenizer_of_a_run_is_used_as_it_is(load: Any) -> None:
    dataset = _make_texts(TRAIN, ["good film", "number3"])
    first = load(dataset, seed=1, **TEXT_OPTIONS)
    again = load(dataset, seed=2, tokenizer=first.tokenizer, **TEXT_OPTIONS)
    assert again.tokenizer is first.tokenizer
    assert again.tables["test"].inputs.tolist() == first.tables["test"].inputs.tolist()


def test_pairs_of_words_are_appended_to_the_row(load: Any) -> None:
    options = {**TEXT_OPTIONS, "ngrams": 2, "ngram_buckets": 10}
    loaded = load(_make_texts(TRAIN, ["good film", "good"]), **options)
    assert loaded.row_shape == (9,)
    rows = loaded.tables["test"].take(slice(None))
    assert rows.shape == (2, 9)
    assert 100 <= rows[0, 5] < 110
    assert rows[0, 6:].tolist() == [0, 0, 0]
    assert rows[1, 5:].tolist() == [0, 0, 0, 0]


def test_class_that_would_vanish_is_refused_by_its_name(load: Any) -> None:
    dataset = _make_images()
    labels = np.zeros(60, dtype=np.int64)
    labels[:30], labels[30] = 1, 2
    dataset = dataclasses.replace(dataset, train=Rows(dataset.train.inputs, labels))
    with pytest.raises(DataError) as caught:
        load(dataset, validation_split=0.2)
    assert caught.value.message == (
        "the class 'c' has 1 row; it would vanish from training or from validation, since each "
        "needs one."
    )
    assert caught.value.hint == "Add rows of it, or set dataset.validation_split: 0."


def test_made_and_embedded_data_load_from_their_names(tmp_path: Path) -> None:
    config = DatasetConfig(
        name="synthetic_regression",
        normalize="standard",
        test_split=0.2,
        rows=50,
        features=3,
        noise=0.1,
        nonlinearity=0.0,
    )
    loaded = load_data(config, seed=0, data_dir=tmp_path, offline=True)
    assert {split: table.take(slice(None)).shape for split, table in loaded.tables.items()} == {
        "train": (36, 3),
        "validation": (4, 3),
        "test": (10, 3),
    }
    assert loaded.row_shape == (3,)


@pytest.mark.parametrize("published_test", [True, False])
def test_a_class_is_cut_before_validation_rows_are_held_out_and_never_among_test_rows(
    load: Any, published_test: bool
) -> None:
    dataset = _make_images(published_test=published_test)
    options: dict[str, Any] = {} if published_test else {"test_split": 0.2}
    whole = load(dataset, validation_split=0.25, **options)
    cut = load(dataset, validation_split=0.25, keep={"b": 0.25}, **options)

    def count(loaded: LoadedData, split: str) -> list[int]:
        return np.bincount(loaded.tables[split].labels, minlength=3).tolist()

    assert count(cut, "test") == count(whole, "test")
    assert _numbers(cut, "test") == _numbers(whole, "test")
    rows = 20 if published_test else 16
    kept = [sum(pair) for pair in zip(count(cut, "train"), count(cut, "validation"), strict=True)]
    assert kept == [rows, rows // 4, rows]
    assert 0 < count(cut, "validation")[1] < rows // 4
    np.testing.assert_array_equal(np.bincount(cut.train_labels), count(cut, "train"))
