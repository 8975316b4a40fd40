"""How do image files become one array, in memory or on the disk?"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.row_file import Inputs, RowFileWriter
from dltrain.data.splits import Indices
from dltrain.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

# As many bad files are named; a folder of another format would fill the screen.
_LISTED = 10

LARGEST_IN_MEMORY = 1 << 30
"""Decoded images of more bytes than this are kept on the disk and read a batch at a time."""

# Images that are decoded and not yet kept, for each CPU.
_WAITING = 8


Choose = Callable[[str, npt.NDArray[Any], DatasetInfo], Indices]
"""Takes a split, the labels `(n,)` of its images and the dataset, and returns indices of some."""


@dataclass(frozen=True)
class UnreadImages:
    """Hold the n images of a split that are yet to be decoded.

    `places` are what an error calls each, `labels` `(n,)` their classes or numbers; `read` returns
    the bytes of the file that an image is, by its index.
    """

    places: Sequence[str]
    labels: npt.NDArray[Any]
    read: Callable[[int], bytes]


@dataclass(frozen=True)
class ReadImages:
    """Hold the images that could be read, and the SHA-256 of each one's file.

    `kept` `(n,)` are their indices into those that were asked for; `bad` says of each other one
    where it is, and why it couldn't be read.
    """

    inputs: Inputs
    kept: Indices
    hashes: list[str]
    bad: list[str]


def read_images(
    splits: Mapping[str, UnreadImages],
    info: DatasetInfo,
    *,
    folder: Path,
    skip_bad: bool = False,
    choose: Choose | None = None,
) -> dict[str, ReadImages]:
    """Read and resize JPEG, PNG and WebP images into `(n, height, width, channels)` uint8.

    They are turned as their EXIF tag says, laid on white where they are transparent, and resized
    (bilinear, antialiased) without regard to their own proportions. More than LARGEST_IN_MEMORY of
    a split go into a file without a name in `folder`, as they are decoded. With `choose` only the
    images that it takes are decoded, and others in place of those that are skipped. Raises
    DataError that lists the images of all splits that can't be read unless `skip_bad`, and if a
    class of a split has no other; MachineError if the file can't be written.
    """
    left = {split: np.arange(len(each.labels)) for split, each in splits.items()}
    bad: list[str] = []
    while True:
        read = {}
        for split, each in splits.items():
            rows = left[split]
            if choose is not None:
                rows = rows[choose(split, each.labels[rows], info)]
            read[split] = _read_split(each, rows, info.shape, folder)
            left[split] = np.setdiff1d(left[split], np.setdiff1d(rows, read[split].kept))
        found = [line for each in read.values() for line in each.bad]
        if found and not skip_bad:
            total = sum(len(each.kept) + len(each.bad) for each in read.values())
            raise DataError(
                _describe_bad(found, total),
                hint="Replace or remove them, or leave them out with dataset.on_error: skip.",
            )
        bad += found
        if choose is None or not found:
            break
    for split, each in splits.items():
        _check_classes(each.labels, each.labels[left[split]], info, split, bad)
    return read


def _check_classes(
    labels: npt.NDArray[Any],
    left: npt.NDArray[Any],
    info: DatasetInfo,
    split: str,
    bad: list[str],
) -> None:
    """Raise DataError if skipping leaves no image of a class, or of the split."""
    for label, name in enumerate(info.class_names):
        if label in labels and label not in left:
            raise DataError(
                f"no image of the class '{name}' can be read:\n{_list_bad(bad)}",
                hint="Replace them, or remove the class.",
            )
    if not len(left):
        raise DataError(f"no image of the {split} rows can be read:\n{_list_bad(bad)}")


def _read_split(
    images: UnreadImages, rows: Indices, shape: tuple[int, ...], folder: Path
) -> ReadImages:
    count = len(rows)
    size = count * int(np.prod(shape))
    kept, hashes, bad = [], [], []
    file_folder = folder if size > LARGEST_IN_MEMORY else None
    with _Keeper(count, shape, folder=file_folder) as keeper:
        for index, decoded in zip(rows.tolist(), _decode_all(images, rows, shape), strict=True):
            if isinstance(decoded, str):
                bad.append(f"{images.places[index]}: {decoded}")
                continue
            image, digest = decoded
            keeper.append(image)
            kept.append(index)
            hashes.append(digest)
        return ReadImages(keeper.finish(), np.array(kept, dtype=np.int64), hashes, bad)


def describe_skipped(bad: list[str], total: int) -> str:
    """Return a warning that lists the first images that were left out."""
    return f"{_describe_bad(bad, total)}\nThey are left out."


class _Keeper:
    """Take images one after the other, into memory or, with a folder, into a file there."""

    def __init__(self, most: int, shape: tuple[int, ...], *, folder: Path | None) -> None:
        self._writer = RowFileWriter(folder, shape, np.uint8) if folder else None
        self._images = np.empty((0 if folder else most, *shape), dtype=np.uint8)
        self._count = 0

    def __enter__(self) -> _Keeper:
        if self._writer:
            self._writer.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer:
            self._writer.__exit__(*error)

    def append(self, image: npt.NDArray[np.uint8]) -> None:
        if self._writer:
            self._writer.append(image)
        else:
            self._images[self._count] = image
        self._count += 1

    def finish(self) -> Inputs:
        return self._writer.finish() if self._writer else self._images[: self._count]


_Decoded = tuple[npt.NDArray[np.uint8], str]


def _decode_all(
    images: UnreadImages, rows: Indices, shape: tuple[int, ...]
) -> Iterator[_Decoded | str]:
    """Yield each image with its SHA-256, or why it can't be read, in their order."""

    def read(index: int) -> _Decoded | str:
        try:
            content = images.read(index)
            return decode_image(content, shape), hashlib.sha256(content).hexdigest()
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            return explain_unreadable(error)

    # Pillow decodes without Python's lock. A few images wait at a time, never all.
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(rows), _WAITING * workers):
            yield from pool.map(read, rows[start : start + _WAITING * workers].tolist())


def decode_image(content: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return the image `(height, width, channels)` uint8, resized."""
    from PIL import Image, ImageOps

    height, width, channels = shape
    with warnings.catch_warnings():
        # Large photos are wanted; what is too large to be one raises an error.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            # A JPEG is decoded at a fraction of its size, if that is twice what is needed.
            image.draft(None, (2 * max(height, width),) * 2)
            upright = ImageOps.exif_transpose(image)
            flat = _convert(upright, "RGB" if channels == 3 else "L")
    resized = flat.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8).reshape(shape)


def _convert(image: Image, mode: str) -> Image:
    from PIL import Image as images

    if image.mode.startswith("I"):  # 16 bits a pixel, which convert() would cut off at 255
        pixels: npt.NDArray[Any] = np.asarray(image).astype(np.int64) >> 8
        return images.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert(mode)
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        white = images.new("RGBA", coloured.size, "white")
        image = images.alpha_composite(white, coloured)
    return image.convert(mode)


def explain_unreadable(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "no JPEG, PNG or WebP image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _describe_bad(bad: list[str], total: int) -> str:
    return f"{len(bad):,} of {total:,} images can't be read:\n{_list_bad(bad)}"


def _list_bad(bad: list[str]) -> str:
    listed = "\n".join(f"  {each}" for each in bad[:_LISTED])
    more = f"\n  and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
    return f"{listed}{more}"
