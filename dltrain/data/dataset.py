"""What does the rest of dltrain get when it asks for a dataset?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.texts import Texts


@dataclass(frozen=True)
class Rows:
    """Hold the n rows of one split.

    `inputs`: images `(n, height, width, channels)` uint8, tables `(n, features)` float32, or Texts.
    `labels`: `(n,)`, int64 class numbers or float32 targets. `names`: what people call each row,
    such as its file; None where a row has but its number.
    """

    inputs: npt.NDArray[Any] | Texts
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    names: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Parsed:
    """Hold what a reader found, in memory, with the MD5 of each file that it read (`md5:HEX`)."""

    train: Rows
    test: Rows
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Dataset:
    """Hold an opened dataset.

    `test` is None where no test split is published. `fingerprint` is JSON-able and says which data
    these are: checksums, and whether they are the published ones.
    """

    info: DatasetInfo
    train: Rows
    test: Rows | None
    fingerprint: Mapping[str, Any]
