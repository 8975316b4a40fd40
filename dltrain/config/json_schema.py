"""Which JSON Schema (2020-12) describes a config? For editors: it completes and underlines.

It accepts every config that `dltrain check` accepts, and refuses what is wrong in a single name,
type, choice or range. What takes more than one value (the loss against the last layer, a name
under `inputs:`) is `check`'s to say, as are layers of a block that nothing uses.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from dltrain.catalog.applications import applications
from dltrain.catalog.datasets import DATASETS
from dltrain.catalog.rules import Schema, any_of
from dltrain.config.balance import KEPT_SHARE, METHODS
from dltrain.config.blocks import BLOCK_KEYS
from dltrain.config.component_schemas import Definitions, Variant
from dltrain.config.methods import write_schema
from dltrain.config.pruners import PRUNERS
from dltrain.config.schema import RunConfig
from dltrain.config.sweep import KINDS
from dltrain.config.trackers import TRACKERS, URI_PATTERN
from dltrain.config.trainable import WORDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NULL: Schema = {"type": "null"}
_TRAINABLE: tuple[Schema, ...] = (
    {"enum": [*WORDS]},
    {
        "type": "object",
        "properties": {"last_n": {"type": "integer", "minimum": 1}},
        "required": ["last_n"],
        "additionalProperties": False,
    },
)


def make_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config, as `dltrain schema` prints it."""
    made = RunConfig.model_json_schema()
    sections: dict[str, Any] = {name: _tidy(part) for name, part in made.pop("$defs").items()}
    definitions = Definitions()
    _fill_sections(sections, definitions)
    trackers = _trackers()
    partial = {name: _without_required(sections[name]) for name in ("DatasetConfig", "ModelConfig")}
    partial["ModelConfig"]["properties"]["blocks"] = _blocks(definitions, partial=True)
    root = _tidy(made)
    return {
        "$schema": DIALECT,
        "title": "A config of dltrain",
        "description": "What `dltrain fit` trains. `dltrain check` says more than this schema can.",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": _root(root, definitions, "partial"),
        "else": _root(root, definitions, "plain"),
        "$defs": {
            **sections,
            **trackers,
            **{f"{name}.partial": part for name, part in partial.items()},
            **definitions.schemas,
        },
    }


def format_json_schema(schema: dict[str, Any]) -> str:
    """Return `schema` as JSON text, a definition a line: short, and a diff shows what changed."""
    entries = {key: _one_line(value) for key, value in schema.items() if key != "$defs"}
    lines = [f"  {json.dumps(name)}: {_one_line(part)}" for name, part in schema["$defs"].items()]
    entries["$defs"] = "{\n" + ",\n".join(lines) + "\n }"
    return (
        "{\n" + ",\n".join(f" {json.dumps(key)}: {text}" for key, text in entries.items()) + "\n}\n"
    )


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _root(root: dict[str, Any], definitions: Definitions, variant: Variant) -> Schema:
    """Return the sections of a config that stands alone or, partial, of one on top of another."""
    suffix = ".partial" if variant == "partial" else ""
    properties = copy.deepcopy(root["properties"])
    properties["name"] = _or_null(properties["name"])
    properties["dataset"] = {
        "description": "Which data: its name, or a mapping with name, or with type and path.",
        "anyOf": [_dataset_name(), {"$ref": f"#/$defs/DatasetConfig{suffix}"}],
    }
    properties["model"] = {"$ref": f"#/$defs/ModelConfig{suffix}"}
    for key, kind in (("loss", "losses"), ("optimizer", "optimizers")):
        held = definitions.component(kind, variant)  # type: ignore[arg-type]
        properties[key] = {**properties[key], **any_of(held, _NULL)}
    properties["metrics"] = {
        "description": properties["metrics"]["description"],
        **any_of({"type": "array", "items": definitions.component("metrics")}, _NULL),
    }
    references = [{"$ref": f"#/$defs/{section.__name__}"} for section in TRACKERS.values()]
    properties["trackers"]["items"] = any_of({"enum": [*TRACKERS]}, *references)
    properties["extends"] = {
        "description": "Start from another file: mappings merge, lists replace.",
        "type": "string",
    }
    needed = [] if variant == "partial" else ["dataset", "model"]
    return {"properties": properties, "required": needed, "additionalProperties": False}


