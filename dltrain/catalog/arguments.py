"""Is this value one that the argument can take, and what kind of thing does it name?

Rules come from `argument_rules`; what they don't mention is held against the type of Keras's own
default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from dltrain.catalog.argument_rules import BY_COMPONENT, BY_KIND, BY_NAME, CAUSAL_PADDING, PADDING
from dltrain.catalog.components import Component, Kind
from dltrain.catalog.rules import (
    BOOLEAN,
    NUMBER,
    TEXT,
    Rule,
    either,
    list_of,
    number,
    per_axis,
    whole,
)

_NESTED_BY_NAME: dict[tuple[str, str], Kind] = {
    ("layers", "activation"): "activations",
    ("layers", "recurrent_activation"): "activations",
    ("layers", "layer"): "layers",
    ("layers", "backward_layer"): "layers",
    ("layers", "layers"): "layers",
    ("layers", "cell"): "layers",
    ("layers", "cells"): "layers",
    ("optimizers", "learning_rate"): "schedules",
    ("optimizers", "inner_optimizer"): "optimizers",
}
_NESTED_BY_SUFFIX: dict[str, Kind] = {
    "_regularizer": "regularizers",
    "_initializer": "initializers",
    "_constraint": "constraints",
}
# Lists of layers; `cell` of rnn may be one cell or a list.
_NESTED_LISTS = {"layers", "cells", "cell"}
_SINGULAR: dict[Kind, str] = {
    "layers": "a layer",
    "optimizers": "an optimizer",
    "losses": "a loss",
    "metrics": "a metric",
    "regularizers": "a regularizer",
    "constraints": "a constraint",
    "initializers": "an initializer",
    "activations": "an activation",
    "schedules": "a schedule",
    "callbacks": "a callback",
}
# An activation with arguments is built as the layer that computes the same.
_ACTIVATION_LAYERS = {
    "elu": "ELU",
    "leaky_relu": "LeakyReLU",
    "relu": "ReLU",
    "softmax": "Softmax",
}


def activation_layer(name: str) -> str | None:
    """Return the class name of the layer that takes the arguments of the activation `name`.

    `keras.activations.get` takes no arguments, so `{type: leaky_relu, negative_slope: 0.1}` needs
    the layer. None for activations that have no such layer. The names of the arguments agree;
    the defaults of leaky_relu don't (0.2 in the function, 0.3 in the layer).
    """
    return _ACTIVATION_LAYERS.get(name)


def nested_kind(component: Component, argument: str) -> Kind | None:
    """Return the kind of component that `argument` holds, or None if it holds a plain value."""
    named = _NESTED_BY_NAME.get((component.kind, argument))
    if named is not None:
        return named
    if component.kind == "layers":
        for suffix, kind in _NESTED_BY_SUFFIX.items():
            if argument.endswith(suffix):
                return kind
    return None


def takes_list(component: Component, argument: str) -> bool:
    """Tell whether `argument` may hold a list of components (`layers`, `cells`, rnn's `cell`)."""
    return component.kind == "layers" and argument in _NESTED_LISTS


def check_value(component: Component, argument: str, value: object) -> str | None:
    """Return what was expected of `value`, as "a whole number >= 1", or None if it is fine.

    A nested component passes as a name or a mapping: what is inside is the caller's to check.
    Raises KeyError if the component has no such argument.
    """
    spec = component.arguments[argument]
    if value is None and not spec.required and spec.default is None:
        return None
    kind = nested_kind(component, argument)
    if kind is not None:
        rule: Rule | None = _nested_rule(component, argument, kind)
    else:
        rule = _find_rule(component, argument)
    if rule is None:
        return "a finite number" if isinstance(value, float) and not math.isfinite(value) else None
    if rule.accepts(value):
        return None
    null_too = kind is None and not spec.required and spec.default is None
    return f"{rule.expected.removesuffix(', or null')}, or null" if null_too else rule.expected


def describe_argument(component: Component, argument: str) -> str:
    """Say what `argument` may be, as "a whole number >= 1, or null".

    Raises KeyError if the component has no such argument.
    """
    spec = component.arguments[argument]
    kind = nested_kind(component, argument)
    if kind is not None:
        rule: Rule | None = _nested_rule(component, argument, kind)
    else:
        rule = _find_rule(component, argument)
    expected = rule.expected.removesuffix(", or null") if rule else "any value"
    nullable = not spec.required and spec.default is None
    return f"{expected}, or null" if nullable or (rule and rule.accepts(None)) else expected


def keras_value(component: Component, argument: str, value: Any) -> Any:
    """Return `value` in the type that Keras wants.

    SGD refuses `momentum: 0` and `learning_rate: 1`, F1Score `threshold: 1`, and
    TextVectorization a list for `ngrams`; a YAML writer needn't know.
    """
    if isinstance(value, list) and argument == "ngrams":
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool):
        default = component.arguments[argument].default
        number_only = argument in ("learning_rate", "threshold", "initial_learning_rate")
        if isinstance(default, float) or number_only:
            return float(value)
    return value


def _nested_rule(component: Component, argument: str, kind: Kind) -> Rule:
    one = Rule(
        f"{_SINGULAR[kind]}: its name, or a mapping with type",
        lambda value: isinstance(value, Mapping) or TEXT.accepts(value),
    )
    if argument == "learning_rate":
        schedule = Rule("a schedule: a mapping with type", one.accepts)
        return either(number(above=0), schedule)
    if takes_list(component, argument):
        many = list_of(one, of=f"{kind}, each a name or a mapping with type")
        return either(one, many) if argument == "cell" else many
    return one


def _find_rule(component: Component, argument: str) -> Rule | None:
    kind, name = component.kind, component.name
    for rule in (
        BY_COMPONENT.get((kind, name, argument)),
        _spatial_rule(component, argument),
        BY_KIND.get((kind, argument)),
        BY_NAME.get(argument),
    ):
        if rule is not None:
            return rule
    return _rule_from_default(component.arguments[argument].default)


def _rank(component: Component) -> int | None:
    """Return the number of spatial axes that a layer's name states: 2 for Conv2D."""
    found = re.search(r"([123])D", component.class_name)
    return int(found[1]) if found else None


def _spatial_rule(component: Component, argument: str) -> Rule | None:
    rank = _rank(component) if component.kind == "layers" else None
    if argument == "padding" and (rank is None or "padding" not in component.name):
        return CAUSAL_PADDING if component.name == "conv1d" else PADDING
    if rank is None:
        return None
    if argument in ("kernel_size", "pool_size", "strides", "dilation_rate", "size", "output_size"):
        return per_axis(rank)
    if argument == "output_padding":
        return per_axis(rank, minimum=0)
    if argument in ("padding", "cropping"):
        return _margins(rank)
    return None


def _margins(rank: int) -> Rule:
    """Accept cells to add or cut: one number, one an axis, or [before, after] an axis."""
    cells = whole(0)
    if rank == 1:
        return either(cells, list_of(cells, 2))
    pair = Rule("[before, after]", list_of(cells, 2).accepts)
    shape = f"a list of {rank} of them or of {rank} pairs [before, after]"
    axes = [list_of(cells, rank), list_of(pair, rank)]
    return either(cells, Rule(shape, lambda value: any(rule.accepts(value) for rule in axes)))


def _rule_from_default(default: Any) -> Rule | None:
    if isinstance(default, bool):
        return BOOLEAN
    if isinstance(default, str):
        return TEXT
    if isinstance(default, int):
        return whole()
    if isinstance(default, float):
        return NUMBER
    return None
