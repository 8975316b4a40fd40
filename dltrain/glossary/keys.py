"""Which keys has a config, and what may each be? Read off the schema, with the glossary's words."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dltrain.catalog.rules import number, whole
from dltrain.config.schema import RunConfig
from dltrain.config.trackers import TRACKERS
from dltrain.glossary.texts import Words, key_entries

_SIGNS = {Ge: (">=", "ge"), Gt: (">", "gt"), Le: ("<=", "le"), Lt: ("<", "lt")}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the config.

    `name` is dotted, with `[]` for an element of a list or any name of a mapping. `expected` is
    English, as `catalog.rules` says it. `default_note` says what null stands for, where it does.
    `section` tells whether other keys stand below it.
    """

    name: str
    text: Words
    expected: str
    required: bool
    default: Any
    default_note: Words | None
    example: str
    section: bool

    @property
    def last(self) -> str:
        """Return the name without what stands before it."""
        return self.name.rpartition(".")[2]


@functools.cache
def keys() -> Mapping[str, Key]:
    """Return every key of a config by its dotted name: the schema's, then those outside of it."""
    found = dict(_schema_keys(RunConfig, ""))
    for section in TRACKERS.values():
        options = _schema_keys(section, "trackers[].")
        found |= {name: key for name, key in options.items() if key.last != "type"}
    for name, entry in key_entries().items():
        if "en" in entry:
            found[name] = _make_key(name, entry["en"], entry, entry["expected"])
    return found


def keys_below(name: str) -> tuple[Key, ...]:
    """Return the keys that stand directly below `name`."""
    return tuple(key for key in keys().values() if key.name.rpartition(".")[0] == name)


def _schema_keys(schema: type[BaseModel], prefix: str) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for field_name, field in schema.model_fields.items():
        name = f"{prefix}{field_name}"
        section = _section(field)
        text = field.description or _first_line(section)
        entry = key_entries().get(name, {})
        expected = entry.get("expected") or _phrase(field.annotation, field.metadata)
        found[name] = _make_key(name, text, entry, expected, field=field, section=section)
        if section is not None:
            found |= _schema_keys(section, f"{name}.")
    return found


def _make_key(
    name: str,
    text: str,
    entry: Mapping[str, Any],
    expected: str,
    *,
    field: FieldInfo | None = None,
    section: type[BaseModel] | None = None,
) -> Key:
    default = None
    if field is not None and not field.is_required() and section is None:
        default = field.get_default(call_default_factory=True)
    note = entry.get("default")
    required = note is None and (field is None or field.is_required())
    # A key whose words are missing shows as such in the tests, not as a traceback here.
    words: Words = {"en": text, "zh": entry.get("zh", text)}
    example = entry.get("example", "")
    return Key(name, words, expected, required, default, note, example, section is not None)


def _first_line(section: type[BaseModel] | None) -> str:
    return (section.__doc__ or "").strip().partition("\n")[0] if section else ""


def _section(field: FieldInfo) -> type[BaseModel] | None:
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _phrase(annotation: Any, metadata: list[Any]) -> str:
    """Say what a value of this type may be, in the words of `catalog.rules`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *more = arguments
        return _phrase(inner, [item for part in more for item in _constraints(part)])
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not types.NoneType]
        phrases = [_phrase(member, metadata) for member in members]
        return ", or ".join([*phrases, *["null"] * (len(members) < len(arguments))])
    if origin is Literal:
        return f"one of {', '.join(arguments)}" if len(arguments) > 1 else str(arguments[0])
    if origin is list:
        least = any(isinstance(item, MinLen) for item in metadata)
        return "a list with at least one item" if least else "a list"
    if annotation is bool:
        return "true or false"
    if annotation is int or annotation is float:
        return _bounded(annotation, metadata)
    if annotation is str:
        patterned = any(getattr(item, "pattern", None) for item in metadata)
        words = "letters, digits, _, - and . only, the first a letter or digit"
        return words if patterned else "a text"
    return "a mapping"


def _constraints(part: Any) -> list[Any]:
    return part.metadata if isinstance(part, FieldInfo) else [part]


def _bounded(kind: type, metadata: list[Any]) -> str:
    bounds = []
    for item in metadata:
        if type(item) in _SIGNS:
            sign, attribute = _SIGNS[type(item)]
            bound = getattr(item, attribute)
            bounds.append(f"{sign} {bound if isinstance(bound, int) else format(bound, 'g')}")
    plain = whole().expected if kind is int else number().expected
    return f"{plain} {' and '.join(bounds)}".strip()
