"""Does `check` look at data of one's own, and point at what is wrong with how it is named?"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import Load, Refuse
from own_files import write_flowers, write_houses, write_lines, write_photos, write_reviews

from dltrain.config.load import load_config
from dltrain.errors import DataError

DENSE = "model: {layers: [{type: dense, units: 3}]}\n"
ONE = "model: {layers: [{type: dense, units: 1}]}\n"


def test_a_csv_says_its_task_classes_and_features(load: Load, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv")
    loaded = load(
        f"dataset: {{type: csv, path: flowers.csv, target: species, ignore: [id]}}\n{DENSE}"
    )
    info, dataset = loaded.info, loaded.config.dataset
    assert (info.name, info.task, info.modality) == ("flowers.csv", "classification", "tabular")
    assert (info.class_names, info.class_counts) == (("a", "b", "c"), (50, 50, 50))
    assert info.shape == (5,), "length, whether it is missing, blue, red, no colour"
    assert info.summary == "150 rows of 5 features; the target 'species' is one of 3 classes"
    assert (dataset.task, dataset.test_split, dataset.normalize) == (
        "classification",
        0.2,
        "standard",
    )
    assert dataset.path == str(tmp_path / "flowers.csv"), "right from any working directory"


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "classification"),
        ([str(row % 20) for row in range(40)], "classification"),
        ([str(row % 21) for row in range(42)], "regression"),
        (["1.0", "0.0"], "classification"),
        (["0.5", "1"], "regression"),
    ],
)
def test_the_task_is_guessed_from_the_target(
    load: Load, tmp_path: Path, values: list[str], task: str
) -> None:
    write_lines(tmp_path / "d.csv", "x,y", *(f"{row},{value}" for row, value in enumerate(values)))
    units = len(set(values)) if task == "classification" else 1
    loaded = load(
        "dataset: {type: csv, path: d.csv, target: y, validation_split: 0}\n"
        f"model: {{layers: [{{type: dense, units: {units}}}]}}\n"
        "training: {batch_size: full}\n"
    )
    assert loaded.config.dataset.task == task
    assert loaded.info.task == task


def test_a_task_that_is_given_wins(load: Load, tmp_path: Path) -> None:
    write_lines(tmp_path / "d.csv", "x,y", *(f"{row},{row % 3}" for row in range(60)))
    text = "dataset: {type: csv, path: d.csv, target: y, task: regression}\n"
    loaded = load(text + ONE)
    assert (loaded.info.task, loaded.info.class_names) == ("regression", ())
    assert loaded.targets.loss["type"] == "mean_squared_error"


def test_folders_say_their_classes_and_shapes(load: Load, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", splits=("train", "test"), images=30)
    info = load(
        "dataset: {type: image_folder, path: photos, image_size: [16, 20], color: grey}\n"
        "model: {layers: [flatten, {type: dense, units: 2}]}\n"
    ).info
    assert (info.shape, info.class_names, info.class_counts) == (
        (16, 20, 1),
        ("dark", "light"),
        (30, 30),
    )
    assert (info.train_rows, info.test_rows) == (60, 60)
    write_reviews(tmp_path / "reviews")
    loaded = load(
        "dataset: {type: text_folder, path: reviews, max_words: 50, max_length: 20}\n"
        "model: {layers: [{type: embedding, input_dim: 50, output_dim: 4}, flatten, "
        "{type: dense, units: 1}]}\n"
    )
    assert (loaded.info.modality, loaded.info.median_words) == ("text", 11)
    assert loaded.info.summary == "120 texts in 2 classes"


def test_a_path_is_taken_from_the_file_that_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    write_flowers(base / "flowers.csv")
    write_flowers(tmp_path / "mine.csv", rows=99)
    (base / "base.yaml").write_text(
        f"dataset: {{type: csv, path: flowers.csv, target: species, ignore: [id]}}\n{DENSE}"
    )
    (tmp_path / "top.yaml").write_text("extends: base/base.yaml\n")
    monkeypatch.chdir(tmp_path)
    loaded = load_config(Path("top.yaml"))
    assert loaded.config.dataset.path == str(base / "flowers.csv")
    loaded = load_config(Path("top.yaml"), overrides=["dataset.path=mine.csv"])
    assert loaded.config.dataset.path == str(tmp_path / "mine.csv"), "a flag: from where one is"
    assert loaded.info.train_rows == 99


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        (
            "{type: csv, path: flower.csv, target: y}",
            "1:28 dataset.path: there is no flower.csv. Did you mean 'flowers.csv'?",
        ),
        (
            "{type: csv, path: nowhere/at/all.csv, target: y}",
            "1:28 dataset.path: there is no nowhere/at/all.csv. A relative path is taken from the "
            "folder of the config.",
        ),
        (
            "{type: csv, path: photos, target: y}",
            "1:28 dataset.path: photos is a folder; expected a CSV file.",
        ),
        (
            "{type: text_folder, path: flowers.csv}",
            "1:36 dataset.path: flowers.csv is a file; expected a folder with a folder of .txt "
            "files for each class.",
        ),
        (
            "{type: csv, path: flowers.csv}",
            "1:1 dataset.target: csv needs `target:`. The column to predict.",
        ),
        (
            "{type: text_folder}",
            "1:1 dataset.path: text_folder needs `path:`. It is taken from the "
            "folder of this file.",
        ),
        (
            "{type: image_folder, path: photos}",
            "1:1 dataset.image_size: image_folder needs `image_size:`. For example `image_size: "
            "[64, 64]`, height and width.",
        ),
        (
            "{type: csv, path: flowers.csv, target: specie}",
            "1:49 dataset.target: flowers.csv has no column 'specie'. Did you mean 'species'?",
        ),
        (
            "{type: csv, path: flowers.csv, target: price}",
            "1:49 dataset.target: flowers.csv has no column 'price'. It has id, length, colour, "
            "species.",
        ),
        (
            "{type: csv, path: flowers.csv, target: species, ignore: [id, size]}",
            "1:71 dataset.ignore[1]: flowers.csv has no column 'size'. It has id, length, colour, "
            "species.",
        ),
        (
            "{type: csv, path: flowers.csv, target: species, ignore: [id, species]}",
            "1:71 dataset.ignore[1]: 'species' is the target; it can't be ignored.",
        ),
        (
            "{type: csv, name: digits, path: flowers.csv, target: species}",
            "1:22 dataset.name: a dataset has a name: (of `dltrain data list`) or a type: (data of "
            "your own); this has both. Leave one of them out.",
        ),
        (
            "{name: digits, path: flowers.csv}",
            "1:25 dataset.path: path goes with type: csv, parquet, jsonl, npz, huggingface, "
            "tfds, image_folder or text_folder. Give the dataset a type: in place of a name:.",
        ),
        (
            "{type: text_folder, path: reviews, color: grey}",
            "1:45 dataset.color: color goes with type: huggingface, tfds or image_folder.",
        ),
        (
            "{type: excel, path: flowers.csv}",
            "1:17 dataset.type: expected one of csv, parquet, jsonl, npz, huggingface, "
            "tfds, image_folder, text_folder, received the text 'excel'.",
        ),
        (
            "{type: csv, path: 3, target: y}",
            "1:28 dataset.path: expected a text, received the number 3.",
        ),
        (
            "{type: image_folder, path: photos, image_size: [64]}",
            "1:57 dataset.image_size: expected two whole numbers, [height, width], received a "
            "list of 1.",
        ),
        (
            "{type: image_folder, path: photos, image_size: [64, 0]}",
            "1:62 dataset.image_size[1]: expected a number >= 1, received the number 0.",
        ),
        (
            "{type: csv, path: flowers.csv, target: species, ignore: [id], max_words: 9}",
            "1:72 dataset.max_words: max_words is for texts; flowers.csv holds none.",
        ),
    ],
)
def test_what_names_the_data_wrongly_is_refused(
    refuse: Refuse, tmp_path: Path, dataset: str, problem: str
) -> None:
    write_flowers(tmp_path / "flowers.csv")
    write_photos(tmp_path / "photos", images=2)
    write_reviews(tmp_path / "reviews", texts=2)
    units = 10 if "digits" in dataset else 1 if "text_folder" in dataset else 3
    model = f"model: {{layers: [flatten, {{type: dense, units: {units}}}]}}\n"
    model += "training: {batch_size: full}\n"
    assert refuse(f"dataset: {dataset}\n{model}") == [f"c.yaml:{problem}"]


def test_damaged_data_is_told_once_the_config_is_right(tmp_path: Path, refuse: Refuse) -> None:
    write_houses(tmp_path / "houses.csv")
    with (tmp_path / "houses.csv").open("a") as file:
        file.write("1,2\n")
    text = "dataset: {type: csv, path: houses.csv, target: price}\n"
    assert refuse(f"{text}model: {{layers: [{{type: dens, units: 1}}]}}\n") == [
        "c.yaml:2:25 model.layers[0].type: there is no layer 'dens'. Did you mean 'dense'?"
    ]
    (tmp_path / "c.yaml").write_text(text + ONE)
    with pytest.raises(DataError) as caught:
        load_config(tmp_path / "c.yaml")
    assert caught.value.message == (f"{tmp_path}/houses.csv:152 has 2 values; the header has 5.")
