"""How does `dataset:` become the tables that are trained and evaluated on?"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import DatasetInfo, Feature
from dltrain.config.own_keys import TABLE_TYPES
from dltrain.config.rules import count_held_out, text_length
from dltrain.config.schema import DatasetConfig
from dltrain.data.batches import Table
from dltrain.data.class_choice import UNCHOSEN, choose_rows
from dltrain.data.dataset import Dataset, Rows
from dltrain.data.grouped_splits import hold_out_groups
from dltrain.data.leakage import count_shared_rows, describe_shared_rows
from dltrain.data.normalize import Scaling, measure_scaling
from dltrain.data.open import open_configured_dataset, open_smoke_dataset
from dltrain.data.preprocessing import Preprocessing, check_features
from dltrain.data.progress import SILENT, Progress
from dltrain.data.splits import (
    TEST_SPLIT_SEED,
    Indices,
    hold_out,
    limit_classes,
    thin_classes,
)
from dltrain.data.stand_in import DataKind, describe_stand_in, find_kind, least_split_rows
from dltrain.data.table_encoding import ColumnEncoding, complete_features, learn_columns
from dltrain.data.texts import Texts
from dltrain.data.token_cache import TokenCache
from dltrain.data.tokenize import append_bigrams

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Source:
    """Say where the rows of a split come from: `indices` `(n,)` into `rows`, as they were opened.

    `part` is "train" or "test": the published part that `rows` are.
    """

    part: str
    rows: Rows
    indices: Indices
    modality: str
    feature_names: tuple[str, ...] = ()

    def ids(self) -> list[str]:
        """Return what each row of the split is called: its file, or `test/17`, from 0."""
        if self.rows.names is not None:
            return [self.rows.names[int(index)] for index in self.indices]
        return [f"{self.part}/{int(index)}" for index in self.indices]


@dataclass(frozen=True)
class LoadedData:
    """Hold the tables asked for, and what the model must know of its input.

    `tables` maps split to table, without splits of no rows. `row_shape` is one row's without the
    batch axis. `train_labels` `(n,)` are there whatever the splits. `scaling` is None for ids, for
    `normalize: none` and without the training split; `tokenizer` None but for text.
    """

    info: DatasetInfo
    tables: dict[str, Table]
    train_labels: npt.NDArray[Any]
    row_shape: tuple[int, ...]
    dtype: str
    scaling: Scaling | None
    largest: float
    """The largest value that an image may hold (255, or 16 for digits); 1 where it isn't asked."""
    tokenizer: Any
    fingerprint: dict[str, Any]
    preprocessing: Preprocessing
    """What turns raw input into `row_shape`, beside the tokenizer."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Where the rows of each table come from, in the table's order."""

    @property
    def kind(self) -> DataKind:
        """Tell the dataset itself from a few of its rows, and from rows made up."""
        return find_kind(self.fingerprint)

    @property
    def label(self) -> str:
        """Return the dataset's name, or a phrase on what stands in for it."""
        return describe_stand_in(self.fingerprint) or self.info.name


