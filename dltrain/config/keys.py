"""Which dotted keys can `--set` name, and which values are likely for each?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from dltrain.catalog.arguments import nested_kind
from dltrain.catalog.components import Kind, components, find
from dltrain.catalog.datasets import DATASETS
from dltrain.config.extending import read_with_bases
from dltrain.config.losses import METRIC_SHORT_NAMES
from dltrain.config.paths import Path, format_path
from dltrain.config.schema import RunConfig
from dltrain.config.trackers import TRACKERS

Keys = dict[str, list[Any]]
"""A dotted key -> values to propose for it: what the config holds, the choices, the default."""

_KINDS: dict[Path, Kind] = {("loss",): "losses", ("optimizer",): "optimizers"}
_LISTS: dict[Path, Kind] = {
    ("model", "layers"): "layers",
    ("dataset", "augment"): "layers",
    ("metrics",): "metrics",
    ("training", "callbacks"): "callbacks",
}


def list_keys(config: FilePath | None) -> Keys:
    """Return every key that `config` holds or could hold; without a config, those of any.

    Raises DltrainError if the config can't be read; it need not be right.
    """
    data = read_with_bases(config).data if config else {}
    keys: Keys = {}
    for path, value in [*_walk_values(data, ()), *_walk_section(RunConfig, ())]:
        _note(keys, path, value)
    for path, value in _walk_trackers(data):
        _note(keys, path, value)
    for path, kind, spec in _walk_components(data):
        for argument_path, value in _walk_arguments(kind, spec, path):
            _note(keys, argument_path, value)
    return keys


def propose(keys: Iterable[str], begun: str) -> list[str]:
    """Return how `begun` may go on: `KEY=`, or as far as the next `.` or `[` of longer keys.

    What only one way leads on is followed to where ways part.
    """
    found: dict[str, None] = {}
    for key in keys:
        if not key.startswith(begun):
            continue
        ends = [at for at, sign in enumerate(key) if sign in ".[" and at >= len(begun)]
        found[key[: ends[0] + 1] if ends else f"{key}="] = None
    if len(found) == 1:
        only = next(iter(found))
        return [only] if only.endswith("=") else propose(keys, only)
    return sorted(found)


def _note(keys: Keys, path: Path, values: Iterable[Any]) -> None:
    known = keys.setdefault(format_path(path), [])
    for value in values:
        if not any(value is old or (type(value) is type(old) and value == old) for old in known):
            known.append(value)


def _walk_values(data: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Yield what stands in the config: its texts, numbers and nulls."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict):
        items = data.items()
    elif isinstance(data, list):
        items = enumerate(data)
    for key, value in items:
        below = (*path, key)
        if isinstance(value, (dict, list)):
            yield from _walk_values(value, below)
        elif below != ("extends",):
            yield below, [value]


def _walk_section(section: type[BaseModel], path: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Yield every key of a section that holds a value, with its default and its choices."""
    for name, field in section.model_fields.items():
        below = (*path, name)
        members = [field.annotation, *get_args(field.annotation)]
        inner = [member for member in members if _is_section(member)]
        for member in inner:
            yield from _walk_section(member, below)
        if inner:
            continue
        choices = [item for member in members for item in _choices(member)]
        if below == ("dataset", "name"):
            choices = [*DATASETS]
        elif below in _KINDS:
            choices = [*components(_KINDS[below])]
        default = field.get_default()
        shown = [default] if isinstance(default, (str, int, float)) else []
        yield below, [*shown, *choices]


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _choices(annotation: Any) -> list[Any]:
    if annotation is bool:
        return [True, False]
    return [*get_args(annotation)] if get_origin(annotation) is Literal else []


def _walk_components(data: Mapping[str, Any]) -> Iterator[tuple[Path, Kind, Any]]:
    yield ("loss",), "losses", data.get("loss")
    yield ("optimizer",), "optimizers", data.get("optimizer", "adam")
    for path, kind in _LISTS.items():
        for index, spec in enumerate(_look_up(data, path) or ()):
            yield (*path, index), kind, spec
    blocks = _look_up(data, ("model", "blocks"), dict) or {}
    for name in blocks:
        inside: Path = ("model", "blocks", name, "layers")
        for index, spec in enumerate(_look_up(data, inside) or ()):
            yield (*inside, index), "layers", spec


def _walk_trackers(data: Mapping[str, Any]) -> Iterator[tuple[Path, list[Any]]]:
    """Yield every option of the trackers that stand there."""
    for index, spec in enumerate(_look_up(data, ("trackers",)) or ()):
        name = spec.get("type") if isinstance(spec, dict) else spec
        section = TRACKERS.get(name) if isinstance(name, str) else None
        if section is not None:
            yield from _walk_section(section, ("trackers", index))


def _look_up(data: Any, path: Path, wanted: type = list) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, wanted) else None


def _walk_arguments(kind: Kind, spec: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Yield every argument of the component that `spec` names, and of those inside it."""
    given = spec if isinstance(spec, dict) else {}
    name = given.get("type", spec)
    name = METRIC_SHORT_NAMES.get(name, name) if isinstance(name, str) else None
    component = find(kind, name) if name else None
    if component is None:
        return
    yield (*path, "type"), []
    for argument in component.arguments.values():
        below = (*path, argument.name)
        default = argument.default
        yield below, [default] if isinstance(default, (str, int, float)) else []
        nested = nested_kind(component, argument.name)
        if nested is not None and given.get(argument.name) is not None:
            yield from _walk_arguments(nested, given[argument.name], below)
