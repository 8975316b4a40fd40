"""Which layers does a run's model have? model.json, so that nobody needs Keras to know.

{"format": 1, "parameters": n, "trainable_parameters": n,
 "layers": [{"name", "type", "shape": [...], "parameters"}, ...]}     shape: without the batch axis
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from dltrain.runs.atomic import write_json
from dltrain.runs.records import read_record

FORMAT = 1


class Layer(Protocol):
    """One row of the table; `shape` leaves the batch axis out, None is a size that varies."""

    @property
    def name(self) -> str:
        """Return the layer's name."""

    @property
    def type(self) -> str:
        """Return the name of its class."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Return its output's shape."""

    @property
    def parameters(self) -> int:
        """Return how many weights it has."""


def write_model_table(
    path: Path, layers: Sequence[Layer], *, parameters: int, trainable_parameters: int
) -> None:
    """Replace `path` (a run's model.json). Raises MachineError as `atomic` does."""
    rows = [
        {
            "name": layer.name,
            "type": layer.type,
            "shape": list(layer.shape),
            "parameters": layer.parameters,
        }
        for layer in layers
    ]
    document = {"parameters": parameters, "trainable_parameters": trainable_parameters}
    write_json(path, {"format": FORMAT, **document, "layers": rows})


def read_model_table(path: Path) -> dict[str, Any]:
    """Return what `path` holds. Raises RunError if it is missing, damaged or of another format."""
    return read_record(path, format_number=FORMAT)