def load_data(
    config: DatasetConfig,
    *,
    seed: int,
    data_dir: Path,
    offline: bool = False,
    splits: Collection[str] = SPLITS,
    tokenizer: Any = None,
    preprocessing: Preprocessing | None = None,
    progress: Progress = SILENT,
    smoke: bool = False,
) -> LoadedData:
    """Open the dataset, split it and bring it into the form that the model takes.

    `seed` decides the validation rows. A `tokenizer` and a `preprocessing` from a run are used as
    they are; without them, the training rows say what they are. `smoke` takes a few rows
    only, or a stand-in where the dataset isn't prepared, and never a network: the fingerprint says
    which. Raises DataError.
    """
    if smoke:
        dataset = open_smoke_dataset(config, data_dir=data_dir, seed=seed)
        dataset = choose_rows(dataset, config.classes)
        config = _widen_splits(config, dataset)
    else:
        dataset = open_configured_dataset(
            config, data_dir=data_dir, offline=offline, progress=progress
        )
    dataset = choose_rows(dataset, config.classes)
    rows = split_dataset(dataset, config, seed=seed)
    fingerprint = dict(dataset.fingerprint)
    if config.type is not None and not smoke and {"train", "test"} <= set(splits):
        fingerprint["shared_rows"] = count_shared_rows(rows)
        sizes = {split: len(indices) for split, (_, indices) in rows.items()}
        shared, is_table = fingerprint["shared_rows"], config.type in TABLE_TYPES
        for sentence in describe_shared_rows(shared, sizes, is_table=is_table):
            progress.warn(sentence)
    if preprocessing is None:
        columns = _learn_columns(rows["train"], dataset.info)
        preprocessing = Preprocessing.of(dataset.info, columns)
    else:
        check_features(preprocessing, dataset.info)
    if preprocessing.columns:
        rows = _complete_features(rows, preprocessing.columns)
    train_rows, train_indices = rows["train"]
    scaling, largest, cache = None, 1.0, TokenCache(data_dir)
    if isinstance(train_rows.inputs, Texts):
        if tokenizer is None:
            tokenizer = _find_tokenizer(cache, train_rows.inputs, train_indices, config, progress)
    elif "train" in splits:  # a model that is only evaluated holds its scaling already
        if config.normalize in ("unit", "standard"):
            scaling = measure_scaling(train_rows.inputs, train_indices, config.normalize)
        if scaling is not None and config.normalize == "unit":
            largest = scaling.scale[0]
        elif dataset.info.modality == "image":
            largest = measure_scaling(train_rows.inputs, train_indices, "unit").scale[0]
    tables = {
        split: _make_table(part, indices, config, tokenizer, cache)
        for split, (part, indices) in rows.items()
        if split in splits and len(indices)
    }
    text = dataset.info.modality == "text"
    return LoadedData(
        info=dataset.info,
        tables=tables,
        train_labels=np.asarray(train_rows.labels[train_indices]),
        row_shape=(text_length(config),) if text else dataset.info.shape,
        dtype="int32" if text else "float32",
        scaling=scaling,
        largest=largest,
        tokenizer=tokenizer,
        fingerprint=fingerprint,
        preprocessing=preprocessing,
        sources={split: _describe_source(dataset, split, *rows[split]) for split in tables},
    )


def _describe_source(dataset: Dataset, split: str, rows: Rows, indices: Indices) -> Source:
    info = dataset.info
    return Source(
        part="test" if split == "test" and dataset.test is not None else "train",
        rows=rows,
        indices=indices,
        modality=info.modality,
        feature_names=tuple(_name_feature(feature) for feature in info.features),
    )


def _name_feature(feature: Feature) -> str:
    if feature.kind == "number":
        return feature.column
    value = "missing" if feature.kind == "missing" or not feature.value else feature.value
    return f"{feature.column} = {value}"


def split_dataset(
    dataset: Dataset, config: DatasetConfig, *, seed: int
) -> dict[str, tuple[Rows, Indices]]:
    """Return for each split its rows and the indices into them.

    A published test split stays, and so do validation rows that the data itself marks. Rows of one
    group stay together. Rows of classes that weren't chosen (see `choose_rows`) are in none.
    """
    names = dataset.info.class_names
    rows = _find_chosen(dataset.train, names)
    marked = dataset.train.is_validation
    validation: Indices | None = None
    if marked is not None:
        rows, validation = rows[~marked[rows]], rows[marked[rows]]
    if dataset.test is not None:
        test = (dataset.test, _find_chosen(dataset.test, names))
    else:
        rows, held = _hold_out(
            dataset, rows, config.test_split or 0.0, split="test", seed=TEST_SPLIT_SEED
        )
        test = (dataset.train, held)
    if config.keep:
        labels = np.asarray(dataset.train.labels)
        rows = thin_classes(rows, labels, shares=config.keep, seed=seed, class_names=names)
    if config.rows_per_class:
        labels = np.asarray(dataset.train.labels)
        rows = limit_classes(rows, labels, most=config.rows_per_class, seed=seed)
    if validation is None:
        rows, validation = _hold_out(
            dataset, rows, config.validation_split, split="validation", seed=seed
        )
    return {
        "train": (dataset.train, rows),
        "validation": (dataset.train, validation),
        "test": test,
    }


