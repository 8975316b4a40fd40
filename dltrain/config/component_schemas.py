"""Which JSON Schema accepts what names a Keras component? Built from the catalog and its rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dltrain.catalog.arguments import (
    activation_layer,
    argument_rule,
    nested_kind,
    takes_list,
    takes_null,
)
from dltrain.catalog.components import Component, Kind, components
from dltrain.catalog.rules import NAME, Rule, Schema, any_of, whole
from dltrain.config.components import known_names
from dltrain.config.layers import INPUT, MAX_LAYERS
from dltrain.config.losses import CROSS_ENTROPY_ARGUMENTS, METRIC_SHORT_NAMES
from dltrain.config.placement import (
    RECURRENT,
    UNFIT_ACTIVATIONS,
    is_augmentation,
    may_stand_in_model,
    needed_in_model,
)
from dltrain.config.targets import CROSS_ENTROPY

Variant = Literal["plain", "partial", "augment", "model", "wrapped", "recurrent"]
"""Where a component stands. partial: over that of a base file, which may hold what is missing;
model: in `model:`, where a block's `$parameters` may stand; wrapped: a layer inside another layer
of the model; recurrent: one inside bidirectional."""

_IN_MODEL = ("model", "wrapped", "recurrent")
_NULL: Schema = {"type": "null"}
# A layer's name inside the model, as `blocks.is_layer_name` has it. Written by what it may not
# be, since JavaScript's \w knows no letters beyond ASCII.
_LAYER_NAME = r"^[^\x00-\x20!-,/:-@\[-\x5e\x60{-\x7f]+$"


class Definitions:
    """Collect the `$defs` of a schema: each is made once, and referred to by its name."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self._values: dict[str, str] = {}

    def component(self, kind: Kind, variant: Variant = "plain") -> Schema:
        """Return a reference to what accepts a component of `kind`: its name, or a mapping."""
        name = kind if variant == "plain" else f"{kind}-{variant}"
        if name not in self.schemas:
            self.schemas[name] = {}  # layers hold layers: the name must exist before its content
            self.schemas[name] = self._make_kind(kind, variant)
        return _refer(name)

    def layer_item(self) -> Schema:
        """Return a reference to what accepts an item of `layers:`: a layer, or a block's use."""
        if "layer-item" not in self.schemas:
            self.schemas["layer-item"] = {}
            self.schemas["layer-item"] = self._make_layer_item()
        return _refer("layer-item")

    def parameter(self) -> Schema:
        """Return a reference to what accepts the `$name` of a block's parameter."""
        return self._define(
            "block-parameter",
            {
                "description": "A parameter of the block: $name stands for its value.",
                "type": "string",
                "pattern": r"^\$",
            },
        )

    def value(self, rule: Rule, *, null: bool = False, parameters: bool = False) -> Schema:
        """Return a reference to what `rule` accepts, and null or `$name` besides if asked for."""
        schema = any_of(rule.schema, _NULL) if null else rule.schema
        if parameters:
            schema = self._with_parameters(schema)
        phrase = f"{rule.expected.removesuffix(', or null')}, or null" if null else rule.expected
        key = repr((phrase, schema))
        if key not in self._values:
            self._values[key] = self._free_name(phrase + (" or $" if parameters else ""))
            self.schemas[self._values[key]] = {"description": phrase, **schema}
        return _refer(self._values[key])

    def _define(self, name: str, schema: Schema) -> Schema:
        self.schemas.setdefault(name, schema)
        return _refer(name)

    def _free_name(self, phrase: str) -> str:
        for sign, word in ((">=", "from"), ("<=", "to"), (">", "above"), ("<", "below")):
            phrase = phrase.replace(sign, word)
        phrase = phrase.replace("-", "minus-").replace("$", "parameter")
        slug = re.sub(r"[^A-Za-z0-9_.]+", "-", phrase).strip("-")[:80]
        name, count = slug, 1
        while name in self.schemas:
            count += 1
            name = f"{slug}-{count}"
        return name

    def _with_parameters(self, schema: Schema) -> Schema:
        """Return `schema` with `$name` accepted as the value, and as each item of a list."""
        options = schema.get("anyOf", [schema])
        return any_of(*(self._with_item_parameters(option) for option in options), self.parameter())

    def _with_item_parameters(self, schema: Schema) -> Schema:
        if "items" not in schema:
            return schema
        return {**schema, "items": self._with_parameters(schema["items"])}

    def _make_kind(self, kind: Kind, variant: Variant) -> Schema:
        chosen = [part for part in components(kind).values() if _may_stand(part, variant)]
        needs = {part.name: _required(part, variant) for part in chosen}
        bare = [part for part in chosen if not needs[part.name]]
        own = _own_names(kind)
        branches = [self._branch(part, variant, needs[part.name]) for part in chosen]
        if kind == "losses":
            branches.append(self._cross_entropy_branch())
        parameter = [self.parameter()] if variant in _IN_MODEL else []
        mapping: dict[str, Any] = {
            "type": "object",
            "properties": {"type": any_of(*_names(kind, chosen, own), *parameter)},
            "required": [] if variant == "partial" else ["type"],
            "allOf": branches,
        }
        if variant in ("wrapped", "recurrent"):
            name = self.value(NAME, null=True, parameters=True)
            mapping["properties"] |= {"name": name, "inputs": False, "repeat": False}
        if kind == "schedules":  # a bare name is never enough: each needs its first rate
            return {"description": "A schedule: a mapping with type.", **mapping}
        return any_of(*_names(kind, bare, own), mapping, *parameter)

    def _make_layer_item(self) -> Schema:
        layers = self._make_kind("layers", "model")["anyOf"]
        mapping = next(part for part in layers if part.get("type") == "object")
        keys = {
            "name": any_of(
                {"type": "string", "pattern": _LAYER_NAME, "not": {"const": INPUT}}, _NULL
            ),
            "inputs": self._inputs(),
            "repeat": self.value(whole(1, MAX_LAYERS)),
        }
        keys["name"] = {
            "description": "Other layers name it under `inputs:`.",
            **self._with_parameters(keys["name"]),
        }
        block = {
            "properties": {"block": {"type": "string", "description": "A name in model.blocks."}}
        }
        layer = {key: mapping[key] for key in ("properties", "required", "allOf")}
        return any_of(
            *(part for part in layers if part is not mapping),
            {
                "type": "object",
                "properties": keys,
                "if": {"required": ["block"]},
                "then": block,
                "else": layer,
            },
        )

    def _inputs(self) -> Schema:
        return {
            "description": "The layers above whose outputs this one takes; `input` is what the "
            "model, or the block, is given.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": "string"},
            ],
        }

    def _branch(self, component: Component, variant: Variant, required: Sequence[str]) -> Schema:
        """Return: if `type` names `component`, then its arguments, and no others."""
        names = _spellings(component)
        then = self._arguments(component, variant, required)
        return _if_type(names, then)

    def _arguments(self, component: Component, variant: Variant, required: Sequence[str]) -> Schema:
        # Layers of the model are the same wherever they stand in it; one definition is enough.
        place = "model" if variant in _IN_MODEL else variant
        name = f"{component.kind}.{component.name}" + ("" if place == "plain" else f".{place}")
        if name not in self.schemas:
            self.schemas[name] = {}
            properties: dict[str, Any] = {"type": True}
            if component.kind != "activations" or activation_layer(component.name) is not None:
                for argument in component.arguments:
                    properties[argument] = self._argument(component, argument, place)
            if place == "model" and component.kind == "layers":
                properties |= {"name": True, "inputs": True, "repeat": True}
            self.schemas[name] = {
                "title": component.class_name,
                "description": f"{component.module}.{component.class_name}",
                "properties": properties,
                "required": [*required],
                "additionalProperties": False,
            }
        return _refer(name)

    def _argument(self, component: Component, argument: str, place: Variant) -> Schema:
        nested = nested_kind(component, argument)
        null = takes_null(component, argument)
        default = component.arguments[argument].default
        shown = {} if default is None else {"default": default}
        if nested is not None:
            held = self._nested(component, argument, nested, place)
            return {**any_of(held, _NULL), **shown} if null else {**held, **shown}
        rule = argument_rule(component, argument)
        if rule is None:
            return shown or True  # type: ignore[return-value]
        return {**self.value(rule, null=null, parameters=place == "model"), **shown}

    def _nested(self, component: Component, argument: str, kind: Kind, place: Variant) -> Schema:
        variant: Variant = "plain" if place == "augment" else place
        if kind == "layers":
            wraps_recurrent = component.name == "bidirectional"
            variant = "recurrent" if wraps_recurrent else "wrapped"
        one = self.component(kind, variant)
        if kind == "schedules":
            rule = argument_rule(component, argument)
            assert rule is not None
            rate = next(part for part in rule.schema["anyOf"] if part.get("type") == "number")
            return any_of(rate, one)
        if takes_list(component, argument):
            return any_of(one, {"type": "array", "items": one})
        return one

    def _cross_entropy_branch(self) -> Schema:
        properties = {name: self.value(rule) for name, rule in CROSS_ENTROPY_ARGUMENTS.items()}
        then = {
            "description": "Binary or categorical, from logits or not: as the labels and the last "
            "layer are.",
            "properties": {"type": True, **properties},
            "additionalProperties": False,
        }
        return _if_type([CROSS_ENTROPY], self._define("losses.cross_entropy", then))


