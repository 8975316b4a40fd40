"""How does a checked component become a Keras object? Names looked up, nested ones built first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.arguments import activation_layer, keras_value, nested_kind
from dltrain.catalog.components import Component, Kind, find, import_object

_STEP_ARGUMENTS = {"decay_steps", "warmup_steps", "first_decay_steps"}


@dataclass(frozen=True)
class Steps:
    """How many optimizer steps an epoch, and the whole training, take."""

    per_epoch: int
    total: int


def build_component(kind: Kind, spec: dict[str, Any], **extra: Any) -> Any:
    """Return the Keras object that `spec` (`{"type": name, **arguments}`) describes.

    `extra` arguments are passed on as they are. Raises whatever Keras raises.
    """
    component = _component(kind, spec)
    arguments = {
        name: _build_argument(component, name, value)
        for name, value in spec.items()
        if name != "type"
    }
    if kind == "activations":
        return _build_activation(component, arguments)
    return import_object(component)(**arguments, **extra)


def build_schedule(spec: dict[str, Any], steps: Steps) -> Any:
    """Return a learning-rate schedule, its step counts by epochs turned into steps.

    `one_cycle` spans the whole training.
    """
    filled = {
        name: _in_steps(value, steps) if name in _STEP_ARGUMENTS or name == "boundaries" else value
        for name, value in spec.items()
    }
    extra = {"total_steps": steps.total} if spec["type"] == "one_cycle" else {}
    return build_component("schedules", filled, **extra)


def build_optimizer(spec: dict[str, Any], steps: Steps) -> Any:
    """Return the optimizer, with its learning-rate schedule where it has one."""
    rate = spec.get("learning_rate")
    if not isinstance(rate, dict):
        return build_component("optimizers", spec)
    rest = {name: value for name, value in spec.items() if name != "learning_rate"}
    return build_component("optimizers", rest, learning_rate=build_schedule(rate, steps))


def _component(kind: Kind, spec: dict[str, Any]) -> Component:
    component = find(kind, spec["type"])
    if component is None:
        raise ValueError(f"unchecked {kind} {spec['type']!r}")
    return component


def _build_argument(component: Component, name: str, value: Any) -> Any:
    kind = nested_kind(component, name)
    if kind is not None and isinstance(value, dict):
        return build_component(kind, value)
    if kind is not None and isinstance(value, list):
        return [build_component(kind, item) if isinstance(item, dict) else item for item in value]
    if isinstance(value, list) and _is_size(value):
        return tuple(value)  # Keras compares shapes and sizes as tuples in places
    return keras_value(component, name, value)


def _is_size(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(item, int) for item in value)


def _build_activation(component: Component, arguments: dict[str, Any]) -> Any:
    if not arguments:
        return import_object(component)
    # A layer stands in for the function: it can be saved together with its arguments.
    layer = activation_layer(component.name)
    found = find("layers", layer) if layer is not None else None
    if found is None:
        raise ValueError(f"the activation {component.name} takes no arguments")
    return import_object(found)(**arguments)


def _in_steps(value: Any, steps: Steps) -> Any:
    if isinstance(value, list):
        return [_in_steps(item, steps) for item in value]
    if isinstance(value, dict):
        return max(1, math.ceil(value["epochs"] * steps.per_epoch))
    return value
