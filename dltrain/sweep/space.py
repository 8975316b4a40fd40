"""Which configs does a sweep hold? Values put into the config, conditions, corners, grid points."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.config.document import Document, Place
from dltrain.config.extending import set_value
from dltrain.config.paths import Path
from dltrain.config.sweep import SPACE, Dimension

Values = Mapping[str, Any]
"""Dotted path of each dimension that is active → its value, in the order of the space."""

Pick = Callable[[Dimension], Any]
"""Chooses a value of a dimension that is active."""


@dataclass(frozen=True)
class Point:
    """A config of the space: the values chosen, and the document that has them."""

    values: Values
    document: Document

    def describe(self) -> str:
        """Return `optimizer.learning_rate=0.01, model.layers[0].units=64`."""
        return describe_values(self.values)


def describe_values(values: Values) -> str:
    """Return `optimizer.learning_rate=0.01, model.layers[0].units=64`."""
    return ", ".join(f"{key}={format_value(value)}" for key, value in values.items())


def format_value(value: Any) -> str:
    """Return a value for people: five digits of a number, JSON of a block."""
    if isinstance(value, float):
        return format(value, ".5g")
    return value if isinstance(value, str) else json.dumps(value)


def choose_point(document: Document, dimensions: Sequence[Dimension], pick: Pick) -> Point:
    """Return the point that `pick` chooses; it is asked for active dimensions only, in order."""
    point = start_point(document)
    for dimension in dimensions:
        if is_active(dimension, point.document.data):
            point = _with(point, dimension, pick(dimension))
    return point


def walk_points(
    document: Document,
    dimensions: Sequence[Dimension],
    values_of: Callable[[Dimension], Sequence[Any]],
) -> Iterator[Point]:
    """Yield every combination of `values_of`; the last dimension varies fastest.

    A dimension whose condition doesn't hold isn't part of a point, so that none comes twice.
    """
    yield from _walk(start_point(document), list(dimensions), values_of)


def count_points(
    document: Document,
    dimensions: Sequence[Dimension],
    values_of: Callable[[Dimension], Sequence[Any]],
    *,
    limit: int,
) -> int:
    """Return how many points `walk_points` yields, or `limit` if there are at least as many."""
    if not any(dimension.when for dimension in dimensions):
        count = 1
        for dimension in dimensions:
            count *= len(values_of(dimension))
        return min(count, limit)
    count = 0
    for _ in walk_points(document, dimensions, values_of):
        count += 1
        if count >= limit:
            break
    return count


def start_point(document: Document) -> Point:
    """Return the config itself, without its section `sweep`."""
    data = {key: value for key, value in document.data.items() if key != "sweep"}
    return Point({}, dataclasses.replace(document, data=copy.deepcopy(data)))


def is_active(dimension: Dimension, data: Mapping[str, Any]) -> bool:
    """Tell whether the conditions of a dimension hold in the config as chosen so far."""
    return all(
        any(_equal(_look(data, condition.path), value) for value in condition.values)
        for condition in dimension.when
    )


def _walk(
    point: Point, left: Sequence[Dimension], values_of: Callable[[Dimension], Sequence[Any]]
) -> Iterator[Point]:
    if not left:
        yield point
        return
    first, *others = left
    if not is_active(first, point.document.data):
        yield from _walk(point, others, values_of)
        return
    for value in values_of(first):
        yield from _walk(_with(point, first, value), others, values_of)


def _with(point: Point, dimension: Dimension, value: Any) -> Point:
    """Return `point` with one value more; it stands where the space says it."""
    old = point.document
    document = dataclasses.replace(
        old,
        data=copy.deepcopy(old.data),
        keys=dict(old.keys),
        values=dict(old.values),
        found=list(old.found),
        unread=dict(old.unread),
    )
    where = (*SPACE, dimension.key)
    place = old.place(where, of_key=True)
    path = set_value(document, dimension.path, copy.deepcopy(value), place)
    written = (*where, dimension.kind)
    if dimension.kind == "choice":
        written = (*written, dimension.choices.index(value))
    _copy_places(document.values, old.values, written, path, fallback=place)
    _copy_places(document.keys, old.keys, written, path)
    document.keys[path] = place
    return Point({**point.values, dimension.key: value}, document)


def _copy_places(
    places: dict[Path, Place],
    known: Mapping[Path, Place],
    source: Path,
    target: Path,
    *,
    fallback: Place | None = None,
) -> None:
    """Say that what stands at `target`, and below it, is written where `source` is."""
    if fallback is not None:
        places[target] = known.get(source, fallback)
    for path, place in known.items():
        if len(path) > len(source) and path[: len(source)] == source:
            places[(*target, *path[len(source) :])] = place


def _look(data: Any, path: Path) -> Any:
    """Return what stands at `path`; a bare name (`adam`) is its own `type`. None if nothing."""
    for part in path:
        if isinstance(data, str) and part in ("type", "name"):
            continue
        if isinstance(data, list) and isinstance(part, str) and part.isdecimal():
            part = int(part)
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _equal(one: Any, other: Any) -> bool:
    return (type(one) is type(other) and one == other) or (
        isinstance(one, (int, float))
        and isinstance(other, (int, float))
        and not isinstance(one, bool)
        and not isinstance(other, bool)
        and one == other
    )
