"""Which datasets do the tests let TensorFlow Datasets prepare? Tiny ones."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


def draw_file(shade: int, *, cut: bool = False) -> bytes:
    """Return the PNG file of a grey square, or the first half of it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), shade, dtype=np.uint8)).save(file, "PNG")
    content = file.getvalue()
    return content[: len(content) // 2] if cut else content


@dataclass
class Wanted:
    """Say what is to be prepared: the rows of each split, and which have a photo cut short."""

    rows: dict[str, int]
    bad: tuple[int, ...] = ()
    classes: tuple[str, ...] = ("dog", "cat")


def prepare(
    data_dir: Path,
    *,
    rows: dict[str, int],
    bad: tuple[int, ...] = (),
    classes: tuple[str, ...] = ("dog", "cat"),
    file_format: str = "tfrecord",
    shards: int | None = None,
) -> Path:
    """Let the package write `data_dir`/pets/1.0.0, with `rows` rows a split; return that folder.

    Row n, which isn't the n-th in the files, has the photo of shade n (+ 100 for a dog, which the
    odd ones are), the name `good n` or `bad n`, the size n / 2 (NaN in row 3), and whether it is
    tame.
    """
    import tensorflow_datasets as tfds

    builder_class = _make_builder_class()
    builder_class.WANTED = Wanted(rows, bad, classes)
    builder = builder_class(data_dir=data_dir, file_format=file_format)
    many = tfds.download.DownloadConfig(num_shards=shards) if shards else None
    builder.download_and_prepare(download_config=many)
    return data_dir / "pets" / "1.0.0"


@functools.cache
def _make_builder_class() -> Any:
    import tensorflow_datasets as tfds

    class Pets(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        WANTED: Wanted

        def _info(self) -> Any:
            columns = {
                "photo": tfds.features.Image(shape=(None, None, 3)),
                "name": tfds.features.Text(),
                "size": np.float32,
                "tame": np.bool_,
                "box": tfds.features.BBoxFeature(),
                "label": tfds.features.ClassLabel(names=self.WANTED.classes),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(columns))

        def _split_generators(self, _: Any) -> dict[str, Any]:
            return {
                split: self._generate_examples(count) for split, count in self.WANTED.rows.items()
            }

        def _generate_examples(self, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
            for n in range(count):
                odd = n % 2
                row = {
                    "photo": io.BytesIO(draw_file(n + 100 * odd, cut=n in self.WANTED.bad)),
                    "name": f"{'good' if odd else 'bad'} {n}",
                    "size": float("nan") if n == 3 else n / 2,
                    "tame": bool(odd),
                    "box": tfds.features.BBox(0.0, 0.0, 1.0, 1.0),
                    "label": "dog" if odd else "cat",
                }
                yield n, row

    return Pets
