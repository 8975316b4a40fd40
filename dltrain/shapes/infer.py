"""What does a checked config's model look like? Every layer's shape, walked from the dataset's row.

TensorFlow is not asked: see `dltrain.shapes.rules` for what is known of each layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from dltrain.config.document import Problems
from dltrain.config.layers import INPUT, Layer, free_name
from dltrain.config.load import LoadedConfig
from dltrain.config.rules import count_training_rows
from dltrain.config.targets import TargetsError, last_layer, resolve_config_targets
from dltrain.shapes.backbone import describe_backbone, find_features
from dltrain.shapes.effect import ImpossibleShapeError, NoRuleError, Shape, show_shape
from dltrain.shapes.flow import Flow, apply_layer
from dltrain.shapes.row import Row, find_row
from dltrain.shapes.table import LayerShape, ShapeTable


def infer_shapes(loaded: LoadedConfig) -> ShapeTable:
    """Return every layer's shapes, parameters and work, and the mistakes that they show.

    Nothing is raised for a mistake: it stands in the table's `problems`, and what comes after it is
    unknown. Takes milliseconds.
    """
    config = loaded.config
    row = find_row(config.dataset, loaded.info)
    problems = Problems(loaded.document)
    flows: dict[str, Flow | None] = {INPUT: Flow(row.shape, integers=row.dtype == "int32")}
    if config.model.pretrained is not None:
        features = find_features(config.model.pretrained)
        flows[INPUT] = None if features is None else Flow(features)
    layers = _walk(loaded.layers, flows, problems)
    _check_output(loaded, layers[-1], problems)
    precision, batch_size = config.training.precision, config.training.batch_size
    return ShapeTable(
        row=row.shape,
        dtype=row.dtype,
        before=_before(loaded, row),
        layers=layers,
        after=_after(loaded, flows[layers[-1].name]),
        batch_size=count_training_rows(config, loaded.info) if batch_size == "full" else batch_size,
        value_bytes=4 if precision == "float32" else 2,
        problems=problems.found(),
    )


def _before(loaded: LoadedConfig, row: Row) -> tuple[LayerShape, ...]:
    """Return the layer that scales the raw input, where the config asks for one."""
    if loaded.config.model.pretrained is not None:  # it prepares the pixels itself
        return (describe_backbone(loaded.config.model.pretrained, loaded.layers, row),)
    kind = row.normalization
    if kind is None:
        return ()
    return (_added(free_name(kind, loaded.layers), kind, row.shape),)


def _after(loaded: LoadedConfig, output: Flow | None) -> tuple[LayerShape, ...]:
    """Return the layer that turns the output into float32, which it is not in mixed precision."""
    last = loaded.layers[-1]
    dtype = last.arguments.get("dtype") or loaded.config.training.precision
    if dtype == "float32" and not (output and output.integers):
        return ()
    name = free_name("float32_output", loaded.layers)
    return (_added(name, "activation", output.shape if output else None),)


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
        resolve_config_targets(
            loaded.config,
            loaded.info,
            units=last.output[0],
            activation=last_layer(list(loaded.layers))[1],
        )
    except TargetsError as error:
        path = ("loss",) if error.where == "loss" else last.path
        problems.add(path, error.message, hint=error.hint)


def _walk(
    layers: Sequence[Layer], flows: dict[str, Flow | None], problems: Problems
) -> tuple[LayerShape, ...]:
    """Return what is known of each layer; put what it gives into `flows`, None if unknown."""
    used = _find_used(layers)
    found = []
    for layer in layers:
        inputs = [flows[name] for name in layer.inputs]
        effect = None
        flows[layer.name] = None
        known = tuple(flow for flow in inputs if flow is not None)
        if len(known) == len(inputs):
            with suppress(NoRuleError):
                try:
                    effect, flows[layer.name] = apply_layer(layer.type, layer.arguments, known)
                except ImpossibleShapeError as error:
                    _report(layer, known, error, problems)
        found.append(
            LayerShape(
                name=layer.name,
                type=layer.type,
                path=layer.path,
                inputs=tuple(flow.shape if flow else None for flow in inputs),
                output=effect.output if effect else None,
                trainable=effect.trainable if effect else None,
                fixed=effect.fixed if effect else None,
                multiply_adds=effect.multiply_adds if effect else None,
                in_model=layer.name in used,
            )
        )
    return tuple(found)


def _report(
    layer: Layer, inputs: Sequence[Flow], error: ImpossibleShapeError, problems: Problems
) -> None:
    path = layer.path
    if error.argument in layer.arguments or error.argument == "inputs":
        path = (*path, error.argument)
    received = " and ".join(show_shape(flow.shape) for flow in inputs)
    problems.add(
        path, f"{_label(layer)} expects {error.expected}, received {received}.", hint=error.hint
    )


def _label(layer: Layer | LayerShape) -> str:
    return layer.name if layer.name == layer.type else f"{layer.name} ({layer.type})"


def _find_used(layers: Sequence[Layer]) -> set[str]:
    """Return the names of the layers that the last one's output depends on, and its own."""
    used = {layers[-1].name} if layers else set()
    for layer in reversed(layers):
        if layer.name in used:
            used.update(layer.inputs)
    return used
