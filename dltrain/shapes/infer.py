"""What does a checked config's model look like? Every layer's shape, walked from the dataset's row.

TensorFlow is not asked: see `dltrain.shapes.rules` for what is known of each layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dltrain.config.document import Problems
from dltrain.config.layers import INPUT, Layer
from dltrain.config.load import LoadedConfig
from dltrain.config.rules import count_training_rows
from dltrain.shapes.effect import Effect, ImpossibleShapeError, NoRuleError, Shape, show_shape
from dltrain.shapes.row import find_row
from dltrain.shapes.rules import find_effect
from dltrain.shapes.table import LayerShape, ShapeTable


def infer_shapes(loaded: LoadedConfig) -> ShapeTable:
    """Return every layer's shapes, parameters and work, and the mistakes that they show.

    Nothing is raised for a mistake: it stands in the table's `problems`, and what comes after it is
    unknown. Takes milliseconds.
    """
    config = loaded.config
    row = find_row(config.dataset, loaded.info)
    problems = Problems(loaded.document)
    layers = _walk(loaded.layers, row.shape, problems)
    before = (
        (LayerShape(row.normalization, row.normalization, (), (row.shape,), row.shape, 0, 0, 0),)
        if row.normalization
        else ()
    )
    mixed = config.training.precision != "float32"
    batch_size = config.training.batch_size
    return ShapeTable(
        row=row.shape,
        dtype=row.dtype,
        before=before,
        layers=layers,
        after=(),
        batch_size=count_training_rows(config, loaded.info) if batch_size == "full" else batch_size,
        value_bytes=2 if mixed else 4,
        problems=problems.found(),
    )


def _walk(layers: Sequence[Layer], row: Shape, problems: Problems) -> tuple[LayerShape, ...]:
    shapes: dict[str, Shape | None] = {INPUT: row}
    used = _find_used(layers)
    found = []
    for layer in layers:
        inputs = tuple(shapes[name] for name in layer.inputs)
        effect = _infer(layer, inputs, problems)
        shapes[layer.name] = effect.output if effect else None
        found.append(
            LayerShape(
                name=layer.name,
                type=layer.type,
                path=layer.path,
                inputs=inputs,
                output=effect.output if effect else None,
                trainable=effect.trainable if effect else None,
                fixed=effect.fixed if effect else None,
                multiply_adds=effect.multiply_adds if effect else None,
                in_model=layer.name in used,
            )
        )
    return tuple(found)


def _infer(layer: Layer, inputs: Iterable[Shape | None], problems: Problems) -> Effect | None:
    known = tuple(shape for shape in inputs if shape is not None)
    if len(known) < len(layer.inputs):
        return None
    try:
        return find_effect(layer.type, layer.arguments, known)
    except NoRuleError:
        return None
    except ImpossibleShapeError as error:
        path = layer.path
        if error.argument and error.argument in layer.arguments:
            path = (*path, error.argument)
        received = " and ".join(show_shape(shape) for shape in known)
        problems.add(
            path,
            f"{_label(layer)} expects {error.expected}, received {received}.",
            hint=error.hint,
        )
        return None


def _label(layer: Layer) -> str:
    return layer.name if layer.name == layer.type else f"{layer.name} ({layer.type})"


def _find_used(layers: Sequence[Layer]) -> set[str]:
    """Return the names of the layers that the last one's output depends on, and its own."""
    used = {layers[-1].name} if layers else set()
    for layer in reversed(layers):
        if layer.name in used:
            used.update(layer.inputs)
    return used
