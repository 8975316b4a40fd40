"""Do the images of a folder become the right pixels and classes, and are bad ones named?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_files import write_image, write_lines, write_photos

from dltrain.config.schema import DatasetConfig
from dltrain.data import own_images
from dltrain.data.dataset import Dataset
from dltrain.data.open import open_smoke_dataset
from dltrain.data.own import open_own_dataset
from dltrain.data.progress import Progress
from dltrain.data.row_file import RowFile
from dltrain.data.stand_in import take_subset
from dltrain.errors import DataError, MachineError


def read(path: Path, size: tuple[int, int] = (4, 6), **options: Any) -> Dataset:
    return open_own_dataset(
        DatasetConfig(type="image_folder", path=str(path), image_size=[*size], **options),
        data_dir=path / ".spool",
    )


def refuse(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    return f"{caught.value.message} {caught.value.hint}".strip().replace(f"{path}", "photos")


def pixels_of(dataset: Dataset, row: int = 0) -> Any:
    assert isinstance(dataset.train.inputs, np.ndarray)
    return dataset.train.inputs[row]


def write_pair(folder: Path, pixels: Any, name: str = "1.png", **options: object) -> Path:
    """Write the image that is looked at as the first class, and some other as the second."""
    write_image(folder / "a" / name, pixels, **options)
    write_image(folder / "b" / "1.png", np.zeros((4, 6, 3)))
    return folder


def test_classes_are_folders_in_order_and_pixels_stay_what_they_were(tmp_path: Path) -> None:
    pixels = np.arange(72).reshape(4, 6, 3)
    write_image(tmp_path / "cat" / "2.PNG", pixels)
    write_image(tmp_path / "cat" / "1.webp", pixels, lossless=True)
    write_image(tmp_path / "ant" / "x.png", pixels[::-1])
    write_lines(tmp_path / "README.md", "Whose pictures these are.")
    write_lines(tmp_path / "cat" / ".hidden", "left by a file manager")
    dataset = read(tmp_path)
    assert (dataset.info.class_names, dataset.info.shape) == (("ant", "cat"), (4, 6, 3))
    assert dataset.train.labels.tolist() == [0, 1, 1]
    expected = [pixels[::-1], pixels, pixels]
    np.testing.assert_array_equal(dataset.train.inputs, np.array(expected, dtype=np.uint8))
    assert dataset.test is None


def test_train_and_test_are_a_published_split(tmp_path: Path) -> None:
    dataset = read(write_photos(tmp_path / "photos", splits=("train", "test"), images=3))
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.test)) == (6, 6)
    assert (dataset.info.train_rows, dataset.info.test_rows) == (6, 6)
    assert dataset.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert isinstance(dataset.test.inputs, np.ndarray)
    assert dataset.test.inputs[:3].mean() < 100 < dataset.test.inputs[3:].mean()


def test_images_are_resized_and_made_grey(tmp_path: Path) -> None:
    large = np.repeat(np.repeat(np.arange(24).reshape(4, 6) * 10, 8, axis=0), 8, axis=1)
    dataset = read(write_pair(tmp_path, large), color="grey")
    assert dataset.info.shape == (4, 6, 1)
    shrunk = pixels_of(dataset)[:, :, 0].astype(int)
    assert np.abs(shrunk - np.arange(24).reshape(4, 6) * 10).max() <= 15


def test_transparent_pixels_are_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 4))
    pixels[0, :, 3] = 255  # one opaque black line
    seen = pixels_of(read(write_pair(tmp_path, pixels)))
    assert seen[0].max() == 0
    assert seen[1:].min() == 255


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    pixels = (np.arange(24).reshape(4, 6) * 2560).astype(np.uint16)
    seen = pixels_of(read(write_pair(tmp_path, pixels), color="grey"))
    assert seen[:, :, 0].tolist() == (np.arange(24).reshape(4, 6) * 10).tolist()


def test_an_image_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    from PIL import Image

    pixels = np.arange(24).reshape(6, 4) * 10
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise is needed to see it upright
    seen = pixels_of(read(write_pair(tmp_path, pixels, exif=exif), color="grey"))
    assert seen[:, :, 0].tolist() == np.rot90(pixels, k=-1).tolist()


def test_every_bad_image_is_listed(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", images=3)
    cut = (folder / "dark" / "0.png").read_bytes()
    (folder / "dark" / "0.png").write_bytes(cut[: len(cut) // 2])
    (folder / "light" / "1.jpg").write_text("no image")
    (folder / "light" / "2.webp").write_bytes(b"")
    found = refuse(folder)
    assert found.startswith("3 of 6 images can't be read:\n  photos/dark/0.png: ")
    assert "\n  photos/light/1.jpg: no JPEG, PNG or WebP image\n" in found
    assert found.endswith(
        "\n  photos/light/2.webp: no JPEG, PNG or WebP image Replace or remove them, or leave them "
        "out with dataset.on_error: skip."
    )


def test_bad_images_of_train_and_test_are_listed_together(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", splits=("train", "test"), images=3)
    for part in ("train/dark/0.png", "test/light/1.jpg"):
        (folder / part).write_text("no image")
    assert refuse(folder) == (
        "2 of 12 images can't be read:\n  photos/train/dark/0.png: no JPEG, PNG or WebP image\n  "
        "photos/test/light/1.jpg: no JPEG, PNG or WebP image Replace or remove them, or leave them "
        "out with dataset.on_error: skip."
    )


def test_many_bad_images_are_counted(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(6):
            write_lines(tmp_path / name / f"{number}.png", "no image")
    found = refuse(tmp_path)
    assert found.startswith("12 of 12 images can't be read:\n  photos/a/0.png: no JPEG")
    assert found.count(".png: ") == 10
    assert "\n  and 2 more " in found


def test_bad_images_are_left_out_and_counted_if_that_is_asked_for(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", images=4)
    (folder / "dark" / "1.jpg").write_text("no image")
    cut = (folder / "light" / "0.png").read_bytes()
    (folder / "light" / "0.png").write_bytes(cut[: len(cut) // 2])
    whole = read(write_photos(tmp_path / "whole", images=4))
    notes: list[str] = []
    progress = Progress()
    progress.note = notes.append  # type: ignore[method-assign]
    dataset = open_own_dataset(
        DatasetConfig(type="image_folder", path=str(folder), image_size=[4, 6], on_error="skip"),
        data_dir=tmp_path,
        progress=progress,
    )
    kept = [0, 2, 3, 5, 6, 7]
    np.testing.assert_array_equal(dataset.train.inputs, whole.train.inputs[kept])  # type: ignore[index]
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (dataset.info.train_rows, dataset.info.class_counts) == (6, (3, 3))
    assert dataset.fingerprint["skipped_images"] == 2
    assert notes[1].startswith(
        f"warning: 2 of 8 images can't be read:\n  {folder}/dark/1.jpg: no JPEG, PNG or WebP "
        f"image\n  {folder}/light/0.png: "
    )
    assert notes[1].endswith("\nThey are left out.")
    assert dataset.fingerprint["arrays"] != whole.fingerprint["arrays"]


def test_a_class_of_bad_images_alone_is_refused_whatever_was_asked_for(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos", images=1)
    (folder / "dark" / "0.png").write_text("no image")
    with pytest.raises(DataError) as caught:
        read(folder, on_error="skip")
    assert caught.value.message == (
        f"no image of the class 'dark' can be read:\n  {folder}/dark/0.png: no JPEG, PNG or WebP "
        "image"
    )


@pytest.mark.parametrize("splits", [("",), ("train", "test")])
def test_many_images_lie_on_the_disk_and_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, splits: tuple[str, ...]
) -> None:
    folder = write_photos(tmp_path / "p", splits=splits, images=5)
    (folder / splits[-1] / "light" / "1.jpg").write_text("no image")
    in_memory = read(folder, on_error="skip")
    monkeypatch.setattr(own_images, "LARGEST_IN_MEMORY", 100)
    on_disk = read(folder, on_error="skip")
    assert isinstance(on_disk.train.inputs, RowFile)
    assert not [*(folder / ".spool").iterdir()], "the file has no name"
    assert on_disk.fingerprint == in_memory.fingerprint
    for rows, other in ((on_disk.train, in_memory.train), (on_disk.test, in_memory.test)):
        if rows is not None and other is not None:
            np.testing.assert_array_equal(rows.inputs[:], other.inputs)  # type: ignore[index]
            np.testing.assert_array_equal(rows.labels, other.labels)


def test_images_that_fit_on_no_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_photos(tmp_path / "p", images=3)
    monkeypatch.setattr(own_images, "LARGEST_IN_MEMORY", 100)
    write_lines(folder / ".spool", "a file where the folder would be")
    with pytest.raises(MachineError) as caught:
        read(folder)
    assert caught.value.message == f"{folder}/.spool can't be written: File exists."


def smoke(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Dataset, int]:
    """Open what a smoke test takes of a folder; return it with the number of images decoded."""
    decoded = []
    decode_image = own_images.decode_image

    def decode(content: bytes, shape: tuple[int, ...]) -> Any:
        decoded.append(content)
        return decode_image(content, shape)

    config = DatasetConfig(type="image_folder", path=str(folder), image_size=[4, 6], **options)
    with monkeypatch.context() as patch:
        patch.setattr(own_images, "decode_image", decode)
        dataset = open_smoke_dataset(config, data_dir=folder / ".spool", seed=3)
    return dataset, len(decoded)


def test_a_smoke_test_decodes_only_the_images_that_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_photos(tmp_path / "p", splits=("train", "test"), images=150)
    dataset, decoded = smoke(folder, monkeypatch)
    assert dataset.test is not None
    assert decoded == len(dataset.train) + len(dataset.test) == 250
    whole = take_subset(read(folder), seed=3)
    for ours, theirs in ((dataset.train, whole.train), (dataset.test, whole.test)):
        assert theirs is not None
        assert ours.names == theirs.names
        np.testing.assert_array_equal(ours.inputs, theirs.inputs)  # type: ignore[arg-type]
        np.testing.assert_array_equal(ours.labels, theirs.labels)


def test_a_smoke_test_takes_other_images_for_those_that_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_photos(tmp_path / "p", images=150)
    for number in range(149):  # one image of the class is left
        (folder / "dark" / f"{number}.{('png', 'jpg', 'webp')[number % 3]}").write_text("no image")
    with pytest.raises(DataError, match="of 200 images can't be read"):
        smoke(folder, monkeypatch)
    dataset, _ = smoke(folder, monkeypatch, on_error="skip")
    assert np.bincount(dataset.train.labels).tolist() == [1, 150]


def test_a_folder_that_holds_no_classes_is_refused(tmp_path: Path) -> None:
    assert refuse(tmp_path) == (
        "photos holds no folder; expected one for each class. "
        f"Expected {tmp_path.name}/CLASS/FILE.jpg."
    )
    image = write_image(tmp_path / "1.png", np.zeros((2, 2)))
    assert refuse(tmp_path) == (
        "photos/1.png lies in no class. Move it into the folder of its class."
    )
    image.unlink()
    write_image(tmp_path / "a" / "1.png", np.zeros((2, 2)))
    assert refuse(tmp_path) == (
        "photos holds one class, 'a'; expected two or more. Every class is a folder of its own."
    )
    (tmp_path / "b").mkdir()
    assert refuse(tmp_path) == (
        "photos/b is empty: a class without .jpg, .jpeg, .png or .webp files. Put files into it, "
        "or remove it."
    )
    write_lines(tmp_path / "b" / "notes.txt", "x")
    assert refuse(tmp_path) == (
        "photos/b/notes.txt is no .jpg, .jpeg, .png or .webp file. Convert it, or move it "
        "elsewhere."
    )
    (tmp_path / "b" / "notes.txt").unlink()
    write_image(tmp_path / "b" / "inner" / "1.png", np.zeros((2, 2)))
    assert refuse(tmp_path) == (
        "photos/b/inner is a folder; expected only .jpg, .jpeg, .png or .webp files in photos/b. A "
        "class is one folder, with its files right in it."
    )


def test_splits_of_other_classes_or_beside_other_folders_are_refused(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", splits=("train", "test"), images=1)
    write_image(folder / "test" / "blue" / "1.png", np.zeros((2, 2)))
    assert refuse(folder) == (
        "photos/test has the class 'blue', and photos/train has not. Both need a folder for every "
        "class."
    )
    (folder / "val").mkdir()
    assert refuse(folder) == (
        "photos holds train/ and test/, and beside them val/. Move it elsewhere, or into train/: "
        "validation rows are held out by validation_split."
    )


def test_the_fingerprint_follows_names_and_bytes(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "p", images=2)
    first = read(folder).fingerprint["arrays"]
    assert read(folder).fingerprint["arrays"] == first
    (folder / "dark" / "0.png").rename(folder / "dark" / "00.png")
    renamed = read(folder).fingerprint["arrays"]
    write_image(folder / "dark" / "00.png", np.ones((3, 3, 3)))
    changed = read(folder).fingerprint["arrays"]
    assert len({str(each) for each in (first, renamed, changed)}) == 3
