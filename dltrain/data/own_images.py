"""How do the images of a folder become one array?"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.dataset import Rows
from dltrain.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

# As many bad files are named; a folder of another format would fill the screen.
_LISTED = 10


def read_images(files: tuple[tuple[Path, ...], ...], info: DatasetInfo) -> tuple[Rows, list[str]]:
    """Read and resize JPEG, PNG and WebP images into `(n, height, width, channels)` uint8.

    They are turned as their EXIF tag says, laid on white where they are transparent, and resized
    (bilinear, antialiased) without regard to their own proportions. Also returns the SHA-256 of
    each file. Raises DataError that lists the files that can't be read.
    """
    paths = [(path, label) for label, each in enumerate(files) for path in each]
    images = np.empty((len(paths), *info.shape), dtype=np.uint8)
    hashes, bad = [], []
    for index, (path, _) in enumerate(paths):
        try:
            content = path.read_bytes()
            images[index] = decode_image(content, info.shape)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            bad.append(f"{path}: {explain_unreadable(error)}")
            continue
        hashes.append(hashlib.sha256(content).hexdigest())
    if bad:
        raise _bad_images(bad, len(paths))
    labels = np.array([label for _, label in paths], dtype=np.int64)
    return Rows(images, labels), hashes


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


def _bad_images(bad: list[str], total: int) -> DataError:
    listed = "\n".join(f"  {each}" for each in bad[:_LISTED])
    more = f"\n  and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
    return DataError(
        f"{len(bad):,} of {total:,} images can't be read:\n{listed}{more}",
        hint="Replace or remove them.",
    )
