"""What stands in for a dataset when a config is only tried: few real rows, or made ones.

Both are small enough that a whole training takes seconds, and both say in their fingerprint that
they are not the dataset itself.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.schema import DatasetConfig
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.made_texts import TextMaker
from dltrain.data.splits import Indices
from dltrain.data.texts import pack_texts

DataKind = Literal["real", "subset", "stand-in"]

# Enough for four steps an epoch and for every class in every split, with up to 25 classes.
_TRAIN_ROWS = 200
_TEST_ROWS = 50
_TRAIN_ROWS_A_CLASS = 8

ROWS_A_CLASS = 2
"""Rows of each class, on average, that a split needs so that a stratified one misses none."""

_ROWS_OF_A_REGRESSION = 10

# An image is made of so many patches across and down: coarse enough to outlive a small shift.
_PATCHES = 4
_NOISE = 0.15

# Numbers each kind of random draw, so that one doesn't move another.
_PATTERNS, _TRAIN, _TEST = range(3)


def count_smoke_rows(info: DatasetInfo) -> int:
    """Return how many training rows a trial takes, validation rows included."""
    return _round_up(max(_TRAIN_ROWS, _TRAIN_ROWS_A_CLASS * _classes(info)), _classes(info))


def least_split_rows(info: DatasetInfo) -> int:
    """Return how many rows a split of a trial must have to say anything."""
    return ROWS_A_CLASS * len(info.class_names) or _ROWS_OF_A_REGRESSION


def make_stand_in(
    info: DatasetInfo, config: DatasetConfig, *, seed: int, rows: int | None = None
) -> Dataset:
    """Make data of the same shapes, dtypes, value range, classes and splits as a fetched dataset.

    There are `rows` training rows (default: `count_smoke_rows`), and test rows only where the real
    set publishes some. What is in a row follows its label, so that a model can learn it: each
    class has a pattern of its own in images and tables, and words of its own in texts. Texts have
    words enough for `config.max_words`, and lengths on both sides of `config.max_length`.
    """
    train_rows = rows or count_smoke_rows(info)
    test_rows = _count_test_rows(info)
    info = dataclasses.replace(info, train_rows=train_rows, test_rows=test_rows)
    train = _make_rows(info, config, train_rows, seed=seed, split=_TRAIN)
    test = _make_rows(info, config, test_rows, seed=seed, split=_TEST) if test_rows else None
    label = {"name": info.name, "stand_in": True, "rows": train_rows, "seed": seed}
    return Dataset(info=info, train=train, test=test, fingerprint=label)


def take_subset(dataset: Dataset, *, seed: int, rows: int | None = None) -> Dataset:
    """Take `rows` training rows (default: `count_smoke_rows`), and some of a published test split.

    Each class gives as many rows as any other, or all that it has; the rows keep their order. The
    arrays are copied, so that nothing holds on to a mapped file.
    """
    info = dataset.info
    train = _take(dataset.train, rows or count_smoke_rows(info), info, seed=(seed, _TRAIN))
    test = None
    if dataset.test is not None:
        test = _take(dataset.test, _count_test_rows(info), info, seed=(seed, _TEST))
    return Dataset(
        info=dataclasses.replace(
            info, train_rows=len(train), test_rows=0 if test is None else len(test)
        ),
        train=train,
        test=test,
        fingerprint={**dataset.fingerprint, "subset": len(train), "seed": seed},
    )


def choose_smoke_rows(
    split: str, labels: npt.NDArray[Any], info: DatasetInfo, *, seed: int
) -> Indices:
    """Return the rows `(n,)` of "train" or "test" that `take_subset` would take by their labels."""
    if split == "train":
        return _choose(labels, count_smoke_rows(info), info, np.random.default_rng((seed, _TRAIN)))
    return _choose(labels, _count_test_rows(info), info, np.random.default_rng((seed, _TEST)))


def find_kind(fingerprint: Mapping[str, Any]) -> DataKind:
    """Tell the dataset itself from a few of its rows, and from rows made up."""
    if fingerprint.get("stand_in"):
        return "stand-in"
    return "subset" if "subset" in fingerprint else "real"


def describe_stand_in(fingerprint: Mapping[str, Any]) -> str | None:
    """Return one phrase on what stands in for the dataset; None for the dataset itself."""
    kind, name = find_kind(fingerprint), fingerprint.get("name")
    if kind == "stand-in":
        return f"a stand-in for {name}, made from seed {fingerprint['seed']}"
    if kind == "subset":
        return f"a subset of {name}, {fingerprint['subset']:,} rows before splitting"
    return None


def _classes(info: DatasetInfo) -> int:
    return max(1, len(info.class_names))


def _round_up(rows: int, multiple: int) -> int:
    return math.ceil(rows / multiple) * multiple


def _count_test_rows(info: DatasetInfo) -> int:
    if not info.test_rows:
        return 0
    return _round_up(max(_TEST_ROWS, least_split_rows(info)), _classes(info))


def _make_rows(
    info: DatasetInfo, config: DatasetConfig, rows: int, *, seed: int, split: int
) -> Rows:
    random = np.random.default_rng([seed, split])
    labels, shares = _make_labels(info, rows, random)
    patterns = np.random.default_rng([seed, _PATTERNS])
    if info.modality == "text":
        maker = TextMaker(config, groups=shares.shape[1])
        texts = maker.make(shares, random, whole_vocabulary=split == _TRAIN)
        return Rows(pack_texts(text.encode() for text in texts), labels)
    if info.modality == "image":
        return Rows(_make_images(info.shape, shares, patterns, random), labels)
    centres = patterns.standard_normal((shares.shape[1], *info.shape))
    table = shares @ centres + _NOISE * random.standard_normal((rows, *info.shape))
    return Rows(table.astype(np.float32), labels)


def _make_labels(
    info: DatasetInfo, rows: int, random: np.random.Generator
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Return labels `(rows,)`, every class equally often, and each row's share of each pattern.

    A class has one pattern; a number from 0 to 1 is a blend of two.
    """
    if info.task == "classification":
        classes = len(info.class_names)
        labels = random.permutation(np.arange(rows, dtype=np.int64) % classes)
        return labels, np.eye(classes)[labels]
    targets = random.random(rows)
    return targets.astype(np.float32), np.stack([1 - targets, targets], axis=1)