def _find_chosen(rows: Rows, class_names: tuple[str, ...]) -> Indices:
    labels = np.asarray(rows.labels)
    chosen = labels != UNCHOSEN if class_names else np.ones(len(labels), dtype=bool)
    return np.flatnonzero(chosen).astype(np.int64)


def _hold_out(
    dataset: Dataset, rows: Indices, fraction: float, *, split: str, seed: int
) -> tuple[Indices, Indices]:
    labels, names = np.asarray(dataset.train.labels), dataset.info.class_names
    groups = dataset.train.groups
    if groups is None:
        return hold_out(rows, labels, fraction=fraction, seed=seed, split=split, class_names=names)
    return hold_out_groups(
        rows, labels, groups, fraction=fraction, seed=seed, split=split, class_names=names
    )


def _learn_columns(train: tuple[Rows, Indices], info: DatasetInfo) -> tuple[ColumnEncoding, ...]:
    rows, indices = train
    if not info.features:
        return ()
    assert isinstance(rows.inputs, np.ndarray)
    return learn_columns(info.features, rows.inputs, rows.texts, indices)


def _complete_features(
    rows: dict[str, tuple[Rows, Indices]], columns: tuple[ColumnEncoding, ...]
) -> dict[str, tuple[Rows, Indices]]:
    """Fill in what was learned, once for the rows that several splits share."""
    filled: dict[int, Rows] = {}
    for part, _ in rows.values():
        if id(part) not in filled:
            assert isinstance(part.inputs, np.ndarray)
            inputs = complete_features(columns, part.inputs, part.texts)
            filled[id(part)] = dataclasses.replace(part, inputs=inputs)
    return {split: (filled[id(part)], indices) for split, (part, indices) in rows.items()}


def _widen_splits(config: DatasetConfig, dataset: Dataset) -> DatasetConfig:
    """Return `config` with shares that leave every class in every split of few rows.

    A hundredth of 60,000 rows is a good validation split; a hundredth of 200 is none.
    """
    rows = len(_find_chosen(dataset.train, dataset.info.class_names))
    least = min(least_split_rows(dataset.info), rows // 4)
    changes: dict[str, Any] = {}
    if dataset.test is None:
        # Training and validation rows share what is left.
        test_split = max(config.test_split or 0.0, least / rows)
        changes["test_split"] = min(test_split, 1 - 2 * least / rows)
        rows -= count_held_out(rows, changes["test_split"])
    if config.validation_split:
        validation_split = max(config.validation_split, least / rows)
        changes["validation_split"] = min(validation_split, 1 - least / rows)
    if config.rows_per_class:
        changes["rows_per_class"] = None
    if config.keep:  # a hundredth of a few rows would leave a class in no split but one
        changes["keep"] = {name: max(share, 0.5) for name, share in config.keep.items()}
    return config.model_copy(update=changes)


def _find_tokenizer(
    cache: TokenCache, texts: Texts, rows: Indices, config: DatasetConfig, progress: Progress
) -> Any:
    settings: dict[str, Any] = {
        "max_words": config.max_words or 0,
        "max_length": config.max_length or 0,
        "truncate": config.truncate or "end",
    }
    tokenizer = cache.find_tokenizer(texts, rows, **settings)
    if tokenizer is None:
        progress.note("Building the vocabulary from the training rows.")
        tokenizer = cache.train(texts, rows, **settings)
    return tokenizer


def _make_table(
    rows: Rows, indices: Indices, config: DatasetConfig, tokenizer: Any, cache: TokenCache
) -> Table:
    labels = np.asarray(rows.labels[indices])
    weights = None if rows.weights is None else rows.weights[indices]
    if not isinstance(rows.inputs, Texts):
        positions = np.asarray(indices, dtype=np.int64)
        return Table(rows.inputs, labels, positions, weights=weights)
    ids = cache.encode(tokenizer, rows.inputs, indices)
    if config.ngrams == 2:
        ids = append_bigrams(
            ids, vocabulary=config.max_words or 0, buckets=config.ngram_buckets or 0
        )
    return Table(ids, labels, weights=weights)
