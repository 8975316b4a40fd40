"""Do NumPy arrays become images, tables or token ids, and is what is wrong with them told?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from config_problems import Load, Refuse

from dltrain.data.load import LoadedData, load_data
from dltrain.errors import DataError

IMAGES = "model: {layers: [flatten, {type: dense, units: 2}]}\ntraining: {batch_size: 4}\n"
TABLE = "model: {layers: [{type: dense, units: UNITS}]}\ntraining: {batch_size: 4}\n"
IDS = (
    "model: {layers: [{type: embedding, input_dim: 10, output_dim: 2}, flatten, "
    "{type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
)
HALVES = np.arange(40) % 2


@pytest.fixture
def read(load: Load, tmp_path: Path) -> Any:
    """Return what writes arrays, checks a config of them and loads it."""

    def read(model: str, options: str = "", **arrays: Any) -> LoadedData:
        np.savez(tmp_path / "d.npz", **arrays)
        loaded = load(f"dataset: {{type: npz, path: d.npz{options}}}\n{model}")
        return load_data(loaded.config.dataset, seed=0, data_dir=tmp_path)

    return read


def rows_of(data: LoadedData, split: str) -> Any:
    return data.tables[split].take(slice(None))


def test_bytes_are_images_and_a_test_split_stays(read: Any) -> None:
    pixels = np.arange(40 * 6 * 5).reshape(40, 6, 5) % 256
    data = read(
        IMAGES, x_train=pixels, y_train=HALVES, x_test=pixels[:7], y_test=HALVES[:7].astype("u1")
    )
    assert (data.info.modality, data.row_shape, data.info.class_names) == (
        "image",
        (6, 5, 1),
        ("0", "1"),
    )
    test = rows_of(data, "test")
    assert test.dtype == np.uint8
    np.testing.assert_array_equal(test[..., 0], pixels[:7])
    assert data.tables["test"].labels.tolist() == HALVES[:7].tolist()
    assert data.info.class_counts == (20, 20)
    assert data.scaling is not None
    assert data.scaling.scale == (255.0,)


def test_real_numbers_are_images_too(read: Any) -> None:
    pixels = np.random.default_rng(0).normal(size=(40, 4, 4, 3))
    data = read(IMAGES, x=pixels, y=np.where(HALVES, "cat", "dog"))
    assert (data.row_shape, data.info.class_names) == ((4, 4, 3), ("cat", "dog"))
    table = data.tables["train"]
    assert table.inputs.dtype == np.float32
    np.testing.assert_allclose(table.inputs, pixels.astype(np.float32))


def test_two_dimensions_are_a_table_whose_nan_is_missing(read: Any) -> None:
    values = np.arange(80.0).reshape(40, 2)
    values[3, 1] = np.nan
    data = read(TABLE.replace("UNITS", "1"), x=values, y=np.arange(40) / 2)
    assert (data.info.task, data.row_shape) == ("regression", (3,)), "x0, x1, x1 is missing"
    whole = data.tables["train"].inputs
    train = data.tables["train"].positions
    assert train is not None
    known = [values[row, 1] for row in train if row != 3]
    assert whole[3].tolist() == [6, np.median(known), 1]
    assert whole[4].tolist() == [8, 9, 0]


def test_whole_numbers_of_a_table_can_be_ids(read: Any, load: Load) -> None:
    ids = np.random.default_rng(0).integers(0, 9, (40, 6))
    ids[0, 0] = 9
    data = read(IDS, ", modality: tokens", x=ids, y=HALVES)
    assert (data.info.modality, data.row_shape, data.dtype, data.tokenizer) == (
        "text",
        (6,),
        "int32",
        None,
    )
    positions = data.tables["train"].positions
    np.testing.assert_array_equal(rows_of(data, "train"), ids[positions])
    loaded = load(f"dataset: {{type: npz, path: d.npz, modality: tokens, max_words: 10}}\n{IDS}")
    assert (loaded.config.dataset.max_words, loaded.config.dataset.max_length) == (10, 6)


def test_a_number_of_many_values_can_be_classes(read: Any) -> None:
    labels = np.arange(40) % 4 / 2
    data = read(
        TABLE.replace("UNITS", "4"),
        ", task: classification, validation_split: 0.2",
        x=np.eye(40),
        y=labels,
    )
    assert data.info.class_names == ("0", "0.5", "1", "1.5")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            "modality: tokens, max_words: 5",
            "1:64 dataset.max_words: expected >= 10: the largest id is 9, received 5.",
        ),
        (
            "modality: tokens, max_length: 5",
            "1:65 dataset.max_length: expected 6, the ids of a row, received 5.",
        ),
        (
            "modality: tokens, ngrams: 2",
            "1:61 dataset.ngrams: expected 1: pairs are for texts, received 2.",
        ),
        (
            "target: y",
            "1:35 dataset.target: target goes with type: csv, parquet, jsonl, huggingface or tfds.",
        ),
    ],
)
def test_options_that_ids_can_not_have_are_refused(
    refuse: Refuse, tmp_path: Path, options: str, problem: str
) -> None:
    ids = np.arange(240).reshape(40, 6) % 10
    np.savez(tmp_path / "d.npz", x=ids, y=HALVES)
    found = refuse(f"dataset: {{type: npz, path: d.npz, {options}}}\n{IDS}")
    assert f"c.yaml:{problem}" in found


def with_value(value: float, *place: int, shape: tuple[int, ...] = (40, 2)) -> Any:
    array = np.zeros(shape)
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("options", "arrays", "message"),
    [
        (
            "",
            {"a": HALVES},
            "d.npz holds a; expected the arrays x and y, or x_train and y_train. np.savez(path, "
            "x=inputs, y=labels), with x_test and y_test for a test split.",
        ),
        (
            "",
            {"x": np.eye(40), "y": HALVES, "x_test": np.eye(40)},
            "d.npz has x_test, and no y_test.",
        ),
        (
            "",
            {"x": np.eye(40), "y": HALVES[:39]},
            "d.npz: x has the shape (40, 40) and y (39,); expected as many rows in both.",
        ),
        (
            "",
            {"x": np.eye(40), "y": np.eye(40)},
            "d.npz: y has the shape (40, 40); expected one label a row. One-hot labels become "
            "class numbers by y.argmax(axis=1).",
        ),
        ("", {"x": np.zeros((40, 0)), "y": HALVES}, "d.npz: x is empty: its shape is (40, 0)."),
        (
            "",
            {"x": np.zeros(40), "y": HALVES},
            "d.npz: x has the shape (40,) of float64; expected (rows, features), (rows, height, "
            "width) or (rows, height, width, channels).",
        ),
        (
            ", modality: tokens",
            {"x": np.eye(40), "y": HALVES},
            "d.npz: x has the shape (40, 40) of float64; expected (rows, words) of whole numbers.",
        ),
        (
            ", modality: tokens",
            {"x": np.zeros((40, 2), int) - 1, "y": HALVES},
            "d.npz: x[0, 0] is -1; expected ids from 0 up.",
        ),
        (
            "",
            {"x": np.array([["a"]] * 40), "y": HALVES},
            "d.npz: x holds <U1; expected numbers.",
        ),
        (
            "",
            {"x": with_value(np.inf, 5, 1), "y": HALVES},
            "d.npz: x[5, 1] is inf; expected a finite number of float32's range, or NaN for a "
            "missing one.",
        ),
        (
            "",
            {"x": with_value(-1e39, 5, 1), "y": HALVES},
            "d.npz: x[5, 1] is -1e+39; expected a finite number of float32's range, or NaN for a "
            "missing one.",
        ),
        (
            "",
            {"x": with_value(1e39, 5, 1, 0, shape=(40, 2, 2)), "y": HALVES},
            "d.npz: x[5] holds a number that is not finite, or beyond float32's range. Mend the "
            "row, or leave it out.",
        ),
        (
            "",
            {"x": np.eye(40), "y": with_value(1e39, 3, shape=(40,))},
            "d.npz: y[3] is 1e+39; expected a finite number of float32's range.",
        ),
        (
            "",
            {"x": np.eye(40), "y": np.full(40, 0.5)},
            "d.npz: y is 0.5 in every row; there is nothing to learn.",
        ),
        (
            "",
            {"x": with_value(np.nan, slice(None), 1), "y": HALVES},  # type: ignore[arg-type]
            "d.npz: the column 1 of x is NaN in every row.",
        ),
        (
            "",
            {"x": with_value(np.nan, 7, 1, 1, shape=(40, 2, 2)), "y": HALVES},
            "d.npz: x[7] holds a number that is not finite, or beyond float32's range. Mend the "
            "row, or leave it out.",
        ),
        (
            "",
            {"x": np.eye(40), "y": with_value(np.nan, 4, shape=(40,))},
            "d.npz: y[4] is nan; expected a finite number of float32's range.",
        ),
        (
            "",
            {"x": np.eye(40), "y": HALVES * 0},
            "d.npz: y is 0 in every row; expected two classes or more.",
        ),
        (
            "",
            {"x": np.eye(40), "y": HALVES, "x_test": np.eye(40), "y_test": HALVES * 3},
            "d.npz: y_test[1] is 3, a class that no row of y has.",
        ),
        (
            "",
            {"x": np.eye(40), "y": HALVES, "x_test": np.ones((40, 2)), "y_test": HALVES},
            "d.npz: the rows of x_test have the shape (2,), those of x (40,).",
        ),
        (
            ", task: regression",
            {"x": np.eye(40), "y": np.array(["a"] * 40)},
            "d.npz: y holds texts; expected numbers for a regression.",
        ),
    ],
)
def test_bad_arrays_are_refused_with_their_row(
    read: Any, tmp_path: Path, options: str, arrays: dict[str, Any], message: str
) -> None:
    model = IMAGES if np.ndim(arrays.get("x")) == 3 else TABLE.replace("UNITS", "2")
    with pytest.raises(DataError) as caught:
        read(model, options, **arrays)
    told = f"{caught.value.message} {caught.value.hint}".strip()
    assert told.replace(f"{tmp_path}/", "") == message


def test_damaged_files_and_objects_are_refused(load: Load, tmp_path: Path) -> None:
    text = f"dataset: {{type: npz, path: d.npz}}\n{TABLE.replace('UNITS', '2')}"
    path = tmp_path / "d.npz"
    np.savez(path, x=np.eye(40), y=HALVES)
    whole = path.read_bytes()
    for content in (b"no zip", whole[: len(whole) // 2], whole[:900] + b"\1" + whole[901:]):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            load(text)
        assert "can't be read as .npz: " in caught.value.message
    np.savez(path, x=np.eye(40), y=np.array([None] * 40), allow_pickle=True)
    with pytest.raises(DataError) as caught:
        load(text)
    assert caught.value.message == f"{path}: y holds object; expected numbers or texts."