def _fill_sections(sections: dict[str, Any], definitions: Definitions) -> None:
    """Say what pydantic leaves open: everything that names a component of Keras or a dataset."""
    dataset = sections["DatasetConfig"]["properties"]
    dataset["name"] = {
        "description": dataset["name"]["description"],
        **any_of(_dataset_name(), _NULL),
    }
    sections["DatasetConfig"]["anyOf"] = [
        {"required": ["name"], "properties": {"name": _dataset_name(), "type": _NULL}},
        {
            "required": ["type", "path"],
            "properties": {"name": _NULL, "type": {"not": _NULL}, "path": {"not": _NULL}},
        },
    ]
    dataset["augment"]["items"] = definitions.component("layers", "augment")
    model = sections["ModelConfig"]["properties"]
    model["layers"]["items"] = definitions.layer_item()
    model["blocks"] = _blocks(definitions)
    keep = dataset["keep"]["anyOf"][0]
    keep["additionalProperties"] = KEPT_SHARE.schema
    dataset["classes"]["anyOf"][0]["minItems"] = 2
    balance = sections["TrainingConfig"]["properties"]["balance"]
    sections["TrainingConfig"]["properties"]["balance"] = {
        **balance,
        **any_of(write_schema(METHODS), _NULL),
    }
    phases = sections["TrainingConfig"]["properties"]["phases"]
    phases["anyOf"][0]["items"] = _phase(definitions)
    from_run = sections["FromRunConfig"]["properties"]["trainable"]
    sections["FromRunConfig"]["properties"]["trainable"] = {
        **from_run,
        **any_of(*_TRAINABLE, _NULL),
    }
    pretrained = sections["PretrainedConfig"]["properties"]
    pretrained["type"] |= {"enum": [*applications(), "keras_hub"]}
    pretrained["trainable"] |= any_of(*_TRAINABLE, _NULL)
    model["pretrained"] = {
        "description": model["pretrained"]["description"],
        **any_of({"enum": [*applications()]}, {"$ref": "#/$defs/PretrainedConfig"}, _NULL),
    }
    model["from_run"] = {
        "description": model["from_run"]["description"],
        **any_of({"type": "string", "minLength": 1}, {"$ref": "#/$defs/FromRunConfig"}, _NULL),
    }
    callbacks = sections["TrainingConfig"]["properties"]["callbacks"]
    callbacks["items"] = definitions.component("callbacks")
    sweep = sections["SweepConfig"]["properties"]
    sweep["space"]["additionalProperties"] = _dimension()
    sweep["pruner"] = {**sweep["pruner"], **write_schema(PRUNERS)}


def _dimension() -> Schema:
    """Return what a value of a sweep may be; `config.sweep` says the rest (low < high)."""
    when: Schema = {"type": "object", "minProperties": 1}
    choices: Schema = {"type": "array", "minItems": 1, "uniqueItems": True}
    variants = [{"choice": choices, "when": when}]
    for kind in KINDS[1:]:
        number: dict[str, Any] = {"type": "integer" if kind.endswith("int") else "number"}
        above_zero = {**number, "exclusiveMinimum": 0}
        has_step = not kind.startswith("log")
        bound = number if has_step else above_zero
        variants.append(
            {
                kind: {"type": "array", "items": bound, "minItems": 2, "maxItems": 2},
                **({"step": above_zero} if has_step else {}),
                "when": when,
            }
        )
    return any_of(
        *(
            {
                "type": "object",
                "properties": properties,
                "required": [next(iter(properties))],
                "additionalProperties": False,
            }
            for properties in variants
        )
    )


def _phase(definitions: Definitions) -> Schema:
    """Return what one of `training.phases` may be."""
    number: Schema = {"type": "number", "exclusiveMinimum": 0}
    rate = any_of(number, definitions.component("schedules"), _NULL)
    names: Schema = {"type": "array", "items": {"type": "string"}}
    return {
        "type": "object",
        "properties": {
            "epochs": any_of({"type": "integer", "minimum": 1}, _NULL),
            "learning_rate": rate,
            "trainable": any_of(*_TRAINABLE, names, _NULL),
        },
        "additionalProperties": False,
    }


def _dataset_name() -> dict[str, Any]:
    return {"enum": [*DATASETS]}


def _blocks(definitions: Definitions, *, partial: bool = False) -> Schema:
    layers = {"type": "array", "items": definitions.layer_item(), "minItems": 1}
    block = {
        "type": "object",
        "properties": {
            "parameters": {
                "description": "Names with their defaults; $name stands for the value in layers.",
                "type": "object",
                "propertyNames": {"not": {"enum": [*BLOCK_KEYS]}},
            },
            "layers": layers,
        },
        "required": [] if partial else ["layers"],
        "additionalProperties": False,
    }
    return {
        "description": "Groups of layers with parameters, to use by name: {block: NAME, …}.",
        "type": "object",
        "additionalProperties": block,
    }


def _trackers() -> dict[str, Any]:
    """Return what accepts each tracker as a mapping, by the name of its section."""
    made = {each.__name__: _tidy(each.model_json_schema()) for each in TRACKERS.values()}
    for option in made["MLflowTracker"]["properties"]["tracking_uri"]["anyOf"]:
        if option["type"] == "string":
            option["pattern"] = URI_PATTERN
    return made


def _or_null(schema: dict[str, Any]) -> Schema:
    kept: dict[str, Any] = {
        key: schema.pop(key) for key in ("description", "default") if key in schema
    }
    return {**kept, **any_of(schema, _NULL)}


def _without_required(section: dict[str, Any]) -> dict[str, Any]:
    """Leave out what must be there: the file below may say it."""
    kept = copy.deepcopy(section)
    return {key: value for key, value in kept.items() if key not in ("required", "anyOf")}


def _tidy(schema: Any) -> Any:
    """Leave out pydantic's titles, which repeat the keys, and defaults that say nothing."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _tidy(part) for name, part in value.items()}
        if key == "properties"
        else _tidy(value)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }
