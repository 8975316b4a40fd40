"""How are a model's layers shown before it is trained? As lines of text, and as JSON."""

from __future__ import annotations

import math
from typing import Any

from dltrain.shapes.effect import Shape, show_shape
from dltrain.shapes.table import LayerShape, ShapeTable

_HEADER = ("layer", "output shape", "parameters", "mult-adds", "memory")
_UNKNOWN = "?"
_GAP = "  "
_LEAST_NAME = 12


def draw_layers(table: ShapeTable, *, width: int | None) -> str:
    """Return a line a layer, the totals, and what the columns mean.

    A layer's type stands behind its name where the name doesn't say it. With `width`, that column
    is cut so that a line fits.
    """
    rows = [_HEADER, *(_show(table, layer) for layer in table.rows), _total(table)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    if width is not None:
        rest = sum(widths[1:]) + len(_GAP) * (len(_HEADER) - 1)
        widths[0] = max(_LEAST_NAME, min(widths[0], width - rest))
    lines = [_line(row, widths) for row in rows]
    rule = "─" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *_notes(table)])


def describe_layers(table: ShapeTable) -> list[dict[str, Any]]:
    """Return the JSON-able form of the layers that the model has."""
    return [
        {
            "name": layer.name,
            "type": layer.type,
            "input_shapes": [_as_list(shape) for shape in layer.inputs],
            "output_shape": _as_list(layer.output),
            "parameters": layer.parameters,
            "trainable_parameters": layer.trainable,
            "multiply_adds": layer.multiply_adds,
            "activation_bytes": table.bytes_of(layer),
        }
        for layer in table.rows
    ]


def describe_totals(table: ShapeTable) -> dict[str, Any]:
    """Return the JSON-able sums; null where a layer is unknown."""
    return {
        "parameters": table.parameters,
        "trainable_parameters": table.trainable,
        "multiply_adds": table.multiply_adds,
        "activation_bytes": table.activation_bytes,
        "batch_size": table.batch_size,
    }


def _as_list(shape: Shape | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _show(table: ShapeTable, layer: LayerShape) -> tuple[str, ...]:
    name = layer.name if layer.type in layer.name else f"{layer.name} ({layer.type})"
    return (
        f"{name}, not trained" if layer.frozen else name,
        _UNKNOWN if layer.output is None else show_shape(layer.output),
        _UNKNOWN if layer.parameters is None else f"{layer.parameters:,}",
        _round(layer.multiply_adds),
        _round_bytes(table.bytes_of(layer)),
    )


def _total(table: ShapeTable) -> tuple[str, ...]:
    return (
        "total",
        "",
        _UNKNOWN if table.parameters is None else f"{table.parameters:,}",
        _round(table.multiply_adds),
        _round_bytes(table.activation_bytes),
    )


def _notes(table: ShapeTable) -> list[str]:
    dtype = "float32" if table.value_bytes == 4 else "half precision"
    notes = [
        f"mult-adds: of one row's prediction; memory: outputs of a batch of {table.batch_size:,}, "
        f"{dtype}"
    ]
    if table.parameters is not None and table.trainable != table.parameters:
        notes.insert(0, f"{table.parameters - (table.trainable or 0):,} parameters not trained")
    if not table.is_complete:
        notes.append("?: only Keras knows; --build asks it, which takes some seconds")
    return notes


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, shape, *numbers = row
    if len(name) > widths[0]:
        name = f"{name[: widths[0] - 1]}…"
    right = [text.rjust(width) for text, width in zip(numbers, widths[2:], strict=True)]
    return _GAP.join([name.ljust(widths[0]), shape.ljust(widths[1]), *right])


def _round(count: int | None) -> str:
    """Return `0`, `980`, `1.47 M`: three digits and a power of a thousand."""
    if count is None:
        return _UNKNOWN
    return _scale(count, ("", "k", "M", "G", "T", "P"))


def _round_bytes(count: int | None) -> str:
    if count is None:
        return _UNKNOWN
    return _scale(count, ("B", "kB", "MB", "GB", "TB", "PB"))


def _scale(count: int, units: tuple[str, ...]) -> str:
    power = 0
    value = float(count)
    while value >= 999.5 and power < len(units) - 1:
        value /= 1000
        power += 1
    digits = 0 if power == 0 else max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{digits}f} {units[power]}".rstrip()
