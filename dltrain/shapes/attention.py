"""What do the attention layers make of queries, values and keys? One input attends to itself."""

from __future__ import annotations

import math

from dltrain.shapes.effect import Arguments, Effect, ImpossibleShapeError, NoRuleError, Shape

_SEQUENCES = "sequences (steps, features)"
_LAST_AXIS = "Give both the same number of features, by a dense layer before it."


def attention(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Weigh the values by the product, or the sum, of query and key, without a kernel."""
    query, value, key = _read_inputs(inputs)
    if arguments["score_mode"] == "dot" and query[1] != key[1]:
        raise ImpossibleShapeError("query and key of the same last axis", hint=_LAST_AXIS)
    if query[1] != key[1]:
        raise NoRuleError
    parameters = int(arguments["use_scale"]) + int(arguments["score_mode"] == "concat")
    return _weigh(query, value, key, parameters)


def additive_attention(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Weigh the values by a scaled sum of query and key."""
    query, value, key = _read_inputs(inputs)
    if query[1] != key[1]:
        raise NoRuleError  # 1 goes with any
    return _weigh(query, value, key, query[1] if arguments["use_scale"] else 0)


def multi_head_attention(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Project query, value and key to each head, weigh, and project back."""
    query, value, key = _read_inputs(inputs)
    _refuse_to_judge(arguments)
    heads, key_size = arguments["num_heads"], arguments["key_dim"]
    value_size = arguments["value_dim"] or key_size
    output = _output_axes(arguments["output_shape"], query)
    projections = [
        (query[0], query[1], heads * key_size),
        (key[0], key[1], heads * key_size),
        (value[0], value[1], heads * value_size),
        (query[0], heads * value_size, math.prod(output)),
    ]
    if arguments["use_gate"]:
        projections.append((query[0], query[1], heads * value_size))
    return _project_and_weigh(
        (query[0], *output), projections, arguments, query[0] * key[0] * heads, key_size, value_size
    )


def group_query_attention(arguments: Arguments, inputs: tuple[Shape, ...]) -> Effect:
    """Attend with more heads for the query than for value and key."""
    query, value, key = _read_inputs(inputs)
    _refuse_to_judge(arguments)
    if query[1] != value[1]:
        raise ImpossibleShapeError("query and value of the same last axis", hint=_LAST_AXIS)
    heads, few, size = (
        arguments["num_query_heads"],
        arguments["num_key_value_heads"],
        arguments["head_dim"],
    )
    projections = [
        (query[0], query[1], heads * size),
        (key[0], key[1], few * size),
        (value[0], value[1], few * size),
        (query[0], heads * size, query[1]),
    ]
    if arguments["use_gate"]:
        projections.append((query[0], query[1], heads * size))
    return _project_and_weigh(query, projections, arguments, query[0] * key[0] * heads, size, size)


def _read_inputs(inputs: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
    """Return the shapes of query, value and key."""
    if len(inputs) > 3 or any(len(shape) != 2 for shape in inputs):
        if 1 < len(inputs) <= 3 and len({len(shape) for shape in inputs}) > 1:
            raise ImpossibleShapeError(_SEQUENCES)
        raise NoRuleError
    query = inputs[0]
    value = inputs[1] if len(inputs) > 1 else query
    key = inputs[2] if len(inputs) > 2 else value
    if key[0] != value[0]:
        raise ImpossibleShapeError(
            "value and key of as many steps", hint="The inputs are query, value and key."
        )
    return query, value, key


def _refuse_to_judge(arguments: Arguments) -> None:
    if arguments["flash_attention"] or arguments.get("attention_axes") not in (None, 1, [1]):
        raise NoRuleError


def _output_axes(output_shape: int | list[int] | None, query: Shape) -> tuple[int, ...]:
    if not output_shape:
        return (query[1],)
    return (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)


def _weigh(query: Shape, value: Shape, key: Shape, parameters: int) -> Effect:
    return Effect(
        output=(query[0], value[1]),
        trainable=parameters,
        multiply_adds=query[0] * key[0] * (query[1] + value[1]),
    )


def _project_and_weigh(
    output: Shape,
    projections: list[tuple[int, int, int]],
    arguments: Arguments,
    pairs: int,
    key_size: int,
    value_size: int,
) -> Effect:
    """Add up the projections `(steps, features, units)` and the `pairs` of steps and heads."""
    weights = sum(features * units for _, features, units in projections)
    biases = sum(units for _, _, units in projections) if arguments["use_bias"] else 0
    work = sum(steps * features * units for steps, features, units in projections)
    return Effect(
        output=output,
        trainable=weights + biases,
        multiply_adds=work + pairs * (key_size + value_size),
    )
