"""Where are the images that a column of a table holds? In no memory until they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dltrain.config.own_table import TablePlan
from dltrain.config.table_files import Source, name_row, say_place
from dltrain.data.dataset import Rows
from dltrain.data.own_images import UnreadImages


@dataclass(frozen=True)
class FoundImages:
    """Hold the images of a split, and what people call each row, such as `train row 7`."""

    images: UnreadImages
    names: Sequence[str]


def find_images(plan: TablePlan, parts: Mapping[str, Rows]) -> dict[str, FoundImages]:
    """Find the images of a table whose rows were read: see `read_table`.

    Raises DataError if a file can't be opened.
    """
    assert plan.image is not None
    column = plan.image.name
    sources = plan.scan.sources
    readers = [open_image_column(source, column) for source in sources]
    return {split: _find(rows, sources, readers) for split, rows in parts.items()}


def _find(
    rows: Rows, sources: Sequence[Source], readers: Sequence[Callable[[int], bytes]]
) -> FoundImages:
    assert isinstance(rows.inputs, np.ndarray)
    places: list[tuple[int, int]] = [(source, row) for source, row in rows.inputs.tolist()]

    def read(index: int) -> bytes:
        source, row = places[index]
        return readers[source](row)

    return FoundImages(
        UnreadImages([say_place((sources[at], row)) for at, row in places], rows.labels, read),
        [name_row((sources[at], row)) for at, row in places],
    )


def open_image_column(source: Source, column: str) -> Callable[[int], bytes]:
    """Return what gives the file of the image in a row, counted from 1, of a file of a table.

    It raises ValueError where there is none.
    """
    if source.kind == "tfds":
        from dltrain.config.tfds_rows import open_tfds_images

        return open_tfds_images(source, column)
    from dltrain.config.huggingface_rows import open_huggingface_images

    return open_huggingface_images(source, column)
