"""How do `extends:` and `--set` change a config? Merging values, and where each came from."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Document, Place, Problems
from dltrain.config.paths import Path, format_path, parse_path
from dltrain.config.reading import describe, read_file, read_value
from dltrain.errors import ConfigError, Problem

# A mapping that names another thing by one of these keys replaces the base's mapping whole:
# `{type: adam}` over `{type: sgd, momentum: 0.9}` must not keep the momentum.
_NAMING_KEYS = ("type", "name", "block")

_MAX_FILES = 30

# Sections that may be a bare name in the base and a mapping in the file on top.
_BARE_NAMES: tuple[Path, ...] = (("dataset",), ("loss",), ("optimizer",))


class _CantSet(ValueError):
    """A flag asks for a value at a place that can't be; the message is made if there is none."""

    def __init__(
        self, expected: str, received: str, message: str = "", *, suggestion: str | None = None
    ) -> None:
        super().__init__(message or f"expected {expected}, received {received}.")
        self.expected = expected
        self.received = received
        self.suggestion = suggestion

    def problem(self, source: str, key: str) -> Problem:
        """Return the problem of the flag `source`."""
        hint = f"Did you mean '{self.suggestion}'?" if self.suggestion else ""
        words = (str(self), hint, self.expected, self.received, self.suggestion)
        return Problem(source, 0, 0, key, *words)


def read_with_bases(path: FilePath) -> Document:
    """Read a config and the files that it extends, nearest last; mappings merge, lists replace.

    Raises ConfigError if a base is missing or the files extend each other in a circle.
    """
    return _read(path, ())


def apply_overrides(document: Document, overrides: Iterable[tuple[str, str]]) -> None:
    """Set values in `document`, in order; each is a flag as it was written, and its KEY=VALUE.

    A flag that has no `=`, or whose path can't exist, changes nothing and is told with the
    document's other mistakes.
    """
    for source, override in overrides:
        document.order = (*document.order, source)
        key, equals, text = override.partition("=")
        key = key.strip()
        path: Path = ()
        before = copy.deepcopy(document.data)
        try:
            if not equals:
                raise _CantSet("KEY=VALUE, such as optimizer.learning_rate=0.01", f"'{override}'")
            path = parse_path(key)
            _set(document, path, read_value(text, source=source), Place(source))
        except _CantSet as error:
            found = [error.problem(source, key)]
        except ValueError as error:
            found = [Problem(source, 0, 0, key, f"{str(error).removesuffix('.')}.")]
        except ConfigError as error:
            found = [
                dataclasses.replace(each, key=f"{key}.{each.key}" if each.key else key)
                for each in error.problems
            ]
        else:
            continue
        document.data = before  # without what was made on the way to the end of the path
        document.found += [(path, problem) for problem in found]


def _read(path: FilePath, below: tuple[FilePath, ...]) -> Document:
    document = read_file(path)
    if "extends" not in document.data:
        return document
    base_name = document.data.pop("extends")
    if ("extends",) in document.unread:
        Problems(document).raise_any()
    base_path = _find_base(document, base_name, path.parent, (*below, path.resolve()))
    try:
        base = _read(base_path, (*below, path.resolve()))
    except ConfigError as error:
        # What this file says is only right or wrong together with the base.
        here = Problems(document).found()
        raise ConfigError([*here, *error.problems]) from None
    return _merge(base, document)


def _find_base(
    document: Document, name: object, folder: FilePath, chain: tuple[FilePath, ...]
) -> FilePath:
    """Return the path of the file that `document` extends. Raises ConfigError if there is none."""
    problems = Problems(document)
    where: Path = ("extends",)
    if not isinstance(name, str):
        problems.add(where, expected="the path of a file", received=describe(name))
        raise ConfigError(problems.found())
    path = folder / name
    if not _is_file(path):
        problems.add(
            where,
            f"there is no file {path}.",
            hint="The path is taken from the folder of this file.",
            expected="the path of a file",
            received=f"'{name}'",
            suggestion=_nearest_file(path),
        )
        problems.raise_any()
    if path.resolve() in chain:
        problems.add(where, f"{name} extends this file in turn: a circle.", received=f"'{name}'")
        problems.raise_any()
    if len(chain) > _MAX_FILES:
        problems.add(
            where,
            f"more than {_MAX_FILES} files extend each other.",
            expected=f"at most {_MAX_FILES} files",
            received="more",
        )
        problems.raise_any()
    return path


