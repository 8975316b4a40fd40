"""Are the images of a Hugging Face dataset read as those of a folder, and bad ones told by row?"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from config_problems import Load, Refuse
from own_files import write_photos

from dltrain.data import own_images
from dltrain.data.load import LoadedData, load_data
from dltrain.data.progress import Progress
from dltrain.errors import DataError
from dltrain.evaluation.slice_columns import group_rows

MODEL = "model: {layers: [flatten, {type: dense, units: 1}]}\ntraining: {batch_size: 4}\n"
IMAGES = "dataset: {type: huggingface, path: d, image: photo, target: label, image_size: [4, 6]"


def draw(shade: int, *, side: int = 8) -> bytes:
    """Return the PNG file of a square of one grey."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), shade, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def make(rows: int, *, bad: tuple[int, ...] = (), first: int = 0) -> datasets.Dataset:
    """Make dark cats and light dogs, of which those in `bad` are cut short."""
    files = [draw((20 + 200 * (n % 2) + first + n) % 256) for n in range(rows)]
    features = datasets.Features(
        {
            "photo": datasets.Image(),
            "taken": datasets.Value("int64"),
            "label": datasets.ClassLabel(names=["dog", "cat", "bird"]),
        }
    )
    values = {
        "photo": [
            {"bytes": file[: len(file) // 2] if n in bad else file, "path": None}
            for n, file in enumerate(files)
        ],
        "taken": [n % 3 for n in range(rows)],
        "label": [(n + 1) % 2 for n in range(rows)],
    }
    return datasets.Dataset.from_dict(values, features=features)


def read(load: Load, folder: Path, more: str = "", progress: Any = None) -> LoadedData:
    config = load(f"{IMAGES}{more}}}\n{MODEL}").config.dataset
    return load_data(config, seed=0, data_dir=folder, progress=progress or Progress())


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_images_are_resized_and_their_class_labels_name_the_classes(
    load: Load, tmp_path: Path
) -> None:
    datasets.DatasetDict(train=make(20), test=make(6, first=20)).save_to_disk(tmp_path / "d")
    loaded = load(f"{IMAGES}}}\n{MODEL}")
    assert loaded.info.summary == (
        "26 rows of images; the target 'label' is one of 2 classes; 6 rows are the test split; no "
        "row is of the class 'bird'"
    )
    data = read(load, tmp_path)
    assert (data.info.class_names, data.row_shape) == (("cat", "dog"), (4, 6, 3))
    table = data.tables["test"]
    shades = np.asarray(table.take(slice(None)))[:, 0, 0, 0].tolist()
    assert shades == [40, 241, 42, 243, 44, 245]
    assert table.labels.tolist() == [0, 1] * 3
    assert data.sources["test"].ids()[:2] == ["test row 1", "test row 2"]
    grey = read(load, tmp_path, ", color: grey")
    assert grey.row_shape == (4, 6, 1)


def test_bad_images_are_listed_with_their_rows_or_left_out(load: Load, tmp_path: Path) -> None:
    datasets.DatasetDict(train=make(20, bad=(3, 8)), test=make(6, bad=(5,))).save_to_disk(
        tmp_path / "d"
    )
    with pytest.raises(DataError) as caught:
        read(load, tmp_path)
    assert caught.value.message.replace(f"{tmp_path}/", "").startswith(
        "3 of 26 images can't be read:\n  d train row 4: "
    )
    for place in ("\n  d train row 9: ", "\n  d test row 6: "):
        assert place in caught.value.message.replace(f"{tmp_path}/", "")
    notes: list[str] = []
    progress = Progress()
    progress.note = notes.append  # type: ignore[method-assign]
    data = read(load, tmp_path, ", on_error: skip", progress)
    assert data.fingerprint["skipped_images"] == 3
    assert any(note.endswith("\nThey are left out.") for note in notes)
    assert len(data.tables["test"]) == 5
    trained = [*data.sources["train"].ids(), *data.sources["validation"].ids()]
    assert sorted(trained) == sorted(f"train row {n}" for n in range(1, 21) if n not in (4, 9))
    # What stands beside an image is still that of its row.
    config = load(f"{IMAGES}, on_error: skip}}\n{MODEL}").config.dataset
    source = data.sources["train"]
    (grouping,) = group_rows(["taken"], source, info=data.info, config=config, flag="--slice")
    rows = [int(name.rpartition(" ")[2]) for name in source.ids()]
    assert [grouping.labels[member] for member in grouping.members] == [
        str((row - 1) % 3) for row in rows
    ]


def test_a_smoke_test_decodes_a_few_images_only(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(210).save_to_disk(tmp_path / "d")
    decoded = []
    decode_image = own_images.decode_image

    def decode(content: bytes, shape: tuple[int, ...]) -> Any:
        decoded.append(content)
        return decode_image(content, shape)

    monkeypatch.setattr(own_images, "decode_image", decode)
    config = load(f"{IMAGES}}}\n{MODEL}").config.dataset
    data = load_data(config, seed=0, data_dir=tmp_path, smoke=True)
    assert len(decoded) == sum(len(table) for table in data.tables.values()) == 200


def test_a_folder_as_the_hub_has_it_is_read_too(load: Load, tmp_path: Path) -> None:
    (tmp_path / "d" / "data").mkdir(parents=True)
    for split, rows in (("train", 20), ("test", 6)):
        make(rows).to_parquet(tmp_path / "d" / "data" / f"{split}-00000-of-00001.parquet")
    data = read(load, tmp_path)
    assert data.info.class_names == ("cat", "dog")
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 18,
        "validation": 2,
        "test": 6,
    }


def test_a_layout_of_image_folders_is_read_too(load: Load, tmp_path: Path) -> None:
    write_photos(tmp_path / "d", splits=("train", "test"), images=20)
    text = f"{IMAGES.replace('photo', 'image')}}}\n{MODEL}"
    data = load_data(load(text).config.dataset, seed=0, data_dir=tmp_path)
    assert data.info.class_names == ("dark", "light")
    table = data.tables["test"]
    bright = np.asarray(table.take(slice(None))).reshape(len(table), -1).mean(axis=1) > 100
    assert bright.tolist() == table.labels.astype(bool).tolist()


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        (
            "image: taken, target: label, image_size: [4, 4]",
            "1:46 dataset.image: the column 'taken' of d holds no images. Images are in photo.",
        ),
        (
            "image: photo, target: label",
            "1:1 dataset.image_size: huggingface needs `image_size:`. For example `image_size: "
            "[64, 64]`, height and width.",
        ),
        (
            "target: label, ignore: [photo], color: grey",
            "1:71 dataset.color: color is for images, and no column is named as one. Name it: "
            "`image: COLUMN`.",
        ),
        (
            "image: photo, text: taken, target: label, image_size: [4, 4]",
            "1:39 dataset.image: a model is trained on images or on texts; image and text name "
            "both. Leave one of them out.",
        ),
    ],
)
def test_what_names_images_wrongly_is_refused(
    refuse: Refuse, tmp_path: Path, dataset: str, problem: str
) -> None:
    make(8).save_to_disk(tmp_path / "d")
    found = refuse(f"dataset: {{type: huggingface, path: d, {dataset}}}\n{MODEL}")
    assert found == [f"c.yaml:{problem}"]


def test_images_that_nothing_names_are_told_how(load: Load, tmp_path: Path) -> None:
    make(8).save_to_disk(tmp_path / "d")
    with pytest.raises(DataError) as caught:
        load(f"dataset: {{type: huggingface, path: d, target: label}}\n{MODEL}")
    assert f"{caught.value.message} {caught.value.hint}".replace(f"{tmp_path}/", "") == (
        "d: the column 'photo' holds images; expected numbers, texts, dates or truth values. To "
        "learn from its images, name it: `image: photo`, with image_size."
    )
