"""Which rows of a dataset count when only some classes are asked for? None is copied or moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from dltrain.config.chosen_classes import keep_classes
from dltrain.data.dataset import Dataset, Rows

UNCHOSEN = -1
"""The label of a row whose class was not chosen."""


def choose_rows(dataset: Dataset, classes: Sequence[str | int] | None) -> Dataset:
    """Return the dataset with labels that count in `classes`; rows of others are UNCHOSEN.

    The inputs stay as they are, a mapped file too, and so does what each row is called. A dataset
    whose classes were chosen already comes back as it is.
    """
    names = dataset.info.class_names
    if classes is None or tuple(classes) == names:
        return dataset
    chosen = tuple(str(name) for name in classes)
    numbers = np.full(len(names), UNCHOSEN, dtype=np.int64)
    for number, name in enumerate(chosen):
        numbers[names.index(name)] = number

    def relabel(rows: Rows) -> Rows:
        return dataclasses.replace(rows, labels=numbers[np.asarray(rows.labels)])

    return dataclasses.replace(
        dataset,
        info=keep_classes(dataset.info, chosen),
        train=relabel(dataset.train),
        test=None if dataset.test is None else relabel(dataset.test),
    )
