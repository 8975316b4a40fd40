"""How do image files become what an image model takes?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.data.own_images import decode_image, explain_unreadable
from dltrain.data.progress import Progress
from dltrain.prediction.items import IMAGE_SUFFIXES, STDIN, Item, label_of, list_files, say_error
from dltrain.prediction.lines import read_lines
from dltrain.prediction.run_input import RunInput


class ImageReader:
    """Read image files, as the image folders that models are trained on are read."""

    def __init__(self, run: RunInput, progress: Progress) -> None:
        self._run, self._progress = run, progress
        self._said = False

    def read(self, given: str, stdin: Any, *, labelled: bool = False) -> Iterator[Item]:
        """Yield the image of a file, those of a folder, or of the paths that stdin has, one a line.

        One that can't be read is an item with an error.
        """
        path = Path(given)
        if given == STDIN:
            for line in read_lines(stdin):
                if line.text:
                    yield (
                        self._read_file(Path(line.text))
                        if not line.error
                        else Item(f"stdin:{line.number}", error=line.error)
                    )
        elif not path.is_dir():
            yield self._read_file(path)
        else:
            yield from self._read_folder(path, labelled=labelled)

    def _read_folder(self, folder: Path, *, labelled: bool) -> Iterator[Item]:
        is_empty = True
        try:
            for path in list_files(folder, IMAGE_SUFFIXES, progress=self._progress):
                is_empty = False
                yield self._read_file(path, label_of(path, folder) if labelled else None)
        except OSError as error:
            yield Item(str(folder), error=say_error(error))
            return
        if is_empty:
            yield Item(str(folder), error="holds no PNG, JPEG or WebP image")

    def _read_file(self, path: Path, label: str | None = None) -> Item:
        try:
            content = path.read_bytes()
            image = decode_image(content, self._run.shape)
            self._say_size(path, content)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            return Item(str(path), error=explain_unreadable(error), label=label)
        if self._run.largest_pixel != 255:
            scaled = image.astype(np.float32) * (self._run.largest_pixel / 255)
            image = np.rint(scaled).astype(np.uint8)
        return Item(str(path), image, label=label)

    def _say_size(self, path: Path, content: bytes) -> None:
        """Say once that images are resized, where the model was trained on images of one size."""
        if self._said or self._run.dataset.get("image_size"):
            return
        from PIL import Image

        height, width, _ = self._run.shape
        with Image.open(io.BytesIO(content)) as image:
            size = image.size
        if size != (width, height):
            self._said = True
            self._progress.note(
                f"{path} is {size[0]}×{size[1]}: images are resized to the {width}×{height} that "
                "the model takes."
            )
