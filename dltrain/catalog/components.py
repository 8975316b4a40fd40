"""What of Keras can a YAML name, and which arguments does each thing take?

The answer is `keras_table.json`, which `scripts/generate_catalog.py` writes from the installed
Keras, so that looking it up costs milliseconds and imports neither TensorFlow nor Keras.
Components of dltrain's own are added here by hand.
"""

from __future__ import annotations

import functools
import importlib
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal[
    "layers",
    "optimizers",
    "losses",
    "metrics",
    "regularizers",
    "constraints",
    "initializers",
    "activations",
    "schedules",
    "callbacks",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

TABLE_PATH = Path(__file__).with_name("keras_table.json")


@dataclass(frozen=True, slots=True)
class Argument:
    """Describe one argument; `default` is as JSON has it (lists for tuples), None if required."""

    name: str
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Component:
    """Describe one thing that a YAML can name.

    `name` is what the YAML says (`conv2d`), `class_name` what `module` calls it (`Conv2D`), and
    `aliases` are the other names that Keras accepts for it (`Convolution2D`).
    """

    kind: Kind
    name: str
    class_name: str
    module: str
    aliases: tuple[str, ...]
    arguments: Mapping[str, Argument]

    @property
    def required_arguments(self) -> tuple[str, ...]:
        """Name the arguments that have no default, in Keras's order."""
        return tuple(argument.name for argument in self.arguments.values() if argument.required)


def _entry(class_name: str, module: str, *required: str, **defaults: object) -> dict[str, Any]:
    arguments: dict[str, Any] = {name: {"required": True} for name in required}
    arguments |= {name: {"default": value} for name, value in defaults.items()}
    return {"class": class_name, "module": module, "aliases": [], "arguments": arguments}


# Components that dltrain brings itself, in the form of the generated table.
_OWN: dict[str, dict[str, dict[str, Any]]] = {
    "schedules": {
        # Defaults of torch.optim.lr_scheduler.OneCycleLR (pct_start, div_factor,
        # final_div_factor), after Smith & Topin 2018, arXiv:1708.07120.
        "one_cycle": _entry(
            "OneCycle",
            "dltrain.model.schedules",
            "max_learning_rate",
            warmup_fraction=0.3,
            initial_divisor=25.0,
            final_divisor=1e4,
        ),
    },
}


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE_PATH.read_text(encoding="utf-8"))
    return table


def table_keras_version() -> str:
    """Return the version of Keras that the table was made from."""
    return str(_table()["keras"])


def _read_component(kind: Kind, name: str, entry: Mapping[str, Any]) -> Component:
    arguments = {
        argument: Argument(argument, spec.get("required", False), spec.get("default"))
        for argument, spec in entry["arguments"].items()
    }
    return Component(
        kind=kind,
        name=name,
        class_name=entry["class"],
        module=entry["module"],
        aliases=tuple(entry["aliases"]),
        arguments=types.MappingProxyType(arguments),
    )


@functools.cache
def _entries(kind: Kind) -> Mapping[str, Any]:
    """Return the table's entries of `kind` by YAML name; nearly all are never looked at."""
    entries: dict[str, Any] = _table()["kinds"][kind] | _OWN.get(kind, {})
    return entries


@functools.cache
def _component(kind: Kind, name: str) -> Component:
    return _read_component(kind, name, _entries(kind)[name])


@functools.cache
def components(kind: Kind) -> Mapping[str, Component]:
    """Return every component of `kind` by its YAML name, in alphabetical order."""
    names = sorted(_entries(kind))
    return types.MappingProxyType({name: _component(kind, name) for name in names})


@functools.cache
def _spellings(kind: Kind) -> Mapping[str, str]:
    """Return every accepted name -> the YAML name; those of the YAML come before Keras's own."""
    spelt: dict[str, str] = {}
    entries = _entries(kind)
    for name in sorted(entries):
        spelt |= dict.fromkeys((entries[name]["class"], *entries[name]["aliases"]), name)
    return spelt | {name: name for name in entries}


def find(kind: Kind, name: str) -> Component | None:
    """Return the component that `name` means, or None.

    Accepts the YAML name, Keras's class name, and the short names that Keras itself accepts
    (`mse`, `l1_l2`, `MaxPool2D`).
    """
    meant = _spellings(kind).get(name)
    return None if meant is None else _component(kind, meant)


def import_object(component: Component) -> Any:
    """Import what `component` describes: a class, or a function for activations.

    The first call imports Keras, which takes 5 s or more.
    """
    return getattr(importlib.import_module(component.module), component.class_name)
