"""Are the facts of the datasets, by which lints judge a config, true of their rows?"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dltrain.catalog.datasets import DATASETS, DatasetInfo

CLASSIFIED = [info for info in DATASETS.values() if info.task == "classification"]


@pytest.mark.parametrize("info", CLASSIFIED, ids=lambda info: info.name)
def test_counts_of_the_classes_add_up_to_the_training_rows(info: DatasetInfo) -> None:
    assert len(info.class_counts) == len(info.class_names)
    assert sum(info.class_counts) == info.train_rows


@pytest.mark.parametrize("info", DATASETS.values(), ids=lambda info: info.name)
def test_only_texts_have_a_length_and_only_images_a_way_up(info: DatasetInfo) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(DatasetInfo)}
    assert bool(info.median_words) == (info.modality == "text")
    if info.modality != "image":
        assert (info.flips, info.max_rotation) == (defaults["flips"], defaults["max_rotation"])


def test_counts_of_the_digits_are_those_of_the_data() -> None:
    from dltrain.data.embedded import make_embedded

    info = DATASETS["digits"]
    labels = make_embedded(info, options={}).train.labels
    assert tuple(np.bincount(labels).tolist()) == info.class_counts


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "cifar10", "imdb"])
def test_facts_of_published_data_are_those_of_the_data(name: str) -> None:
    """Needs the prepared dataset: `dltrain data fetch NAME`."""
    from dltrain.data.open import open_dataset
    from dltrain.data.store import resolve_data_dir
    from dltrain.data.tokenize import train_tokenizer

    info = DATASETS[name]
    train = open_dataset(name, data_dir=resolve_data_dir(None), offline=True).train
    assert tuple(np.bincount(train.labels).tolist()) == info.class_counts
    if info.median_words:
        texts = list(train.inputs)
        tokenizer = train_tokenizer(texts, max_words=100, max_length=1, truncate="end")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        lengths = [len(row.ids) for row in tokenizer.encode_batch_fast(texts)]
        assert np.median(lengths) == info.median_words
