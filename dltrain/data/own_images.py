"""How do the images of a folder become one array, in memory or on the disk?"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Rows
from dltrain.data.row_file import Inputs, RowFileWriter
from dltrain.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

# As many bad files are named; a folder of another format would fill the screen.
_LISTED = 10

LARGEST_IN_MEMORY = 1 << 30
"""Decoded images of more bytes than this are kept on the disk and read a batch at a time."""

# Images that are decoded and not yet kept, for each CPU.
_WAITING = 8


@dataclass(frozen=True)
class ReadImages:
    """Hold the images that could be read, with their files and the SHA-256 of each.

    `bad` says of each other file why it couldn't.
    """

    rows: Rows
    paths: list[Path]
    hashes: list[str]
    bad: list[str]


def read_images(
    files: tuple[tuple[Path, ...], ...],
    info: DatasetInfo,
    *,
    folder: Path,
    skip_bad: bool = False,
) -> ReadImages:
    """Read and resize JPEG, PNG and WebP images into `(n, height, width, channels)` uint8.

    They are turned as their EXIF tag says, laid on white where they are transparent, and resized
    (bilinear, antialiased) without regard to their own proportions. More than LARGEST_IN_MEMORY of
    them go into a file without a name in `folder`, as they are decoded. Raises DataError that lists
    the files that can't be read unless `skip_bad`, and if a class has no other; MachineError if
    the file can't be written.
    """
    named = [(path, label) for label, each in enumerate(files) for path in each]
    size = len(named) * int(np.prod(info.shape))
    paths, labels, hashes, bad = [], [], [], []
    file_folder = folder if size > LARGEST_IN_MEMORY else None
    with _Keeper(len(named), info.shape, folder=file_folder) as kept:
        for (path, label), decoded in zip(named, _decode_all(named, info.shape), strict=True):
            if isinstance(decoded, str):
                bad.append(f"{path}: {decoded}")
                continue
            image, digest = decoded
            kept.append(image)
            paths.append(path)
            labels.append(label)
            hashes.append(digest)
        if bad and not skip_bad:
            raise _bad_images(bad, len(named))
        for label, name in enumerate(info.class_names):
            if label not in labels:
                raise DataError(
                    f"no image of the class '{name}' can be read:\n{_list_bad(bad)}",
                    hint="Replace them, or remove the class.",
                )
        rows = Rows(kept.finish(), np.array(labels, dtype=np.int64))
    return ReadImages(rows, paths, hashes, bad)


def describe_skipped(bad: list[str], total: int) -> str:
    """Return a warning that lists the first images that were left out."""
    return f"{len(bad):,} of {total:,} images can't be read:\n{_list_bad(bad)}"


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


def _decode_all(named: list[tuple[Path, int]], shape: tuple[int, ...]) -> Iterator[_Decoded | str]:
    """Yield each image with its SHA-256, or why it can't be read, in the order of the files."""

    def read(path: Path) -> _Decoded | str:
        try:
            content = path.read_bytes()
            return _decode(content, shape), hashlib.sha256(content).hexdigest()
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            return _explain(error)

    # Pillow decodes without Python's lock. A few images wait at a time, never all.
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(named), _WAITING * workers):
            chunk = named[start : start + _WAITING * workers]
            yield from pool.map(read, [path for path, _ in chunk])


def _decode(content: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
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


def _explain(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "no JPEG, PNG or WebP image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _bad_images(bad: list[str], total: int) -> DataError:
    return DataError(
        f"{len(bad):,} of {total:,} images can't be read:\n{_list_bad(bad)}",
        hint="Replace or remove them, or leave them out with dataset.on_error: skip.",
    )


def _list_bad(bad: list[str]) -> str:
    listed = "\n".join(f"  {each}" for each in bad[:_LISTED])
    more = f"\n  and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
    return f"{listed}{more}"
