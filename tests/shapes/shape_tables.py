"""How do the tests get from layers to what is reckoned of them, and to what Keras builds?"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dltrain.config.load import LoadedConfig, check_document
from dltrain.config.reading import read_text
from dltrain.shapes.infer import infer_shapes
from dltrain.shapes.table import ShapeTable

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))
IMAGES = "{name: digits}"  # (8, 8, 1)
TEXTS = "{name: imdb, max_words: 12, max_length: 6}"  # (6,) ids


def load(
    layers: str | Sequence[Any], *, dataset: str = IMAGES, rest: str = "", blocks: str = "{}"
) -> LoadedConfig:
    """Read and check a config; `layers` are YAML in flow style, or specs."""
    flow = layers if isinstance(layers, str) else json.dumps(layers)
    text = f"name: tiny\ndataset: {dataset}\nmodel: {{blocks: {blocks}, layers: {flow}}}\n{rest}"
    return check_document(read_text(text, source="tiny.yaml"))


def infer(layers: str | Sequence[Any], **options: Any) -> ShapeTable:
    """Reckon the table of a config's layers."""
    return infer_shapes(load(layers, **options))


def build(loaded: LoadedConfig, table: ShapeTable) -> Any:
    """Build the model as `fit` does, but for the statistics of the data. Raises LayerError."""
    from dltrain.model.network import InputSpec, Normalization, build_network

    normalization = None
    if table.before and table.before[0].type == "rescaling":
        normalization = Normalization((0.0,), (16.0,))
    elif table.before:
        normalization = Normalization((0.5,) * table.row[-1], (2.0,) * table.row[-1])
    spec = InputSpec(table.row, table.dtype, normalization)
    return build_network(loaded.layers, spec, name="model", l2=loaded.config.regularization.l2)


def find_differences(table: ShapeTable, model: Any) -> list[str]:
    """Say where Keras's model and the table disagree: layers, shapes, and counts of parameters.

    A layer that the table doesn't know agrees with anything.
    """
    from keras.layers import InputLayer

    built = {layer.name: layer for layer in model.layers if not isinstance(layer, InputLayer)}
    reckoned = {row.name: row for row in table.rows}
    differences = [] if set(built) == set(reckoned) else [f"{set(built) ^ set(reckoned)}"]
    for name in built.keys() & reckoned.keys():
        row, layer = reckoned[name], built[name]
        keras = (layer.output.shape[1:], layer.count_params(), count(layer.trainable_weights))
        ours = (row.output, row.parameters, row.trainable)
        if row.output is not None and keras != ours:
            differences.append(f"{name} ({row.type}): Keras {keras}, we {ours}")
    sums = (model.count_params(), count(model.trainable_weights))
    if table.is_complete and sums != (table.parameters, table.trainable):
        differences.append(f"in all: Keras {sums}, we {(table.parameters, table.trainable)}")
    return differences


def count(weights: Iterable[Any]) -> int:
    """Return how many numbers the weights hold."""
    return sum(math.prod(weight.shape) for weight in weights)
