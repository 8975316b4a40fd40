"""How do `extends:` and `--set` change a config? Merging values, and where each came from."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

from dltrain.config.document import Document, Place, Problems
from dltrain.config.paths import Path, format_path, parse_path
from dltrain.config.reading import describe, read_file, read_value
from dltrain.errors import ConfigError, Problem

# A mapping that names another thing by one of these keys replaces the base's mapping whole:
# `{type: adam}` over `{type: sgd, momentum: 0.9}` must not keep the momentum.
_NAMING_KEYS = ("type", "name", "block")

# Sections that may be a bare name in the base and a mapping in the file on top.
_BARE_NAMES: tuple[Path, ...] = (("dataset",), ("loss",), ("optimizer",))


def read_with_bases(path: FilePath) -> Document:
    """Read a config and the files that it extends, nearest last; mappings merge, lists replace.

    Raises ConfigError if a base is missing or the files extend each other in a circle.
    """
    return _read(path, ())


def apply_overrides(document: Document, overrides: Iterable[tuple[str, str]]) -> None:
    """Set values in `document`, in order; each is a flag as it was written, and its KEY=VALUE.

    Raises ConfigError, naming the flag, if a flag has no `=` or its path can't exist.
    """
    found: list[Problem] = []
    for source, override in overrides:
        key, equals, text = override.partition("=")
        try:
            if not equals:
                raise ValueError("expected KEY=VALUE, such as optimizer.learning_rate=0.01.")
            path = parse_path(key.strip())
            value = read_value(text, source=source)
            _set(document, path, value, source)
        except ValueError as error:
            message = str(error).removesuffix(".")
            found.append(Problem(source, 0, 0, key.strip(), f"{message}."))
        except ConfigError as error:
            found += [dataclasses.replace(each, key=key.strip()) for each in error.problems]
    if found:
        raise ConfigError(found)


def _read(path: FilePath, below: tuple[FilePath, ...]) -> Document:
    document = read_file(path)
    if "extends" not in document.data:
        return document
    problems = Problems(document)
    base_name = document.data.pop("extends")
    if not isinstance(base_name, str):
        problems.add(("extends",), f"expected the path of a file, received {describe(base_name)}.")
        problems.raise_any()
    base_path = path.parent / base_name
    chain = (*below, path.resolve())
    if not _is_file(base_path):
        problems.add(
            ("extends",),
            f"there is no file {base_path}.",
            hint="The path is taken from the folder of this file.",
        )
    elif base_path.resolve() in chain:
        problems.add(("extends",), f"{base_name} extends this file in turn: a circle.")
    problems.raise_any()
    return _merge(_read(base_path, chain), document)


def _is_file(path: FilePath) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a path can be
        return False


def _merge(base: Document, top: Document) -> Document:
    merged = Document(
        data=copy.deepcopy(base.data),
        source=top.source,
        keys=dict(base.keys),
        values=dict(base.values),
        order=(*top.order, *base.order),
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
        for places, new in ((merged.keys, top.keys), (merged.values, top.values)):
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


def _set(document: Document, path: Path, value: Any, source: str) -> None:
    holder: Any = document.data
    path = _with_indices(document.data, path)
    for depth, part in enumerate(path[:-1]):
        holder = _step(holder, part, path[: depth + 1], path[depth + 1])
    last = path[-1]
    if isinstance(holder, list):
        holder[_check_index(holder, last, path[:-1])] = value
    elif isinstance(last, int):
        raise ValueError(f"{format_path(path[:-1])} is no list; expected a key, received [{last}].")
    else:
        holder[last] = value
    place = Place(source)
    for places in (document.keys, document.values):
        _drop(places, path)
        places[path] = place


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
        raise ValueError(f"{format_path(path[:-1])} is no list; expected a key, received [{part}].")
    elif part not in holder:
        if isinstance(following, int):
            raise ValueError(
                f"{format_path(path)} is not in the config, so it has no [{following}]."
            )
        holder[part] = {}
    child = holder[part]
    if isinstance(child, str):  # `adam` is short for {type: adam}, `digits` for {name: digits}
        child = _as_mapping(child, path)
    elif child is None:
        child = {}
    elif not isinstance(child, (dict, list)):
        raise ValueError(f"{format_path(path)} is {describe(child)}; nothing can be set inside it.")
    holder[part] = child
    return child


def _check_index(items: list[Any], index: str | int, path: Path) -> int:
    """Return `index`, or raise ValueError if it is no index of `items`."""
    if not isinstance(index, int):
        raise ValueError(
            f"{format_path(path)} is a list of {len(items)}; expected an index such as "
            f"{format_path(path)}[0], received '{index}'."
        )
    if index >= len(items):
        raise ValueError(
            f"{format_path(path)} has {len(items)} items, [0] to [{len(items) - 1}]; "
            f"received [{index}]."
        )
    return index