def _refer(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _may_stand(component: Component, variant: Variant) -> bool:
    if component.kind == "activations":
        return component.name not in UNFIT_ACTIVATIONS
    if component.kind != "layers":
        return True
    if variant == "augment":
        return is_augmentation(component.name)
    if variant == "recurrent":
        return component.name in RECURRENT
    return may_stand_in_model(component.name, wrapped=variant == "wrapped")


def _required(component: Component, variant: Variant) -> list[str]:
    if variant == "partial":
        return []
    required = list(component.required_arguments)
    needed = needed_in_model(component.name) if component.kind == "layers" else None
    return [*required, needed] if needed and variant in _IN_MODEL else required


def _own_names(kind: Kind) -> Mapping[str, str]:
    """Return the names of dltrain's own -> the component that each means."""
    if kind == "losses":
        return {CROSS_ENTROPY: CROSS_ENTROPY}
    return METRIC_SHORT_NAMES if kind == "metrics" else {}


def _spellings(component: Component) -> list[str]:
    """Return every name by which a config may call `component`."""
    own = [name for name, meant in _own_names(component.kind).items() if meant == component.name]
    return [component.name, component.class_name, *component.aliases, *own]


def _names(kind: Kind, chosen: Sequence[Component], own: Mapping[str, str]) -> list[Schema]:
    """Return what accepts the names of `chosen`: those to propose, and Keras's other spellings."""
    spelt = {name for component in chosen for name in _spellings(component)}
    # Short names as `mse` are those that people write; `convolution2d` and `adam_w` are not.
    common = known_names(kind) if kind in ("losses", "metrics") else components(kind)
    proposed = sorted({*own, *(name for name in common if name in spelt)})
    others = sorted(spelt - {*proposed})
    names: list[Schema] = [{"enum": proposed}] if proposed else []
    return [*names, {"type": "string", "pattern": _one_of(others)}] if others else names


def _if_type(names: Sequence[str], then: Schema) -> Schema:
    # A pattern and not an enum: an editor that completes takes the beginning of a name for it.
    asked = {"type": "string", "pattern": _one_of(names)}
    return {"if": {"properties": {"type": asked}, "required": ["type"]}, "then": then}


def _one_of(names: Sequence[str]) -> str:
    unique = dict.fromkeys(names)
    return f"^(?:{'|'.join(map(re.escape, unique))})$" if len(unique) > 1 else f"^{names[0]}$"
