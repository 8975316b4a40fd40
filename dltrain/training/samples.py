"""What does the network really see of a training row? Augmented images, words kept and unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dltrain.config.load import LoadedConfig
from dltrain.data.batches import encode_labels, order_rows
from dltrain.data.load import LoadedData
from dltrain.data.preset_tokenizer import PresetTokenizer
from dltrain.data.texts import Texts
from dltrain.data.tokenize import UNKNOWN_ID

WordKind = Literal["known", "unknown", "cut"]


@dataclass(frozen=True)
class SeenText:
    """Hold a text's words, each as it is written, with what becomes of it; and the padding."""

    words: tuple[tuple[str, WordKind], ...]
    padding: int


def choose_rows(labels: NDArray[Any], count: int) -> list[int]:
    """Return `count` row numbers: the first of each class in turn, then the second, and so on.

    Of a regression, whose labels are numbers, the first rows.
    """
    if labels.dtype.kind == "f":
        return list(range(min(count, len(labels))))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.arange(len(labels)) - starts
    chosen = order[np.lexsort((order, rank))][:count]
    return [int(row) for row in chosen]


def augment_rows(
    loaded: LoadedConfig, data: LoadedData, rows: Sequence[int], *, epochs: int
) -> NDArray[np.float32]:
    """Return `(rows, epochs, height, width, channels)` float32: each row as each epoch trains it.

    The whole batch in which the epoch has the row goes through the augmentation, as some of its
    layers draw for a batch, or mix its images. TensorFlow is imported. Raises ConfigError as
    `prepare_augmentation` does.
    """
    from dltrain.training.engine import start_engine
    from dltrain.training.prepare import prepare_augmentation

    config, table = loaded.config, data.tables["train"]
    start_engine(device="cpu", precision=config.training.precision, seed=config.seed)
    targets = loaded.targets
    augment = prepare_augmentation(loaded, data, targets)
    if augment is None:
        raise ValueError("the config has no augmentation")
    import tensorflow as tf

    traced = tf.function(augment, autograph=False, reduce_retracing=True)
    size = len(table) if config.training.batch_size == "full" else config.training.batch_size
    seen = np.empty((len(rows), epochs, *table.inputs.shape[1:]), dtype=np.float32)
    for epoch in range(epochs):
        order = order_rows(
            len(table), seed=config.seed, epoch=epoch, shuffle=config.training.shuffle
        )
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        steps = places[list(rows)] // size
        for step in np.unique(steps):
            batch = order[step * size : (step + 1) * size]
            labels = encode_labels(table.labels[batch], targets.encoding, targets.classes)
            images, _ = traced(
                tf.constant(table.take(batch), tf.float32),
                tf.constant(labels),
                tf.constant(batch),
                tf.constant(epoch, tf.int64),
                tf.constant(step, tf.int64),
            )
            for position in np.flatnonzero(steps == step):
                seen[position, epoch] = images.numpy()[places[rows[int(position)]] - step * size]
    return seen


def read_texts(data: LoadedData, rows: Sequence[int]) -> list[SeenText]:
    """Return what the tokenizer makes of the training texts `rows`: kept, unknown and cut words."""
    source = data.sources["train"]
    assert isinstance(source.rows.inputs, Texts)
    if isinstance(data.tokenizer, PresetTokenizer):
        return [
            _split_text(data.tokenizer, source.rows.inputs[int(source.indices[row])])
            for row in rows
        ]
    return [
        _read_text(data.tokenizer, source.rows.inputs[int(source.indices[row])]) for row in rows
    ]


def _split_text(tokenizer: PresetTokenizer, text: str) -> SeenText:
    pieces, known, seen = tokenizer.split(text)
    kinds: list[WordKind] = [
        ("known" if is_known else "unknown") if place < seen else "cut"
        for place, is_known in enumerate(known)
    ]
    return SeenText(tuple(zip(pieces, kinds, strict=True)), max(0, seen - len(pieces)))


def _read_text(tokenizer: Any, text: str) -> SeenText:
    encoded = tokenizer.encode(text)
    ids, offsets, mask = encoded.ids, encoded.offsets, encoded.attention_mask
    words: list[tuple[int, str, WordKind]] = [
        (start, text[start:end], "unknown" if number == UNKNOWN_ID else "known")
        for number, (start, end), real in zip(ids, offsets, mask, strict=True)
        if real
    ]
    for rest in encoded.overflowing:
        words += [
            (start, text[start:end], "cut")
            for (start, end), real in zip(rest.offsets, rest.attention_mask, strict=True)
            if real
        ]
    words.sort(key=lambda word: word[0])
    return SeenText(tuple((word, kind) for _, word, kind in words), len(mask) - sum(mask))
