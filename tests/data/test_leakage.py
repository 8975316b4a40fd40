"""Are rows that are trained on found among those that judge the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from own_files import write_image, write_lines, write_photos

from dltrain.config.schema import DatasetConfig
from dltrain.data.load import LoadedData, load_data
from dltrain.data.progress import Progress


class Notes(Progress):
    """Keep what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


def load(path: Path, kind: str, **options: Any) -> tuple[LoadedData, list[str]]:
    notes = Notes()
    config = DatasetConfig(type=kind, path=str(path), **options)  # type: ignore[arg-type]
    data = load_data(config, seed=0, data_dir=path.parent, progress=notes)
    return data, [text for text in notes.told if text.startswith("warning")]


def test_rows_of_a_table_that_are_in_two_splits_are_counted(tmp_path: Path) -> None:
    train = [f"{row},word {row},{row % 2}" for row in range(40)]
    # The same row; the same but for its target; for its text; for its number.
    tests = ["3,word 3,1", "4,word 4,1", "5,word 6,1", "7.5,word 7,1", "8,word 8,0"]
    write_lines(tmp_path / "d.csv", "x,said,y", *train)
    write_lines(tmp_path / "t.csv", "x,said,y", *tests)
    data, warnings = load(
        tmp_path / "d.csv",
        "csv",
        target="y",
        task="classification",
        test_path=str(tmp_path / "t.csv"),
        columns={"said": "text"},
        validation_split=0.0,
    )
    assert data.fingerprint["shared_rows"] == {"test": 2}
    assert warnings == [
        "warning: 2 of 5 test rows are training rows as well: the scores of that split are too "
        "good. Remove the duplicates, or keep them together with group_column."
    ]


def test_images_are_the_same_by_their_pixels(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", splits=("train", "test"), images=6)
    pixels = np.random.default_rng(7).integers(0, 255, (20, 24, 3))
    write_image(folder / "train" / "dark" / "same.png", pixels)
    write_image(folder / "test" / "light" / "other name.webp", pixels, lossless=True)
    options: dict[str, Any] = {"image_size": [20, 24], "validation_split": 0.0}
    # write_photos draws the same pixels for no two images.
    data, warnings = load(folder, "image_folder", **options)
    assert data.fingerprint["shared_rows"] == {"test": 1}
    assert warnings == [
        "warning: 1 of 13 test rows are training rows as well: the scores of that split are too "
        "good. Remove the duplicates."
    ]


def test_texts_are_the_same_whatever_their_spaces(tmp_path: Path) -> None:
    for split, texts in (("train", ["one film", "two films"]), ("test", [" one\nfilm ", "other"])):
        for name in "ab":
            (tmp_path / split / name).mkdir(parents=True)
            for number, text in enumerate(texts):
                write_lines(tmp_path / split / name / f"{number}.txt", f"{text} {name}")
    options = {"max_words": 9, "max_length": 4, "validation_split": 0.0}
    data, _ = load(tmp_path, "text_folder", **options)
    assert data.fingerprint["shared_rows"] == {"test": 2}


def test_nothing_is_told_where_no_row_is_shared(tmp_path: Path) -> None:
    write_lines(tmp_path / "d.csv", "x,y", *(f"{row},{row}.5" for row in range(40)))
    data, warnings = load(tmp_path / "d.csv", "csv", target="y", task="regression", test_split=0.2)
    assert (data.fingerprint["shared_rows"], warnings) == ({}, [])
