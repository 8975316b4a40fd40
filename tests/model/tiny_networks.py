"""How do the tests get from a few lines of YAML to a network that took one step? On made rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.load import LoadedConfig, check_document
from dltrain.config.reading import read_text
from dltrain.config.targets import Targets
from dltrain.data.batches import Table, encode_labels
from dltrain.data.load import LoadedData
from dltrain.data.normalize import Scaling
from dltrain.data.preprocessing import Preprocessing
from dltrain.model.compile import compile_model
from dltrain.model.components import Steps
from dltrain.training.prepare import prepare_network

IMAGES = "{name: digits}"  # (8, 8, 1), ten classes
TEXTS = "{name: imdb, max_words: 12, max_length: 6}"  # (6,) ids, two classes
NUMBERS = "{name: diabetes}"  # (10,) features, a number

CLASSIFIER = "[flatten, {type: dense, units: 10}]"
SMALL = "[flatten, {type: dense, units: 3, activation: relu}, {type: dense, units: 10}]"
REGRESSOR = "[{type: dense, units: 3, activation: relu}, {type: dense, units: 1}]"

STEPS = Steps(per_epoch=5, total=50)


@dataclass(frozen=True)
class Network:
    """A config that was read, its model and compiled twin, and rows `(n, …)` that fit it."""

    loaded: LoadedConfig
    model: Any
    trained: Any
    targets: Targets
    table: Table

    @property
    def inputs(self) -> npt.NDArray[Any]:
        """Return the rows as batches bring them: images as float32."""
        inputs = self.table.inputs
        return inputs.astype(np.float32) if inputs.dtype == np.uint8 else inputs

    @property
    def labels(self) -> npt.NDArray[Any]:
        """Return the labels as the loss wants them."""
        return encode_labels(self.table.labels, self.targets.encoding, self.targets.classes)

    def step(self) -> dict[str, float]:
        """Train one step on all rows; return the loss and the metrics."""
        logs = self.trained.train_on_batch(self.inputs, self.labels, return_dict=True)
        return {name: float(value) for name, value in logs.items()}


def load(layers: str, *, dataset: str = IMAGES, rest: str = "", blocks: str = "{}") -> LoadedConfig:
    """Read and check a config whose `layers`, `dataset` and `blocks` are YAML in flow style."""
    text = f"name: tiny\ndataset: {dataset}\nmodel: {{blocks: {blocks}, layers: {layers}}}\n{rest}"
    return check_document(read_text(text, source="tiny.yaml"))


def make_data(loaded: LoadedConfig, rows: int = 10) -> LoadedData:
    """Make random rows in the form in which the config's dataset comes."""
    generator = np.random.default_rng(0)
    info = loaded.info
    classes = len(info.class_names)
    scaling = Scaling((0.0,), (1.0,))
    if info.modality == "text":
        length = loaded.config.dataset.max_length or 0
        shape, dtype = (length,), "int32"
        inputs = generator.integers(1, 12, (rows, length)).astype(np.int32)
    else:
        shape, dtype = tuple(info.shape), "float32"
        if info.modality == "image":
            inputs = generator.integers(0, 17, (rows, *shape)).astype(np.uint8)
            scaling = Scaling((0.0,), (16.0,))
        else:
            shape = (loaded.config.dataset.features,) if loaded.config.dataset.features else shape
            inputs = generator.normal(size=(rows, *shape)).astype(np.float32)
            scaling = Scaling((0.5,) * shape[0], (2.0,) * shape[0])
    labels = np.arange(rows) % classes if classes else np.linspace(0.5, 3, rows, dtype=np.float32)
    return LoadedData(
        info=info,
        tables={"train": Table(inputs, labels)},
        train_labels=labels,
        row_shape=shape,
        dtype=dtype,
        scaling=None if info.modality == "text" else scaling,
        largest=16.0,
        tokenizer=None,
        fingerprint={},
        preprocessing=Preprocessing.of(info, ()),
    )


def build(
    layers: str,
    *,
    dataset: str = IMAGES,
    rest: str = "",
    blocks: str = "{}",
    rows: int = 10,
    eager: bool = False,
) -> Network:
    """Build and compile the network of a config, as `fit` does.

    `eager` runs the step without making a graph of it, which takes a fraction of the time.
    """
    loaded = load(layers, dataset=dataset, rest=rest, blocks=blocks)
    data = make_data(loaded, rows)
    model, targets = prepare_network(loaded, data)
    trained = compile_model(
        model,
        optimizer=loaded.config.optimizer,
        metrics=loaded.config.metrics or [],
        targets=targets,
        steps=STEPS,
    )
    trained.run_eagerly = eager
    return Network(loaded, model, trained, targets, data.tables["train"])


def train_a_step(network: Network) -> dict[str, float]:
    """Train a step; fail unless the loss is finite and a weight changed (where there is one)."""
    before = [np.asarray(weight).copy() for weight in network.model.trainable_weights]
    logs = network.step()
    assert np.isfinite(logs["loss"]), logs
    after = [np.asarray(weight).copy() for weight in network.model.trainable_weights]
    assert before == [] or changed(before, after)
    assert all(np.isfinite(weight).all() for weight in after)
    return logs


def changed(before: Sequence[npt.NDArray[Any]], after: Sequence[npt.NDArray[Any]]) -> bool:
    """Tell whether any weight differs."""
    return any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
