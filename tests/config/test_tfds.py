"""Is a dataset that TensorFlow Datasets prepared read as images, texts or a table?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from config_problems import Load, Refuse
from tiny_tfds import prepare

from dltrain.data.load import LoadedData, load_data
from dltrain.errors import DataError, MachineError

DENSE = "model: {layers: [flatten, {type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
WORDS = (
    "model: {layers: [{type: embedding, input_dim: 40, output_dim: 4}, flatten, "
    "{type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
)
PHOTOS = (
    f"dataset: {{type: tfds, path: pets, image: photo, target: label, image_size: [4, 6]}}\n{DENSE}"
)
TABLE = (
    "dataset: {type: tfds, path: pets, target: label, ignore: [photo, box], columns: "
    f"{{name: text}}}}\n{DENSE}"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder of the package, with pets of three splits."""
    folder = tmp_path_factory.mktemp("tfds")
    prepare(folder, rows={"train": 40, "validation": 8, "test": 6, "more": 2}, shards=2)
    return folder


@pytest.fixture
def pets(prepared: Path, tmp_path: Path) -> Path:
    """Return a copy that may be damaged: the folder of the version."""
    shutil.copytree(prepared / "pets", tmp_path / "pets")
    return tmp_path / "pets" / "1.0.0"


def read(load: Load, text: str, folder: Path) -> LoadedData:
    return load_data(load(text).config.dataset, seed=0, data_dir=folder)


def refuse_data(load: Load, text: str, folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(load, text, folder)
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{folder}/", "")


def read_by_the_package(path: Path, split: str) -> list[dict[str, Any]]:
    import tensorflow_datasets as tfds

    dataset = tfds.builder_from_directory(path).as_dataset(split=split, shuffle_files=False)
    return [dict(row) for row in tfds.as_numpy(dataset)]


def test_images_are_those_that_the_package_reads(load: Load, pets: Path, tmp_path: Path) -> None:
    data = read(load, PHOTOS, tmp_path)
    assert (data.info.class_names, data.row_shape) == (("cat", "dog"), (4, 6, 3))
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 40,
        "validation": 8,
        "test": 6,
    }
    for split in ("train", "test"):
        expected = read_by_the_package(pets, split)
        table = data.tables[split]
        shades = np.asarray(table.take(slice(None)))[:, 0, 0, 0]
        # The package names the classes in its own order: dog is 0 there.
        assert sorted(zip(shades.tolist(), table.labels.tolist(), strict=True)) == sorted(
            (row["photo"][0, 0, 0], 1 - row["label"]) for row in expected
        )
    assert load(PHOTOS).config.dataset.path == str(pets)


def test_texts_are_those_that_the_package_reads(load: Load, pets: Path, tmp_path: Path) -> None:
    text = (
        "dataset: {type: tfds, path: pets, text: name, target: label, max_words: 40, "
        f"max_length: 4}}\n{WORDS}"
    )
    data = read(load, text, tmp_path)
    source = data.sources["test"]
    texts = [source.rows.inputs[int(row)] for row in source.indices]
    assert texts == [row["name"].decode() for row in read_by_the_package(pets, "test")]
    good = data.tokenizer.token_to_id("good")
    table = data.tables["train"]
    assert ((table.take(slice(None)) == good).any(axis=1) == table.labels).all()


def test_columns_make_features_as_those_of_any_table(
    load: Load, pets: Path, tmp_path: Path
) -> None:
    data = read(load, TABLE, tmp_path)
    columns = dict.fromkeys((each.column, each.kind) for each in data.info.features)
    assert [*columns] == [
        ("name", "word"),
        ("size", "number"),
        ("size", "missing"),
        ("tame", "category"),
    ]
    source = data.sources["train"]
    size = [each.kind for each in data.info.features].index("number")
    expected = [row["size"] for row in read_by_the_package(pets, "train")]
    inputs = np.asarray(source.rows.inputs)[: len(expected)]
    is_known = inputs[:, size + 1] == 0
    assert sorted(inputs[is_known, size].tolist()) == sorted(
        value for value in expected if not np.isnan(value)
    )


