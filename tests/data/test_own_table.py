"""Do the rows of a CSV file become the right numbers, by what the training rows know alone?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_files import write_lines

from dltrain.catalog.datasets import Feature
from dltrain.config.csv_file import find_delimiter
from dltrain.config.schema import DatasetConfig
from dltrain.config.table_columns import scan_table
from dltrain.config.table_files import Source
from dltrain.data.dataset import Dataset
from dltrain.data.load import load_data
from dltrain.data.own import open_own_dataset
from dltrain.data.table_encoding import complete_features, learn_columns
from dltrain.errors import DataError

NAN = float("nan")


def read(path: Path, *, target: str = "y", task: str = "regression", **options: Any) -> Dataset:
    return open_own_dataset(
        DatasetConfig(type="csv", path=str(path), target=target, task=task, **options),  # type: ignore[arg-type]
        data_dir=path.parent,
    )


def refuse(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **options)
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{path.parent}/", "")


def test_numbers_categories_and_missing_values_become_features(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "d.csv",
        "size,id,colour,y",
        "1.5,7,red,10",
        " NA ,8,,20",
        "",
        '-2e1,9,"blue, dark",30.5',
    )
    dataset = read(path, ignore=["id"])
    assert dataset.info.features == (
        Feature("size", "number"),
        Feature("size", "missing"),
        Feature("colour", "category", "blue, dark"),
        Feature("colour", "category", "red"),
        Feature("colour", "category"),
    )
    inputs = dataset.train.inputs
    assert isinstance(inputs, np.ndarray)
    assert inputs.dtype == np.float32
    expected = [[1.5, 0, 0, 1, 0], [NAN, 1, 0, 0, 1], [-20, 0, 1, 0, 0]]
    np.testing.assert_array_equal(inputs, np.array(expected, dtype=np.float32))
    assert (dataset.train.labels.dtype, dataset.train.labels.tolist()) == (
        np.float32,
        [10, 20, 30.5],
    )
    assert (dataset.info.shape, dataset.info.train_rows, dataset.test) == ((5,), 3, None)


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        (["10", "9", "10"], ("9", "10"), [1, 0, 1]),
        (["1.0", "0", "1"], ("0", "1"), [1, 0, 1]),
        (["0.5", "-1", "0.5"], ("-1", "0.5"), [1, 0, 1]),
    ],
)
def test_classes_are_numbered_in_order(
    tmp_path: Path, labels: list[str], names: tuple[str, ...], numbers: list[int]
) -> None:
    lines = [f"{row},{label}" for row, label in enumerate(labels)]
    dataset = read(write_lines(tmp_path / "d.csv", "x,y", *lines), task="classification")
    assert dataset.info.class_names == names
    assert dataset.info.class_counts == (1, 2)
    assert (dataset.train.labels.dtype, dataset.train.labels.tolist()) == (np.int64, numbers)


def test_the_median_and_the_known_categories_are_those_of_the_training_rows() -> None:
    features = (
        Feature("x", "number"),
        Feature("c", "category", "a"),
        Feature("c", "category", "b"),
    )
    inputs = np.array([[1, 1, 0], [3, 1, 0], [NAN, 1, 0], [100, 0, 1]], dtype=np.float32)

    def fill(*rows: int) -> Any:
        return complete_features(
            learn_columns(features, inputs, {}, np.array(rows)), inputs, {}
        ).tolist()

    assert fill(0, 1, 2) == [[1, 1, 0], [3, 1, 0], [2, 1, 0], [100, 0, 0]]
    assert np.isnan(inputs[2, 0]), "what was read stays as it is"
    assert fill(2)[2] == [0, 1, 0], "no training row has a number"


def test_loaded_tables_hold_no_missing_value_and_only_what_training_rows_know(
    tmp_path: Path,
) -> None:
    rows = [f"{'' if row % 7 == 0 else row},{'only ' + str(row)},{row}.5" for row in range(40)]
    path = write_lines(tmp_path / "d.csv", "x,c,y", *rows)
    config = DatasetConfig(
        type="csv", path=str(path), target="y", task="regression", test_split=0.25
    )
    loaded = load_data(config, seed=0, data_dir=tmp_path)
    tables = {split: table.take(slice(None)) for split, table in loaded.tables.items()}
    assert {split: len(table) for split, table in tables.items()} == {
        "train": 27,
        "validation": 3,
        "test": 10,
    }
    train = tables["train"]
    present = train[:, 1] == 0
    assert set(train[~present, 0]) == {np.median(train[present, 0])}
    assert train[:, 2:].sum() == 27, "each training row has its category"
    for split in ("validation", "test"):
        assert np.isfinite(tables[split]).all()
        assert not tables[split][:, 2:].any(), "no other row has one that is known"
    only_test = load_data(config, seed=0, data_dir=tmp_path, splits={"test"})
    np.testing.assert_array_equal(only_test.tables["test"].take(slice(None)), tables["test"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_and_a_byte_order_mark_passed_over(
    tmp_path: Path, delimiter: str
) -> None:
    path = tmp_path / "d.csv"
    text = delimiter.join(["a", "b", "y"]) + "\r\n" + delimiter.join(["1", "2", "3"]) + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    scan = scan_table(Source(path, "csv"))
    assert (find_delimiter(path), scan.names) == (delimiter, [*"aby"])


def test_a_column_without_a_name_is_called_by_its_number(tmp_path: Path) -> None:
    scan = scan_table(Source(write_lines(tmp_path / "d.csv", ",x", "0,1"), "csv"))
    assert scan.names == ["column 1", "x"]


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (
            ["x,y", "1,2", "1,2,3"],
            {},
            "d.csv:3 has 3 values; the header has 2. Mend the row; a value that holds the "
            "delimiter ',' needs double quotes.",
        ),
        (
            ["x,y", "1"],
            {},
            "d.csv:2 has 1 value; the header has 2. Mend the row; a value that holds the "
            "delimiter ',' needs double quotes.",
        ),
        (
            ["x,y", "1,2", "2,", "3,?"],
            {},
            "d.csv:3: the target 'y' is missing (2 of the rows lack it). Remove such rows: nothing "
            "can be learned from them.",
        ),
        (
            ["x,y", "1,2", "2,many"],
            {},
            "d.csv:3: the target 'y' is 'many', which is no number. Mend the value, or set "
            "dataset.task: classification.",
        ),
        (
            ["x,y", "1,2", "2,inf"],
            {},
            "d.csv:3: the target 'y' is 'inf', which is no finite number of float32's range. Mend "
            "the value, or set dataset.task: classification.",
        ),
        (
            ["x,y", "1e39,2"],
            {},
            "d.csv:2: the column 'x' is '1e39', which is no finite number of float32's range. Mend "
            "the value; an empty one stands for a missing one.",
        ),
        (
            ["x,y", "1,a", "2,a"],
            {"task": "classification"},
            "d.csv: the target 'y' is 'a' in every row; expected two classes or more.",
        ),
        (
            ["x,y,z", ",1,2"],
            {},
            "d.csv: the column 'x' is empty in every row. Leave it out with `ignore: ['x']`.",
        ),
        (
            ["x,y", "1,2"],
            {"ignore": ["x"]},
            "d.csv has no column to predict 'y' from.",
        ),
        (
            ["y", "1"],
            {},
            "d.csv has one column, 'y'; expected a target and something to predict it from. Values "
            "are parted by a comma, a semicolon, a tab or |.",
        ),
        (
            ["1,2", "3,4"],
            {},
            "d.csv:1 holds numbers only; expected a header. Add a first line with the names of the "
            "columns.",
        ),
        (["x,x,y", "1,2,3"], {}, "d.csv:1: two columns are called 'x'. Rename one of them."),
        (["x,y"], {}, "d.csv has a header and no rows."),
        ([""], {}, "d.csv is empty. Expected a header and rows below it."),
        (
            ["x,y", '"1,2'],
            {},
            "d.csv:2 is no CSV: unexpected end of data.",
        ),
        (
            ["x,y", *(f"name {row},1" for row in range(1001))],
            {},
            "d.csv: the column 'x' has more than 1,000 different values: too many for categories "
            "(d.csv:2: 'name 0'). Leave it out with `ignore: ['x']`. Or, for its words: "
            "`columns: {'x': text}`.",
        ),
        (
            ["x,y", *(f"1,name {row}" for row in range(1001))],
            {"task": "classification"},
            "d.csv: the target 'y' has more than 1,000 different values: too many for classes. "
            "Choose another target, or set dataset.task: regression if it is a number.",
        ),
    ],
)
def test_bad_data_is_refused_with_its_line(
    tmp_path: Path, lines: list[str], options: dict[str, Any], message: str
) -> None:
    assert refuse(write_lines(tmp_path / "d.csv", *lines), **options) == message


def test_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes("town,y\nUlm,1\nKöln,2\n".encode("latin-1"))
    assert refuse(path) == (
        "d.csv is not UTF-8 text: line 3 holds the byte 0xf6. Convert it, for example with: "
        "iconv -f LATIN1 -t UTF-8 d.csv"
    )


def test_the_fingerprint_follows_every_byte(tmp_path: Path) -> None:
    first = read(write_lines(tmp_path / "d.csv", "x,y", "1,2", "3,4")).fingerprint
    again = read(write_lines(tmp_path / "d.csv", "x,y", "1,2", "3,4")).fingerprint
    other = read(write_lines(tmp_path / "d.csv", "x,y", "1,2", "3,5")).fingerprint
    assert first == again
    assert first["arrays"] != other["arrays"]
