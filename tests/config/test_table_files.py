"""Do Parquet files and JSON lines give the same rows as a CSV file, and tell what is damaged?"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from config_problems import Load, Refuse
from own_files import write_flowers, write_houses, write_lines

from dltrain.config.table_columns import scan_table
from dltrain.config.table_files import Source
from dltrain.data.load import LoadedData, load_data
from dltrain.errors import DataError

DENSE = "model: {layers: [{type: dense, units: UNITS}]}\ntraining: {batch_size: 8}\n"
WORDS = (
    "model: {layers: [{type: embedding, input_dim: 30, output_dim: 4}, flatten, "
    "{type: dense, units: 1}]}\ntraining: {batch_size: 8}\n"
)


def write_parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def write_json_lines(path: Path, *rows: Any) -> Path:
    return write_lines(path, *(row if isinstance(row, str) else json.dumps(row) for row in rows))


def read(load: Load, text: str, folder: Path) -> LoadedData:
    return load_data(load(text).config.dataset, seed=0, data_dir=folder)


def refuse_data(load: Load, text: str, folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(load, text, folder)
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("write_csv", "units", "more"),
    [(write_flowers, 3, "target: species, ignore: [id]"), (write_houses, 1, "target: price")],
)
def test_a_parquet_file_gives_the_same_rows_as_a_csv(
    load: Load, tmp_path: Path, write_csv: Any, units: int, more: str
) -> None:
    import pyarrow.csv

    table = pyarrow.csv.read_csv(write_csv(tmp_path / "d.csv"))
    table = table.rename_columns([name or "column 1" for name in table.column_names])
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=40)
    model = DENSE.replace("UNITS", str(units))
    text, parquet = (
        read(load, f"dataset: {{type: {kind}, path: d.{kind}, {more}}}\n{model}", tmp_path)
        for kind in ("csv", "parquet")
    )
    assert parquet.info.features == text.info.features
    assert parquet.preprocessing == text.preprocessing
    for split, rows in text.tables.items():
        other = parquet.tables[split]
        np.testing.assert_array_equal(other.take(slice(None)), rows.take(slice(None)))
        np.testing.assert_array_equal(other.labels, rows.labels)


def test_types_of_parquet_become_texts(tmp_path: Path) -> None:
    day, moment = dt.date(2026, 3, 1), dt.datetime(2026, 3, 1, 14, 30)
    path = write_parquet(
        tmp_path / "d.parquet",
        whole=pa.array([1, None], pa.int32()),
        real=pa.array([0.5, float("nan")], pa.float32()),
        truth=pa.array([True, None]),
        day=pa.array([day, None]),
        moment=pa.array([moment, None], pa.timestamp("ns")),
        zoned=pa.array([moment, None], pa.timestamp("ms", tz="UTC")),
        exact=pa.array([Decimal("1.50"), None]),
        name=pa.array([" Ulm ", None]).dictionary_encode(),
        nothing=pa.array([None, None], pa.null()),
        list=pa.array([[1, 2], None]),
    )
    scan = scan_table(Source(path, "parquet"))
    (first, values), (second, missing) = scan.read_rows()
    assert list(values) == [
        *("1", "0.5", "true", "2026-03-01", "2026-03-01T14:30:00", "2026-03-01T14:30:00+00:00"),
        *("1.50", "Ulm", "", "?"),
    ]
    assert (first[1], second[1]) == (1, 2)
    assert list(missing) == [""] * 9 + ["?"]
    assert {column.name: column.kind for column in scan.columns[:8]} == {
        **dict.fromkeys(("whole", "real", "exact"), "number"),
        **dict.fromkeys(("day", "moment", "zoned"), "datetime"),
        **dict.fromkeys(("truth", "name"), "category"),
    }
    assert [column.has_time for column in scan.columns[3:6]] == [False, True, True]
    assert scan.columns[-1].unusable.startswith("list<")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"x": [[1], [2]], "y": ["a", "b"]},
            "d.parquet: the column 'x' holds LIST; expected numbers, texts, dates or truth values. "
            "Leave it out with `ignore: ['x']`.",
        ),
        (
            {"x": [1.0, float("inf")], "y": ["a", "b"]},
            "d.parquet row 2: the column 'x' is 'inf', which is no finite number of float32's "
            "range. Mend the value; an empty one stands for a missing one.",
        ),
        (
            {"x": [1, 2], "y": ["a", None]},
            "d.parquet row 2: the target 'y' is missing (1 of the rows lack it). Remove such rows: "
            "nothing can be learned from them.",
        ),
        ({"x": pa.array([], pa.int64()), "y": pa.array([], pa.string())}, "d.parquet has no rows."),
    ],
)
def test_bad_data_in_parquet_is_refused_with_its_row(
    load: Load, tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    write_parquet(tmp_path / "d.parquet", **columns)
    kind = str(pq.read_schema(tmp_path / "d.parquet").field("x").type)
    text = "dataset: {type: parquet, path: d.parquet, target: y}\n" + DENSE.replace("UNITS", "2")
    assert refuse_data(load, text, tmp_path) == message.replace("LIST", kind)


def test_a_damaged_parquet_file_is_told(load: Load, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "d.parquet", x=[*range(9000)], y=["a", "b"] * 4500)
    whole = path.read_bytes()
    text = "dataset: {type: parquet, path: d.parquet, target: y}\n" + DENSE.replace("UNITS", "2")
    for content in (b"x,y\n1,2\n", whole[:-20], whole[:200] + bytes(400) + whole[600:]):
        path.write_bytes(content)
        assert refuse_data(load, text, tmp_path).startswith("d.parquet can't be read as Parquet: ")


def test_json_lines_are_texts_with_labels(load: Load, tmp_path: Path) -> None:
    rows = [{"review": f"film {'good' if n % 2 else 'bad'}", "stars": n % 2} for n in range(40)]
    write_json_lines(tmp_path / "d.jsonl", *rows, "")
    write_json_lines(tmp_path / "t.jsonl", *rows[:6])
    loaded = load(
        "dataset: {type: jsonl, path: d.jsonl, text: review, target: stars, max_words: 30, "
        f"max_length: 4, test_path: t.jsonl}}\n{WORDS}"
    )
    assert (loaded.info.modality, loaded.info.class_names) == ("text", ("0", "1"))
    assert (loaded.info.train_rows, loaded.info.test_rows, loaded.info.median_words) == (40, 6, 2)
    assert loaded.info.summary == (
        "46 rows of text; the target 'stars' is one of 2 classes; 6 rows are the test split"
    )
    data = load_data(loaded.config.dataset, seed=0, data_dir=tmp_path)
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 36,
        "validation": 4,
        "test": 6,
    }
    good = data.tokenizer.token_to_id("good")
    ids = data.tables["test"].take(slice(None))
    assert ((ids == good).any(axis=1) == data.tables["test"].labels).all()


def test_the_fields_of_json_lines_have_defaults(load: Load, tmp_path: Path) -> None:
    rows = [{"label": "ab"[n % 2], "text": "so"} for n in range(40)]
    write_json_lines(tmp_path / "d.jsonl", *rows)
    loaded = load(f"dataset: {{type: jsonl, path: d.jsonl, max_words: 30}}\n{WORDS}")
    assert (loaded.config.dataset.text, loaded.config.dataset.target) == ("text", "label")
    assert loaded.info.class_counts == (20, 20)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"text": "a", "label": 1',
            "d.jsonl:2 is no JSON: Expecting ',' delimiter: line 2 column 1 (char 25). Expected a "
            "JSON object a line.",
        ),
        (
            '["a", 1]',
            'd.jsonl:2 holds a list; expected a JSON object, such as {"text": "…", "label": "…"}.',
        ),
        (
            '{"txt": "a", "label": 1}',
            "d.jsonl:2 has no 'text'; it has 'txt', 'label'. Did you mean 'txt'?",
        ),
        (
            '{"text": ["a"], "label": 1}',
            "d.jsonl:2: 'text' is a list; expected a text or a number.",
        ),
        (
            '{"text": "\\ud83d", "label": 1}',
            "d.jsonl:2: 'text' holds half a character, \\ud83d. Characters beyond \\uffff are a "
            "pair of such escapes in JSON.",
        ),
        (
            '{"text": "a", "label": null}',
            "d.jsonl:2: the target 'label' is missing (1 of the rows lack it). Remove such rows: "
            "nothing can be learned from them.",
        ),
    ],
)
def test_bad_json_lines_are_refused_with_their_line(
    load: Load, tmp_path: Path, line: str, message: str
) -> None:
    write_json_lines(tmp_path / "d.jsonl", {"text": "a", "label": 0}, line)
    text = f"dataset: {{type: jsonl, path: d.jsonl}}\n{WORDS}"
    assert refuse_data(load, text, tmp_path) == message


def test_json_lines_in_another_encoding_are_refused(load: Load, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes('{"text": "Köln", "label": 1}'.encode("latin-1"))
    text = f"dataset: {{type: jsonl, path: d.jsonl}}\n{WORDS}"
    assert refuse_data(load, text, tmp_path) == (
        "d.jsonl is not UTF-8 text: line 1 holds the byte 0xf6. Convert it, for example with: "
        "iconv -f LATIN1 -t UTF-8 d.jsonl"
    )


def test_what_columns_are_can_be_said(load: Load, refuse: Refuse, tmp_path: Path) -> None:
    rows = [f"{89_000 + row % 3},2026-0{row % 9 + 1}-01,word a{row},{row}.5" for row in range(60)]
    write_lines(tmp_path / "d.csv", "zip,at,said,y", *rows)
    text = "dataset: {type: csv, path: d.csv, target: y, columns: COLUMNS}\n"
    text += DENSE.replace("UNITS", "1")
    loaded = load(text.replace("COLUMNS", "{zip: category, said: text}"))
    names = [(feature.column, feature.kind) for feature in loaded.info.features]
    assert names == [
        *[("zip", "category")] * 3,
        *[("at", "datetime")] * 5,
        *[("said", "word")] * 100,
    ]
    assert refuse_data(load, text.replace("COLUMNS", "{said: number}"), tmp_path) == (
        "d.csv:2: the column 'said' is 'word a0', which is no number. Mend the value; an empty "
        "one stands for a missing one."
    )
    assert refuse_data(load, text.replace("COLUMNS", "{zip: datetime}"), tmp_path) == (
        "d.csv:2: the column 'zip' is '89000', which is no date by ISO 8601. Write dates as "
        "2026-03-01, or 2026-03-01 14:30 with a time."
    )
