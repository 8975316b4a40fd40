"""Which rule goes with which layer? A plain table, and the way to one layer's effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dltrain.catalog.components import find
from dltrain.shapes.effect import Arguments, Effect, NoRuleError, Rule, Shape

RULES: Mapping[str, Rule] = {}


def find_effect(kind: str, arguments: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Effect:
    """Return what the layer `kind` makes of `inputs`; `arguments` are those that the config gives.

    Raises ImpossibleShapeError where Keras fails, NoRuleError where only Keras knows.
    """
    rule = RULES.get(kind)
    component = find("layers", kind)
    if rule is None or component is None:
        raise NoRuleError
    defaults = {name: spec.default for name, spec in component.arguments.items()}
    effect = rule({**defaults, **arguments}, inputs)
    return effect.frozen() if arguments.get("trainable") is False else effect
