"""Do raw rows become the model's numbers by what the training rows said, and by nothing else?"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_files import write_lines

from dltrain.config.schema import DatasetConfig
from dltrain.data.load import LoadedData, load_data
from dltrain.data.preprocessing import from_record, to_record
from dltrain.data.table_encoding import ColumnEncoding, encode_rows
from dltrain.errors import DataError

COLUMNS = (
    ColumnEncoding("size", "number", marks_missing=True, median=2.5),
    ColumnEncoding("age", "number", median=40.0),
    ColumnEncoding("colour", "category", values=("blue", "red", "tan"), unseen=("tan",)),
    ColumnEncoding("town", "category", values=("Ulm",), marks_missing=True),
)


def encode(**row: str) -> list[float]:
    whole = {"size": "1", "age": "30", "colour": "red", "town": "Ulm", **row}
    return [float(value) for value in encode_rows(COLUMNS, [whole])[0]]


def refuse(columns: tuple[ColumnEncoding, ...], row: dict[str, str]) -> str:
    with pytest.raises(DataError) as caught:
        encode_rows(columns, [row], say_row=lambda index: f"new.csv:{index + 2}")
    return caught.value.message


def test_a_raw_row_becomes_numbers() -> None:
    #                                    size, missing, age, blue, red, tan, Ulm, no town
    assert encode(size=" 7 ", further="no matter") == [7, 0, 30, 0, 1, 0, 1, 0]


def test_a_missing_value_is_the_median_and_is_marked_where_training_rows_lacked_some() -> None:
    assert encode(size="") == [2.5, 1, 30, 0, 1, 0, 1, 0]
    assert encode(age="NA") == [1, 0, 40, 0, 1, 0, 1, 0]
    assert encode(town="?") == [1, 0, 30, 0, 1, 0, 0, 1]
    assert encode(colour="") == [1, 0, 30, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("colour", ["green", "tan"])
def test_a_category_that_no_training_row_had_is_unknown(colour: str) -> None:
    assert encode(colour=colour) == [1, 0, 30, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("text", ["tall", "inf", "1e39", "nan(3)"])
def test_a_value_of_a_wrong_type_names_its_row_and_column(text: str) -> None:
    row = {"size": text, "age": "3", "colour": "red", "town": "Ulm"}
    assert refuse(COLUMNS, row) == (
        f"new.csv:2: the column 'size' is '{text}'; expected a finite number, as in the rows that "
        "the model was trained on."
    )


def test_a_column_that_is_missing_is_named() -> None:
    assert refuse(COLUMNS, {"size": "1"}) == "new.csv:2 has no column 'age'."


def test_a_moment_is_its_year_and_three_places_on_circles() -> None:
    column = ColumnEncoding("at", "datetime", has_time=True, marks_missing=True, median=2020.0)
    # 2024-07-02 was a Tuesday, half a year (183 of 366 days) after New Year.
    noon, midnight, missing = encode_rows(
        [column], [{"at": "2024-07-02 12:00"}, {"at": "2024-07-02T00:00:00Z"}, {"at": ""}]
    )
    tuesday = 2 * math.pi / 7
    weekday = [math.sin(tuesday), math.cos(tuesday)]
    season = 2 * math.pi * 183 / 366
    np.testing.assert_allclose(
        midnight,
        [2024.5, math.sin(season), math.cos(season), *weekday, 0, 1, 0],
        atol=1e-6,
        rtol=1e-6,
    )
    np.testing.assert_allclose(noon[3:], [*weekday, 0, -1, 0], atol=1e-6)
    assert missing.tolist() == [2020, 0, 0, 0, 0, 0, 0, 1], "no season, weekday or hour at all"
    assert refuse((column,), {"at": "02.07.2024"}) == (
        "new.csv:2: the column 'at' is '02.07.2024'; expected a date by ISO 8601, such as "
        "2026-03-01, as in the rows that the model was trained on."
    )


def test_a_text_has_the_words_that_training_rows_had() -> None:
    column = ColumnEncoding("said", "text", words=("good", "film", "!"))
    rows = encode_rows([column], [{"said": "Good, good food!"}, {"said": ""}])
    assert rows.shape == (2, 100)
    assert np.flatnonzero(rows[0]).tolist() == [0, 2]
    assert not rows[1].any()


def test_no_rows_are_a_table_of_no_rows() -> None:
    assert encode_rows(COLUMNS, []).shape == (0, 8)


def write_visits(path: Path) -> Path:
    lines = ["when,said,kind,size,y"]
    for row in range(60):
        size = "" if row % 9 == 0 else str(row / 4)
        lines.append(f"2025-{row % 12 + 1:02}-11,w{row // 2} word{row % 3},k{row},{size},{row}.5")
    return write_lines(path, *lines)


def load(path: Path, **more: Any) -> LoadedData:
    config = DatasetConfig(
        type="csv",
        path=str(path),
        target="y",
        task="regression",
        test_split=0.25,
        columns={"said": "text"},
    )
    return load_data(config, seed=0, data_dir=path.parent, **more)


def test_what_is_saved_gives_raw_rows_the_numbers_of_the_training(tmp_path: Path) -> None:
    path = write_visits(tmp_path / "d.csv")
    data = load(path)
    record = json.loads(json.dumps(to_record(data.preprocessing)))
    assert from_record(record) == data.preprocessing
    header, *lines = path.read_text().splitlines()
    raw = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
    encoded = from_record(record).encode(raw, say_row=str)
    for table in data.tables.values():
        assert table.positions is not None
        np.testing.assert_array_equal(table.take(slice(None)), encoded[table.positions])
    words = data.preprocessing.columns[1].words
    assert set(words[:3]) == {"word0", "word1", "word2"}, "the most frequent ones"
    train = data.tables["train"].positions
    assert train is not None
    both = {row // 2 for row in train if row % 2 == 0 and row + 1 in train}
    assert 0 < len(both) < 30
    assert set(words[3:]) == {f"w{pair}" for pair in both}, "those of two training rows"


def test_what_a_run_saved_is_applied_and_not_learned_again(tmp_path: Path) -> None:
    path = write_visits(tmp_path / "d.csv")
    learned = load(path).preprocessing
    size = learned.columns[3]
    other = ColumnEncoding("size", "number", marks_missing=True, median=-77.0)
    changed = from_record(
        {**to_record(learned), "columns": [*to_record(learned)["columns"][:3], vars(other)]}
    )
    table = load(path, preprocessing=changed).tables["train"].take(slice(None))
    assert size.median not in table[table[:, -1] == 1, -2]
    assert set(table[table[:, -1] == 1, -2]) == {-77.0}


def test_data_with_other_columns_than_those_of_the_run_is_refused(tmp_path: Path) -> None:
    learned = load(write_visits(tmp_path / "d.csv")).preprocessing
    write_lines(tmp_path / "d.csv", "said,y", *(f"a{row},{row}.5" for row in range(60)))
    with pytest.raises(DataError) as caught:
        load(tmp_path / "d.csv", preprocessing=learned)
    assert caught.value.message == (
        "d.csv no longer has the columns and classes that the run was trained on."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"columns": [{"name": "x", "kind": "colour"}]},
            "columns.0.kind: Input should be 'number'",
        ),
        ({"class_names": None}, "class_names: Input should be a valid tuple"),
    ],
)
def test_a_damaged_record_is_told(change: dict[str, Any], message: str) -> None:
    record = {"format": 1, "modality": "tabular", "task": "regression", "class_names": []}
    with pytest.raises(ValueError) as caught:
        from_record({**record, "shape": [1], **change})
    assert str(caught.value).startswith(message)
