"""How do pydantic's errors become problems: a place, the expected, the received?"""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.wrong_values import add_wrong_value

_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}


def add_validation_errors(
    error: ValidationError,
    schema: type[BaseModel],
    problems: Problems,
    *,
    below: Path = (),
    called: str = "a config",
) -> None:
    """Add every error of `error`, in dltrain's words; alternatives of one value become one.

    The validated data stands at `below`, and is `called` so.
    """
    grouped: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        grouped.setdefault(_known_path(detail["loc"], schema), []).append(detail)
    for path, details in grouped.items():
        if details[0]["input"] is None and problems.touches((*below, *path)):
            continue  # a component that was refused already stands as None
        _add(path, details, schema, problems, below=below, called=called)


def wrong_paths(error: ValidationError, schema: type[BaseModel]) -> set[Path]:
    """Return where the values stand that `error` is about."""
    return {_known_path(detail["loc"], schema) for detail in error.errors()}


def _add(
    path: Path,
    details: list[ErrorDetails],
    schema: type[BaseModel],
    problems: Problems,
    *,
    below: Path,
    called: str,
) -> None:
    first = details[0]
    place = (*below, *path)
    if first["type"] == "extra_forbidden":
        section = _section(path[:-1], schema)
        names = list(section.model_fields) if section else []
        where = str(path[-2]) if len(path) > 1 else called
        problems.add(
            place,
            f"{where} has no key '{path[-1]}'.",
            hint=f"It takes {', '.join(names)}.",
            of_key=True,
            expected=f"a key of {where}: {', '.join(names)}",
            received=f"'{path[-1]}'",
            suggestion=nearest(str(path[-1]), names),
        )
    elif first["type"] == "missing":
        name = path[-1]
        where = f"{path[-2]} needs" if len(path) > 1 else f"{called} needs"
        hint = _missing_hint(str(name))
        problems.add(place, f"{where} `{name}:`.", hint=hint, expected=f"{name}:", received="none")
    else:
        expected = " or ".join(dict.fromkeys(_expected(detail) for detail in details))
        choices = [name for detail in details for name in _choices(detail)]
        add_wrong_value(place, first["input"], expected, problems, choices=choices)


def _missing_hint(name: str) -> str:
    return {
        "dataset": "For example `dataset: {name: digits}`.",
        "model": "For example `model: {layers: [flatten, {type: dense, units: 10}]}`.",
        "layers": "A list of Keras layers.",
    }.get(name, "")


def _expected(detail: ErrorDetails) -> str:
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx") or {}
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "literal_error":
        return f"one of {context['expected']}".replace("'", "").replace(" or ", ", ")
    bounds = {"greater_than_equal": "ge", "greater_than": "gt", "less_than": "lt"}
    bounds["less_than_equal"] = "le"
    if kind in bounds:
        sign = {"ge": ">=", "gt": ">", "lt": "<", "le": "<="}[bounds[kind]]
        bound = context[bounds[kind]]
        return f"a number {sign} {bound if isinstance(bound, int) else format(bound, 'g')}"
    if kind == "too_short" and context["min_length"] == 1:
        return "at least one item"
    if kind in ("too_short", "too_long"):  # the only list of a fixed length
        return "two whole numbers, [height, width]"
    if kind == "string_pattern_mismatch":
        return "letters, digits, _, - and . only, the first a letter or digit"
    if kind == "string_too_short":
        return "a text of at least one character"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters"
    return detail["msg"]


def _choices(detail: ErrorDetails) -> list[str]:
    """Return the names that `detail` would accept."""
    if detail["type"] == "bool_type":
        return ["true", "false"]
    if detail["type"] != "literal_error":
        return []
    return re.findall("'([^']*)'", detail["ctx"]["expected"])


def _known_path(location: tuple[int | str, ...], schema: type[BaseModel]) -> Path:
    """Drop what pydantic adds to a location to name a union's member (`int`, `literal[...]`)."""
    path: list[int | str] = []
    section: type[BaseModel] | None = schema
    for part in location:
        if section is None and isinstance(part, str):
            break
        path.append(part)
        if section is not None:
            section = _subsection(section, str(part))
    return tuple(path)


def _section(path: Path, schema: type[BaseModel]) -> type[BaseModel] | None:
    section: type[BaseModel] | None = schema
    for part in path:
        section = _subsection(section, str(part)) if section else None
    return section


def _subsection(section: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = section.model_fields.get(name)
    if field is None:
        return None
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
