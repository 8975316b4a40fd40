"""What do the recurrent layers make of a sequence? They compute their cell once a step."""

from __future__ import annotations

import math
from typing import Any

from dltrain.catalog.components import find
from dltrain.shapes.axes import Grid, one_input, per_axis, with_rank
from dltrain.shapes.convolution import slide
from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape

_GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}
_SEQUENCE = "a sequence (steps, features)"
_SEQUENCE_HINT = (
    "Give a recurrent layer before it return_sequences: true, or reshape to (steps, features)."
)


def recurrent(kind: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Run simple_rnn, gru or lstm over the steps."""
    steps, features = with_rank(inputs, 2, _SEQUENCE, hint=_SEQUENCE_HINT)
    weights, biases = _count_cell(kind, arguments, features)
    return _over_steps(arguments, steps, arguments["units"], weights, biases)


def rnn(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Run the cells of `cell`, one on the other, over the steps."""
    if len(inputs) != 1 or len(inputs[0]) != 2:
        raise NoRuleError
    steps, features = inputs[0]
    trainable = weights = fixed = 0
    cells = _list_cells(arguments["cell"])
    for cell in cells:
        more, biases = _count_cell(cell["type"].removesuffix("_cell"), cell, features)
        weights += more
        if cell.get("trainable") is False:
            fixed += more + biases
        else:
            trainable += more + biases
        features = cell["units"]
    effect = _over_steps(arguments, steps, features, weights, 0)
    return Effect(effect.output, trainable, fixed, effect.multiply_adds)


def conv_lstm(rank: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Run an LSTM over the steps whose products are convolutions."""
    shape = one_input(inputs)
    if len(shape) != rank + 2:
        names = ("depth", "height", "width")[3 - rank :] if rank > 1 else ("steps",)
        raise ImpossibleShapeError(f"a sequence (time, {', '.join(names)}, channels)")
    _check_outputs(arguments)
    grid = _grid_of_step(arguments, shape[1:])
    kernel, filters = per_axis(arguments["kernel_size"], rank), arguments["filters"]
    sizes = slide(grid, kernel, arguments)
    weights = math.prod(kernel) * (grid.channels + filters) * 4 * filters
    output = grid.shape(sizes, filters)
    return Effect(
        output=(shape[0], *output) if arguments["return_sequences"] else output,
        trainable=weights + (4 * filters if arguments["use_bias"] else 0),
        multiply_adds=shape[0] * math.prod(sizes) * weights,
    )


def _grid_of_step(arguments: Arguments, shape: Shape) -> Grid:
    if arguments["data_format"] == "channels_first":
        return Grid(shape[1:], shape[0], channels_first=True)
    return Grid(shape[:-1], shape[-1], channels_first=False)


def _count_cell(kind: str, arguments: Arguments, features: int) -> tuple[int, int]:
    """Return how many weights and how many biases a cell has."""
    units, gates = arguments["units"], _GATES[kind]
    biases = gates * units if arguments["use_bias"] else 0
    if kind == "gru" and arguments["reset_after"]:
        biases *= 2  # one for the input's product and one for the state's
    return gates * units * (features + units), biases


def _over_steps(arguments: Arguments, steps: int, units: int, weights: int, biases: int) -> Effect:
    _check_outputs(arguments)
    return Effect(
        output=(steps, units) if arguments["return_sequences"] else (units,),
        trainable=weights + biases,
        multiply_adds=steps * weights,
    )


def _check_outputs(arguments: Arguments) -> None:
    if arguments["stateful"]:
        raise NoRuleError  # Keras wants a fixed batch size then
    if arguments["return_state"]:
        raise ImpossibleShapeError(
            "return_state: false, since a layer of a model gives one output",
            argument="return_state",
        )


def _list_cells(cell: Any) -> list[dict[str, Any]]:
    """Return the cells of rnn's `cell`, their defaults written out; stacked ones unpacked."""
    if isinstance(cell, list):
        return [filled for item in cell for filled in _list_cells(item)]
    if cell["type"] == "stacked_rnn_cells":
        if cell.get("trainable") is False:
            raise NoRuleError
        return _list_cells(cell["cells"])
    component = find("layers", cell["type"])
    if component is None or cell["type"].removesuffix("_cell") not in _GATES:
        raise NoRuleError
    if not cell["type"].endswith("_cell"):
        raise NoRuleError
    return [{name: spec.default for name, spec in component.arguments.items()} | cell]
