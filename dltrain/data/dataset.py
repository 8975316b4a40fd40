"""What does the rest of dltrain get when it asks for a dataset?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.data.row_file import Inputs
from dltrain.data.texts import Texts, pack_texts


@dataclass(frozen=True)
class Rows:
    """Hold the n rows of one split.

    `inputs`: images `(n, height, width, channels)` uint8, tables `(n, features)` float32, or Texts;
    images may lie on the disk.
    `labels`: `(n,)`, int64 class numbers or float32 targets. Data of one's own may have more:
    `weights` `(n,)` float32, `groups` `(n,)` int64 (rows of one number stay together), a mark
    `is_validation` `(n,)` bool of the rows that are the validation split, and `texts`, those of the
    text columns of a table, whose features are made once the rows are split. `names`: what people
    call each row, such as its file; None where a row has but its number.
    """

    inputs: Inputs | Texts
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32] | None = None
    groups: npt.NDArray[np.int64] | None = None
    is_validation: npt.NDArray[np.bool_] | None = None
    texts: Mapping[str, Texts] = field(default_factory=dict)
    names: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: npt.NDArray[np.int64]) -> Rows:
        """Return a copy of the rows at `indices`, in that order, in memory."""

        def take(values: Inputs | None) -> Any:
            return None if values is None else np.array(values[indices])

        inputs = self.inputs
        return Rows(
            _copy_texts(inputs, indices) if isinstance(inputs, Texts) else take(inputs),
            take(self.labels),
            weights=take(self.weights),
            groups=take(self.groups),
            is_validation=take(self.is_validation),
            texts={name: _copy_texts(texts, indices) for name, texts in self.texts.items()},
            names=None if self.names is None else [self.names[int(index)] for index in indices],
        )


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


def _copy_texts(texts: Texts, indices: npt.NDArray[np.int64]) -> Texts:
    return pack_texts(text.encode() for text in texts.select(indices))
