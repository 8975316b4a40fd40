"""Are values told that make a column, or a target, something else than it is meant to be?"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import Load
from own_files import write_json_reviews, write_lines

from dltrain.errors import DataError

MODEL = "model: {layers: [{type: dense, units: UNITS}]}\ntraining: {batch_size: full}\n"


def make(folder: Path, *, size: str = "", day: str = "", price: str = "") -> None:
    """Write 40 rows of sizes, days, ratings and prices, with what is given in row 7, on line 8."""
    lines = ["size,day,stars,price,kind"]
    for row in range(40):
        own = (size, day, price) if row == 6 else ("", "", "")
        values = (f"{row}.5", f"2026-0{row % 9 + 1}-01", f"{row * 2}.25")
        first, second, last = (odd or usual for odd, usual in zip(own, values, strict=True))
        stars = "5 or more" if row == 6 else row % 5
        lines.append(f"{first},{second},{stars},{last},{'ab'[row % 2]}")
    write_lines(folder / "d.csv", *lines)


def refuse(load: Load, dataset: str, folder: Path) -> str:
    units = "1"
    with pytest.raises(DataError) as caught:
        load(f"dataset: {{type: csv, path: d.csv, {dataset}}}\n{MODEL.replace('UNITS', units)}")
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{folder}/", "")


def test_a_text_among_numbers_is_refused_unless_they_are_names(load: Load, tmp_path: Path) -> None:
    make(tmp_path, size="12 m")
    assert refuse(load, "target: kind", tmp_path) == (
        "d.csv:8: the column 'size' is '12 m'; 39 of its 40 values are numbers. Mend the value; an "
        "empty one stands for a missing one. Or say what the column is: `columns: {'size': "
        "category}`."
    )
    text = "dataset: {type: csv, path: d.csv, target: kind, columns: {size: category}}\n"
    loaded = load(text + MODEL.replace("UNITS", "1"))
    assert sum(feature.column == "size" for feature in loaded.info.features) == 40
    # Of few different numbers, one with words is a category like the others.
    assert sum(feature.column == "stars" for feature in loaded.info.features) == 6


def test_a_date_that_can_not_be_read_is_refused(load: Load, tmp_path: Path) -> None:
    make(tmp_path, day="13/45/2026")
    assert refuse(load, "target: kind", tmp_path) == (
        "d.csv:8: the column 'day' is '13/45/2026'; 39 of its 40 values are dates. Mend the value; "
        "an empty one stands for a missing one. Or say what the column is: `columns: {'day': "
        "category}`."
    )


def test_a_text_among_the_numbers_of_a_target_is_refused(load: Load, tmp_path: Path) -> None:
    make(tmp_path, price="cheap")
    assert refuse(load, "target: price", tmp_path) == (
        "d.csv:8: the target 'price' is 'cheap'; 39 of its 40 values are numbers. Mend the value, "
        "or set dataset.task: classification."
    )


def test_a_number_that_is_the_same_in_every_row_is_no_target(load: Load, tmp_path: Path) -> None:
    write_lines(tmp_path / "d.csv", "x,y", *(f"{row},1.5" for row in range(20)))
    assert refuse(load, "target: y", tmp_path) == (
        "d.csv: the target 'y' is '1.5' in every row; there is nothing to learn."
    )


def test_texts_that_are_missing_are_told(load: Load, tmp_path: Path) -> None:
    path = write_json_reviews(tmp_path / "d.jsonl", texts=20)
    text = (
        "dataset: {type: jsonl, path: d.jsonl, text: review, max_words: 30, max_length: 4}\n"
        "model: {layers: [{type: embedding, input_dim: 30, output_dim: 4}, flatten, "
        "{type: dense, units: 1}]}\ntraining: {batch_size: full}\n"
    )
    content = path.read_text()
    path.write_text(content + '{"review": null, "label": "bad"}\n')
    assert load(text).info.summary == (
        "41 rows of text; the target 'label' is one of 2 classes; 1 row has no text, the first is "
        f"{path}:41"
    )
    path.write_text('{"review": "", "label": "bad"}\n{"review": " ", "label": "good"}\n')
    with pytest.raises(DataError) as caught:
        load(text)
    assert caught.value.message == f"{path}: the text 'review' is empty in every row."


def test_utf_16_is_told_from_latin_1(load: Load, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("x,y\n1,a\n2,b\n".encode("utf-16"))
    assert refuse(load, "target: y", tmp_path) == (
        "d.csv is not UTF-8 text: line 1 holds the byte 0xff. Convert it, for example with: iconv "
        "-f UTF-16 -t UTF-8 d.csv"
    )
