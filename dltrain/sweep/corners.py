"""Does every corner of a sweep's space build? Checked like configs of their own, without Keras."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.config.document import Problems, in_file_order
from dltrain.config.load import LoadedConfig, check_document
from dltrain.config.sweep import Dimension, Sweep, check_objectives
from dltrain.errors import ConfigError, Problem
from dltrain.shapes.infer import infer_shapes
from dltrain.sweep.space import Point, choose_point, count_points, walk_points

# A corner takes a millisecond or two.
MAX_CORNERS = 256

# A grid that is larger has more points than anyone trains; it is counted no further.
_MAX_COUNTED = 1_000_000


@dataclass(frozen=True)
class CheckedSpace:
    """How many corners were tried, of how many; the points of a grid, None for another method."""

    tried: int
    corners: int
    points: int | None

    def describe(self, sweep: Sweep) -> str:
        """Return it in a line for people."""
        varies = f"{len(sweep.dimensions)} values vary"
        if len(sweep.dimensions) == 1:
            varies = "1 value varies"
        if self.points is not None:
            return f"Sweep: {varies}, a grid of {self.points:,} points; every corner builds."
        builds = f"all {self.corners:,} corners build"
        if self.tried < self.corners:
            builds = f"{self.tried:,} of {self.corners:,} corners were tried, and build"
        return f"Sweep: {varies}, {sweep.trials:,} trials by {sweep.method}; {builds}."


def check_space(loaded: LoadedConfig) -> CheckedSpace:
    """Check every corner of the space of `loaded`, up to MAX_CORNERS of them.

    Of a larger space every value is tried at least once, and as many corners as are left, drawn
    with a fixed seed. Raises ConfigError with everything that is wrong, each mistake once.
    """
    sweep = loaded.sweep
    assert sweep is not None
    document = loaded.document
    corners = count_points(document, sweep.dimensions, _ends, limit=_MAX_COUNTED)
    tried = 0
    found: dict[Problem, None] = {}
    for point in _choose_corners(loaded, sweep, corners):
        tried += 1
        for problem in _find_problems(point, sweep):
            found.setdefault(_explain(problem, point, loaded, sweep))
    points = None
    if sweep.method == "grid":
        points = count_points(document, sweep.dimensions, _points, limit=_MAX_COUNTED)
        if sweep.trials is not None and points > sweep.trials:
            found.setdefault(_refuse_grid(loaded, points, sweep.trials))
    if found:
        raise ConfigError(in_file_order(found, document.order))
    return CheckedSpace(tried, corners, points)


def _ends(dimension: Dimension) -> Sequence[object]:
    return dimension.ends


def _points(dimension: Dimension) -> Sequence[object]:
    return dimension.points or ()


def _choose_corners(loaded: LoadedConfig, sweep: Sweep, corners: int) -> Iterator[Point]:
    document, dimensions = loaded.document, sweep.dimensions
    if corners <= MAX_CORNERS:
        yield from walk_points(document, dimensions, _ends)
        return
    draw = random.Random(0)
    longest = max(len(dimension.ends) for dimension in dimensions)
    for index in range(longest):

        def take(dimension: Dimension, index: int = index) -> object:
            return dimension.ends[index % len(dimension.ends)]

        yield choose_point(document, dimensions, take)
    for _ in range(longest, MAX_CORNERS):
        yield choose_point(document, dimensions, lambda each: draw.choice(each.ends))


def _find_problems(point: Point, sweep: Sweep) -> Sequence[Problem]:
    try:
        loaded = check_document(point.document)
    except ConfigError as error:
        return error.problems
    problems = Problems(point.document)
    check_objectives(sweep, loaded.config, problems)
    return (*problems.found(), *infer_shapes(loaded).problems)


def _explain(problem: Problem, point: Point, loaded: LoadedConfig, sweep: Sweep) -> Problem:
    """Return the problem with the values that make it, unless it stands at one of them."""
    if _stands_in_space(problem, loaded, sweep):
        return problem
    culprit = point.describe()
    for dimension in sweep.dimensions:
        if dimension.key not in point.values:
            continue
        alone = _vary_one(loaded, dimension, point.values[dimension.key])
        if any(_is_same(problem, other) for other in _find_problems(alone, sweep)):
            culprit = alone.describe()
            break
    hint = f"{problem.hint} So it is in the sweep with {culprit}.".lstrip()
    return dataclasses.replace(problem, hint=hint)


def _vary_one(loaded: LoadedConfig, dimension: Dimension, value: Any) -> Point:
    """Return the config with that one value, its conditions left aside."""
    return choose_point(loaded.document, [dataclasses.replace(dimension, when=())], lambda _: value)


def _is_same(one: Problem, other: Problem) -> bool:
    return (one.key, one.line, one.message) == (other.key, other.line, other.message)


def _stands_in_space(problem: Problem, loaded: LoadedConfig, sweep: Sweep) -> bool:
    here = (problem.source, problem.line, problem.column)
    places = loaded.document.keys, loaded.document.values
    return any(
        path[:2] == ("sweep", "space") and (p.source, p.line, p.column) == here
        for known in places
        for path, p in known.items()
    )


def _refuse_grid(loaded: LoadedConfig, points: int, trials: int) -> Problem:
    problems = Problems(loaded.document)
    problems.add(
        ("sweep", "trials"),
        f"the grid has {points:,} points, and trials are {trials:,}: some would never be tried.",
        hint=f"Write {points}, leave trials out, or take method: random.",
        expected=f"at least {points}",
        received=str(trials),
    )
    return problems.found()[0]
