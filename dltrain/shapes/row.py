"""What does one row of a dataset look like to the model? From the catalog alone, without the data.

`dltrain.data.load` makes the rows; `dltrain.model.network` adds the normalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.rules import text_length
from dltrain.config.schema import DatasetConfig
from dltrain.shapes.effect import Shape


@dataclass(frozen=True)
class Row:
    """The shape of one row without the batch axis, its dtype, and how the model normalizes it."""

    shape: Shape
    dtype: Literal["int32", "float32"]
    normalization: Literal["rescaling", "normalization"] | None


def find_row(dataset: DatasetConfig, info: DatasetInfo) -> Row:
    """Return what a row of a checked `dataset:` section is.

    Images `(height, width, channels)` and tables `(features,)` are float32, texts `(max_length,)`
    int32 ids.
    """
    if info.modality == "text":
        return Row((text_length(dataset),), "int32", None)
    shape = info.shape
    if dataset.features is not None:
        shape = (dataset.features,)
    if dataset.normalize == "none":
        return Row(shape, "float32", None)
    kind: Literal["rescaling", "normalization"] = (
        "rescaling" if dataset.normalize == "unit" else "normalization"
    )
    return Row(shape, "float32", kind)
