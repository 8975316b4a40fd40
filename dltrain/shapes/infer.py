"""What does a checked config's model look like? Every layer's shape, walked from the dataset's row.

TensorFlow is not asked: see `dltrain.shapes.rules` for what is known of each layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dltrain.config.document import Problems
from dltrain.config.layers import INPUT, Layer, free_name
from dltrain.config.load import LoadedConfig
from dltrain.config.rules import count_training_rows
from dltrain.config.targets import TargetsError, last_layer, resolve_targets
from dltrain.shapes.dtypes import gives_integers
from dltrain.shapes.effect import Effect, ImpossibleShapeError, NoRuleError, Shape, show_shape
from dltrain.shapes.row import Row, find_row
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
    integers: dict[str, bool] = {INPUT: row.dtype == "int32"}
    layers = _walk(loaded.layers, row, integers, problems)
    _check_output(loaded, layers[-1], problems)
    precision, batch_size = config.training.precision, config.training.batch_size
    return ShapeTable(
        row=row.shape,
        dtype=row.dtype,
        before=_before(loaded, row),
        layers=layers,
        after=_after(loaded, layers[-1].output, integers),
        batch_size=count_training_rows(config, loaded.info) if batch_size == "full" else batch_size,
        value_bytes=4 if precision == "float32" else 2,
        problems=problems.found(),
    )


def _before(loaded: LoadedConfig, row: Row) -> tuple[LayerShape, ...]:
    """Return the layer that scales the raw input, where the config asks for one."""
    kind = row.normalization
    if kind is None:
        return ()
    return (_added(free_name(kind, loaded.layers), kind, row.shape),)


def _after(
    loaded: LoadedConfig, output: Shape | None, integers: Mapping[str, bool]
) -> tuple[LayerShape, ...]:
    """Return the layer that turns the output into float32, which it is not in mixed precision."""
    last = loaded.layers[-1]
    dtype = last.arguments.get("dtype") or loaded.config.training.precision
    if dtype == "float32" and not integers.get(last.name):
        return ()
    return (_added(free_name("float32_output", loaded.layers), "activation", output),)


def _added(name: str, kind: str, shape: Shape | None) -> LayerShape:
    return LayerShape(name, kind, (), (shape,), shape, trainable=0, fixed=0, multiply_adds=0)


def _check_output(loaded: LoadedConfig, last: LayerShape, problems: Problems) -> None:
    """Refuse an output that isn't one row of units, or not as many as the labels want."""
    if last.output is None:
        return
    if len(last.output) != 1:
        problems.add(
            last.path,
            f"the model's output must be (units,), but {_label(last)} gives "
            f"{show_shape(last.output)}.",
            hint="End the model with flatten or pooling, then dense.",
        )
        return
    try:
        resolve_targets(
            task=loaded.info.task,
            classes=len(loaded.info.class_names),
            loss=loaded.config.loss,
            units=last.output[0],
            activation=last_layer(list(loaded.layers))[1],
        )
    except TargetsError as error:
        path = ("loss",) if error.where == "loss" else last.path
        problems.add(path, error.message, hint=error.hint)


def _walk(
    layers: Sequence[Layer], row: Row, integers: dict[str, bool], problems: Problems
) -> tuple[LayerShape, ...]:
    shapes: dict[str, Shape | None] = {INPUT: row.shape}
    used = _find_used(layers)
    found = []
    for layer in layers:
        inputs = tuple(shapes[name] for name in layer.inputs)
        effect = _infer(layer, inputs, integers, problems)
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


def _infer(
    layer: Layer,
    inputs: Iterable[Shape | None],
    integers: dict[str, bool],
    problems: Problems,
) -> Effect | None:
    """Return the layer's effect, None if it is unknown; note in `integers` what its output is."""
    known = tuple(shape for shape in inputs if shape is not None)
    if len(known) < len(layer.inputs):
        return None
    try:
        effect = find_effect(layer.type, layer.arguments, known)
        integers[layer.name] = gives_integers(
            layer.type, layer.arguments, (integers[name] for name in layer.inputs)
        )
        return effect
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


def _label(layer: Layer | LayerShape) -> str:
    return layer.name if layer.name == layer.type else f"{layer.name} ({layer.type})"


def _find_used(layers: Sequence[Layer]) -> set[str]:
    """Return the names of the layers that the last one's output depends on, and its own."""
    used = {layers[-1].name} if layers else set()
    for layer in reversed(layers):
        if layer.name in used:
            used.update(layer.inputs)
    return used