def _nearest_file(path: FilePath) -> str | None:
    """Return the name of the YAML file beside `path` that may have been meant."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return None
    return nearest(path.name, names)


def _is_file(path: FilePath) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a path can be, or a null character in it
        return False


def _merge(base: Document, top: Document) -> Document:
    merged = Document(
        data=copy.deepcopy(base.data),
        source=top.source,
        keys=dict(base.keys),
        values=dict(base.values),
        order=(*top.order, *base.order),
        found=[*top.found, *base.found],
        unread=dict(base.unread),
        texts={**base.texts, **top.texts},
    )
    _merge_mapping(merged, merged.data, top.data, top, ())
    return merged


def _merge_mapping(
    merged: Document, under: dict[str, Any], over: dict[str, Any], top: Document, path: Path
) -> None:
    for key, value in over.items():
        below = (*path, key)
        old = under.get(key)
        if isinstance(old, str) and isinstance(value, dict) and below in _BARE_NAMES:
            under[key] = old = _as_mapping(old, below)
        if isinstance(old, dict) and isinstance(value, dict) and not _names_another(old, value):
            _merge_mapping(merged, old, value, top, below)
            continue
        under[key] = copy.deepcopy(value)
        for places, new in (
            (merged.keys, top.keys),
            (merged.values, top.values),
            (merged.unread, top.unread),
        ):
            _drop(places, below)
            places.update({p: place for p, place in new.items() if p[: len(below)] == below})


def _as_mapping(name: str, path: Path) -> dict[str, Any]:
    """Return what the bare name at `path` is short for."""
    return {"name" if path == ("dataset",) else "type": name}


def _names_another(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(key in new and new[key] != old.get(key) for key in _NAMING_KEYS)


def _drop(places: dict[Path, Place], path: Path) -> None:
    for known in [known for known in places if known[: len(path)] == path]:
        del places[known]


def set_value(document: Document, path: Path, value: Any, place: Place) -> Path:
    """Put `value` at `path`, as `--set` does; say that it stands at `place`; return the path.

    A path that can't exist is noted in `document.found`, and changes nothing.
    """
    before = copy.deepcopy(document.data)
    try:
        return _set(document, path, value, place)
    except _CantSet as error:
        document.data = before
        found = error.problem(place.source, format_path(path))
        found = dataclasses.replace(found, line=place.line, column=place.column)
        document.found.append((path, found))
        return path


def _set(document: Document, path: Path, value: Any, place: Place) -> Path:
    holder: Any = document.data
    path = _with_indices(document.data, path)
    for depth, part in enumerate(path[:-1]):
        holder = _step(holder, part, path[: depth + 1], path[depth + 1])
    last = path[-1]
    if isinstance(holder, list):
        holder[_check_index(holder, last, path[:-1])] = value
    elif isinstance(last, int):
        raise _no_list(path[:-1], last)
    else:
        holder[last] = value
    for places in (document.keys, document.values, document.unread):
        _drop(places, path)
    document.keys[path] = document.values[path] = place
    for length in range(1, len(path)):  # sections that the flag made on the way
        if path[:length] not in document.keys and path[:length] not in document.values:
            document.keys[path[:length]] = place
    return path


def _with_indices(holder: Any, path: Path) -> Path:
    """Return `path` with `layers.2` as `layers[2]` wherever `holder` has a list."""
    found: list[str | int] = []
    for part in path:
        if isinstance(holder, list) and isinstance(part, str) and part.isdecimal():
            part = int(part)
        found.append(part)
        if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            holder = holder[part]
        else:
            holder = holder.get(part) if isinstance(holder, dict) else None
    return tuple(found)


def _step(holder: Any, part: str | int, path: Path, following: str | int) -> Any:
    """Return what `part` of `holder` holds, as something that can take the key `following`."""
    if isinstance(holder, list):
        _check_index(holder, part, path[:-1])
    elif isinstance(part, int):
        raise _no_list(path[:-1], part)
    elif part not in holder:
        if isinstance(following, int):
            name = format_path(path)
            raise _CantSet(
                "a list that the config has",
                f"'{name}'",
                f"{name} is not in the config, so it has no [{following}].",
                suggestion=nearest(part, holder),
            )
        holder[part] = {}
    child = holder[part]
    if isinstance(child, str):  # `adam` is short for {type: adam}, `digits` for {name: digits}
        child = _as_mapping(child, path)
    elif child is None:
        child = {}
    elif not isinstance(child, (dict, list)):
        name, received = format_path(path), describe(child)
        raise _CantSet(
            "a mapping or a list", received, f"{name} is {received}; nothing can be set inside it."
        )
    holder[part] = child
    return child


def _no_list(path: Path, index: int) -> _CantSet:
    message = f"{format_path(path)} is no list; expected a key, received [{index}]."
    return _CantSet("a key", f"[{index}]", message)


def _check_index(items: list[Any], index: str | int, path: Path) -> int:
    """Return `index`, or raise _CantSet if it is no index of `items`."""
    name = format_path(path)
    if not isinstance(index, int):
        raise _CantSet(
            f"an index such as {name}[0]",
            f"'{index}'",
            f"{name} is a list of {len(items)}; expected an index such as {name}[0], "
            f"received '{index}'.",
        )
    if index >= len(items):
        there = f"[0] to [{len(items) - 1}]" if items else "none"
        raise _CantSet(
            f"an index from {there}" if items else "no index",
            f"[{index}]",
            f"{name} has {len(items)} items, {there}; received [{index}].",
        )
    return index