def test_check_tells_of_images_without_the_package(load: Load, pets: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(PHOTOS)
    program = (
        "import sys\nsys.modules['tensorflow_datasets'] = None\n"
        "from dltrain.config.load import load_config\nfrom pathlib import Path\n"
        "info = load_config(Path('c.yaml')).info\n"
        "print(info.summary)\nprint(info.class_names, info.train_rows, info.test_rows)\n"
        "print(sorted({'tensorflow', 'numpy', 'etils', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines() == [
        "54 rows of images; the target 'label' is one of 2 classes; 6 rows are the test split",
        "('cat', 'dog') 48 6",
        "[]",
    ]


def test_bad_images_are_listed_with_their_rows_or_left_out(load: Load, tmp_path: Path) -> None:
    prepare(tmp_path, rows={"train": 20, "test": 6}, bad=(3,))
    message = refuse_data(load, PHOTOS, tmp_path)
    assert message.startswith("2 of 26 images can't be read:\n  pets/1.0.0 train row ")
    assert "\n  pets/1.0.0 test row " in message
    data = read(load, PHOTOS.replace("[4, 6]}", "[4, 6], on_error: skip}"), tmp_path)
    assert data.fingerprint["skipped_images"] == 2
    assert len(data.tables["test"]) == 5


def test_array_records_are_read_too(load: Load, tmp_path: Path) -> None:
    path = prepare(tmp_path, rows={"train": 20, "test": 6}, file_format="array_record")
    data = read(load, PHOTOS, tmp_path)
    shades = np.asarray(data.tables["test"].take(slice(None)))[:, 0, 0, 0].tolist()
    assert sorted(shades) == [0, 2, 4, 101, 103, 105]
    info = json.loads((path / "dataset_info.json").read_text())
    (path / "dataset_info.json").write_text(json.dumps({**info, "fileFormat": "riegeli"}))
    assert refuse_data(load, PHOTOS, tmp_path) == (
        "pets/1.0.0 is stored as riegeli; expected tfrecord or array_record. Prepare it again "
        "with download_and_prepare(file_format='tfrecord')."
    )


def test_what_is_not_prepared_is_told_how(
    load: Load, refuse: Refuse, pets: Path, tmp_path: Path
) -> None:
    prepare_it = (
        "With 'dltrain[tfds]' installed this downloads and prepares it: python -c \"import "
        f"tensorflow_datasets as t; t.load('mnist', data_dir='{tmp_path}')\""
    )
    there_is = "c.yaml:1:29 dataset.path: there is no mnist."
    assert refuse(PHOTOS.replace("path: pets", "path: mnist")) == [f"{there_is} {prepare_it}"]
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    for path in ("mnist", "mnist/3.0.1"):
        assert refuse_data(load, PHOTOS.replace("path: pets", f"path: {path}"), tmp_path) == (
            f"{path} holds no dataset that TensorFlow Datasets prepared. {prepare_it}"
        )
    for name in ("small", "large"):
        shutil.copytree(pets, tmp_path / "named" / name / "1.0.0")
    assert refuse_data(load, PHOTOS.replace("path: pets", "path: named"), tmp_path) == (
        "named holds several configs of the dataset: large, small. Name one of them: `path: "
        "named/large`."
    )


def test_the_newest_version_is_taken(load: Load, pets: Path, tmp_path: Path) -> None:
    shutil.copytree(pets, tmp_path / "pets" / "10.0.0")
    shutil.copytree(pets, tmp_path / "pets" / "9.0.0")
    assert load(PHOTOS).config.dataset.path == str(tmp_path / "pets" / "10.0.0")


def test_damaged_files_are_refused(load: Load, pets: Path, tmp_path: Path) -> None:
    shard = pets / "pets-train.tfrecord-00001-of-00002"
    content = shard.read_bytes()
    again = "The file is not the one that was prepared: prepare the dataset again."
    shard.write_bytes(content[:-9])
    assert refuse_data(load, PHOTOS, tmp_path) == (
        f"pets/1.0.0/{shard.name} is cut short: a row ends after the file does. {again}"
    )
    length = int.from_bytes(content[:8], "little") + 16
    shard.write_bytes(content[length:])
    assert refuse_data(load, PHOTOS, tmp_path) == (
        f"pets/1.0.0/{shard.name} has 19 rows; dataset_info.json says 20. {again}"
    )
    shard.write_bytes(content[:12] + b"\xff" * 40 + content[52:])
    assert refuse_data(load, PHOTOS, tmp_path).startswith("pets/1.0.0 train row 21 is damaged: ")
    shard.unlink()
    assert refuse_data(load, PHOTOS, tmp_path) == (
        f"pets/1.0.0/{shard.name} can't be read: No such file or directory."
    )
    (pets / "features.json").write_text("{}")
    assert refuse_data(load, PHOTOS, tmp_path) == (
        "pets/1.0.0 can't be read: dataset_info.json or features.json is not of the form that "
        "TensorFlow Datasets writes."
    )


def test_a_class_that_no_row_has_is_refused(load: Load, tmp_path: Path) -> None:
    prepare(tmp_path, rows={"train": 20}, classes=("dog", "cat", "bird"))
    text = PHOTOS.replace("units: 1", "units: 3")
    assert refuse_data(load, text, tmp_path) == (
        "pets/1.0.0: no row is of the class 'bird', which label.labels.txt names. Add rows of it, "
        "or prepare the dataset without it."
    )


def test_without_a_split_to_train_on_it_is_refused(load: Load, tmp_path: Path) -> None:
    prepare(tmp_path, rows={"whole": 8})
    assert refuse_data(load, PHOTOS, tmp_path) == (
        "pets/1.0.0 has the splits whole; expected rows in one called train."
    )


def test_without_the_package_it_is_said_how_to_get_it(
    load: Load, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(MachineError) as caught:
        load(TABLE)
    assert (caught.value.message, caught.value.hint) == (
        "dataset.type: tfds needs the package tensorflow-datasets, which isn't installed.",
        "pip install 'dltrain[tfds]'",
    )