def _make_images(
    shape: tuple[int, ...],
    shares: npt.NDArray[np.float64],
    patterns: np.random.Generator,
    random: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Return `(n, height, width, channels)` uint8 of the whole range from 0 to 255."""
    height, width, channels = shape
    coarse = patterns.uniform(-0.1, 1.1, (shares.shape[1], _PATCHES, _PATCHES, channels))
    down, across = np.arange(height) * _PATCHES // height, np.arange(width) * _PATCHES // width
    images = np.tensordot(shares, coarse[:, down][:, :, across], axes=1)
    images += _NOISE * random.standard_normal(images.shape)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _take(rows: Rows, count: int, info: DatasetInfo, *, seed: tuple[int, int]) -> Rows:
    indices = _choose(np.asarray(rows.labels), count, info, np.random.default_rng(seed))
    # Of few rows none may be marked for validation, and all may be of one group.
    return dataclasses.replace(rows.select(indices), is_validation=None, groups=None)


def _choose(
    labels: npt.NDArray[Any], count: int, info: DatasetInfo, random: np.random.Generator
) -> Indices:
    """Return `count` indices into `labels`, or all if there are fewer, in rising order."""
    order = random.permutation(len(labels))
    if info.task == "classification":
        # A row's rank within its class: all first ones come before all second ones, and so on.
        rank = np.empty(len(labels), dtype=np.int64)
        for label in np.unique(labels):
            members = order[labels[order] == label]
            rank[members] = np.arange(len(members))
        order = order[np.argsort(rank[order], kind="stable")]
    chosen: Indices = np.sort(order[:count]).astype(np.int64)
    return chosen
