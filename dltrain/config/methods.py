"""What is meant by a value that names a method, alone or as `type` beside its arguments?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.catalog.rules import Rule, Schema, any_of
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import Spec
from dltrain.config.wrong_values import add_wrong_value

Methods = Mapping[str, Mapping[str, tuple[Rule, Any]]]
"""Each method's arguments, with the rule that a value must pass and the default."""


def read_method(
    raw: object,
    path: Path,
    methods: Methods,
    problems: Problems,
    *,
    items: Mapping[str, Rule] | None = None,
) -> Spec | None:
    """Return the method as `{"type": name, …}` with every default, or None after a problem.

    `items` has a rule for each value of an argument that is a mapping, so that a wrong one is told
    with its own place.
    """
    if isinstance(raw, str):
        raw = {"type": raw}
    if not isinstance(raw, dict):
        expected = f"one of {', '.join(methods)}, or a mapping with type:"
        problems.add(path, expected=expected, received=describe(raw))
        return None
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in methods:
        _refuse_type(raw, path, methods, problems)
        return None
    before = len(problems)
    arguments = methods[kind]
    for name, value in raw.items():
        if name == "type":
            continue
        if name not in arguments:
            _refuse_argument(kind, name, path, arguments, problems)
        elif items and name in items and isinstance(value, dict):
            for key, item in value.items():
                if not items[name].accepts(item):
                    add_wrong_value((*path, name, key), item, items[name].expected, problems)
        elif not arguments[name][0].accepts(value):
            add_wrong_value((*path, name), value, arguments[name][0].expected, problems)
    if len(problems) > before:
        return None
    defaults = {name: default for name, (_, default) in arguments.items()}
    return {"type": kind, **defaults, **{name: raw[name] for name in raw if name != "type"}}


def write_schema(methods: Methods) -> Schema:
    """Return the JSON Schema of a method's name, or of a mapping with its arguments."""
    mappings = [
        {
            "type": "object",
            "properties": {
                "type": {"const": kind},
                **{name: {**rule.schema, "default": value} for name, (rule, value) in held.items()},
            },
            "required": ["type"],
            "additionalProperties": False,
        }
        for kind, held in methods.items()
    ]
    return any_of({"enum": [*methods]}, *mappings)


def _refuse_type(raw: Mapping[str, Any], path: Path, methods: Methods, problems: Problems) -> None:
    if "type" not in raw:
        problems.add(path, expected=f"type:, one of {', '.join(methods)}", received="none")
        return
    where = (*path, "type") if (*path, "type") in problems.document.values else path
    expected = f"one of {', '.join(methods)}"
    add_wrong_value(where, raw["type"], expected, problems, choices=methods)


def _refuse_argument(
    kind: str,
    name: str,
    path: Path,
    arguments: Mapping[str, tuple[Rule, Any]],
    problems: Problems,
) -> None:
    names = ", ".join(arguments)
    problems.add(
        (*path, name),
        f"{kind} has no argument '{name}'.",
        hint=f"It takes {names}." if names else "It takes none.",
        of_key=True,
        expected=f"an argument of {kind}: {names}" if names else "no argument",
        received=f"'{name}'",
        suggestion=nearest(name, arguments),
    )
