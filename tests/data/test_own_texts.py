"""Do the .txt files of a folder become texts of the right classes?"""

from __future__ import annotations

from pathlib import Path

import pytest
from own_files import write_lines, write_reviews

from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset
from dltrain.data.load import load_data
from dltrain.data.own import open_own_dataset
from dltrain.data.progress import Progress
from dltrain.data.texts import Texts
from dltrain.errors import DataError


def read(path: Path) -> Dataset:
    return open_own_dataset(DatasetConfig(type="text_folder", path=str(path)), data_dir=path)


def test_texts_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, file, text in (
        ("b", "1.txt", "zwei"),
        ("a", "2.TXT", "größer"),
        ("a", "1.txt", "eins"),
    ):
        (tmp_path / name).mkdir(exist_ok=True)
        write_lines(tmp_path / name / file, text)
    (tmp_path / "b" / "0.txt").write_bytes(b"\xef\xbb\xbfnull")
    dataset = read(tmp_path)
    assert isinstance(dataset.train.inputs, Texts)
    assert list(dataset.train.inputs) == ["eins\n", "größer\n", "null", "zwei\n"]
    assert dataset.train.labels.tolist() == [0, 0, 1, 1]
    assert dataset.info.class_names == ("a", "b")
    assert (dataset.info.class_counts, dataset.info.median_words) == ((2, 2), 1)


def test_texts_become_ids_by_the_words_of_the_training_rows(tmp_path: Path) -> None:
    config = DatasetConfig(
        type="text_folder",
        path=str(write_reviews(tmp_path / "reviews", texts=20)),
        test_split=0.2,
        max_words=50,
        max_length=11,
        truncate="end",
        ngrams=1,
    )
    loaded = load_data(config, seed=0, data_dir=tmp_path)
    assert loaded.tokenizer.get_vocab_size() == 10
    assert loaded.tables["train"].take(slice(None)).shape == (29, 11)
    assert {split: len(table) for split, table in loaded.tables.items()} == {
        "train": 29,
        "validation": 3,
        "test": 8,
    }


def test_another_encoding_is_refused_with_its_file_and_line(tmp_path: Path) -> None:
    folder = write_reviews(tmp_path / "r", texts=2)
    (folder / "good" / "1.txt").write_bytes("great\nlovely Möwe".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read(folder)
    assert caught.value.message == (
        f"{folder}/good/1.txt is not UTF-8 text: line 2 holds the byte 0xf6."
    )
    assert caught.value.hint == "Convert it, for example with: iconv -f LATIN1 -t UTF-8 1.txt"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = write_reviews(tmp_path / "r", texts=2)
    write_lines(folder / "good" / "scores.csv", "1,2")
    with pytest.raises(DataError) as caught:
        read(folder)
    assert caught.value.message == f"{folder}/good/scores.csv is no .txt file."


def test_empty_files_are_counted_and_nothing_else_is_refused(tmp_path: Path) -> None:
    folder = write_reviews(tmp_path / "reviews", texts=3)
    (folder / "bad" / "1.txt").write_bytes(b" \r\n")
    notes: list[str] = []
    progress = Progress()
    progress.note = notes.append  # type: ignore[method-assign]
    config = DatasetConfig(type="text_folder", path=str(folder))
    open_own_dataset(config, data_dir=tmp_path, progress=progress)
    assert notes[1:] == [f"warning: 1 of 6 texts are empty, {folder}/bad/1.txt is the first."]
    for file in folder.rglob("*.txt"):
        file.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        read(folder)
    assert caught.value.message == f"all 6 texts are empty, {folder}/bad/0.txt is the first."


def test_utf_16_is_told_from_latin_1(tmp_path: Path) -> None:
    folder = write_reviews(tmp_path / "reviews", texts=3)
    (folder / "bad" / "1.txt").write_bytes("schlecht".encode("utf-16"))
    with pytest.raises(DataError) as caught:
        read(folder)
    assert caught.value.hint == "Convert it, for example with: iconv -f UTF-16 -t UTF-8 1.txt"
