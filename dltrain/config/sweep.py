"""What does `sweep:` ask for? Dimensions, objectives and limits, checked and resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.methods import read_method
from dltrain.config.monitors import best_direction, monitored_names
from dltrain.config.paths import Path, parse_path
from dltrain.config.pruners import PATH as PRUNER
from dltrain.config.pruners import PRUNERS
from dltrain.config.reading import describe
from dltrain.config.schema import RunConfig, Spec, SweepConfig, SweepDirection

DEFAULT_TRIALS = 20

SPACE: Path = ("sweep", "space")

_RANGES = ("uniform", "log_uniform", "int", "log_int")
KINDS = ("choice", *_RANGES)
"""The keys that say what a dimension may be; a dimension has one of them."""

_OTHERS = ("step", "when")


@dataclass(frozen=True)
class Condition:
    """Hold where the value at `path` of the config, as chosen so far, is one of `values`."""

    path: Path
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """One value of the config that varies: among `choices`, or from `low` to `high`.

    `kind` is the key it was written with, `key` its dotted path as written. `step` is that of a
    uniform or int range (None: any number), and counts from `low`; `high` is included.
    """

    key: str
    path: Path
    kind: Literal["choice", "uniform", "log_uniform", "int", "log_int"]
    choices: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    step: float | None = None
    when: tuple[Condition, ...] = ()

    @property
    def ends(self) -> tuple[Any, ...]:
        """Return the values at the corners: every choice, or both ends of a range."""
        if self.kind == "choice":
            return self.choices
        last = self.points[-1] if self.points is not None else self.high
        return tuple(dict.fromkeys((self.low, last)))

    @property
    def points(self) -> tuple[Any, ...] | None:
        """Return every value there is, or None where they can't be counted."""
        if self.kind == "choice":
            return self.choices
        if self.kind in ("log_uniform", "log_int") or self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step * (1 + 1e-12)) + 1
        return tuple(self.low + index * self.step for index in range(count))


@dataclass(frozen=True)
class Objective:
    """What is to be best: a value that every epoch produces, and which way."""

    metric: str
    direction: SweepDirection


@dataclass(frozen=True)
class Retrain:
    """The `top` trials are trained again with `seeds` seeds; `after` is the config's own."""

    top: int
    seeds: int
    after: int


@dataclass(frozen=True)
class Sweep:
    """A sweep that passed the checks of its own; `trials` None is every point of a grid."""

    dimensions: tuple[Dimension, ...]
    objectives: tuple[Objective, ...]
    method: str
    pruner: Spec
    trials: int | None
    max_seconds: float | None
    seed: int
    retrain: Retrain | None = None


def read_sweep(config: RunConfig, problems: Problems) -> Sweep:
    """Return what the section `sweep` of a checked config asks for; mistakes are noted."""
    section = config.sweep
    assert section is not None
    dimensions: list[Dimension] = []
    for key, raw in section.space.items():
        found = _read_dimension(key, raw, problems)
        if found is not None:
            _check_order(found, dimensions, problems)
            if section.method == "grid":
                _check_countable(found, problems)
            dimensions.append(found)
    objectives = _read_objectives(section, config, problems)
    pruner = read_method(section.pruner, PRUNER, PRUNERS, problems) or {"type": "none"}
    if pruner["type"] != "none" and len(objectives) > 1:
        problems.add(
            PRUNER,
            "trials with several objectives can't be pruned: none of them decides alone.",
            hint="Write `pruner: none`, or one metric.",
            expected="none",
            received=pruner["type"],
        )
    _check_method(section, objectives, dimensions, problems)
    trials = section.trials
    if trials is None and section.method != "grid":
        trials = DEFAULT_TRIALS
    return Sweep(
        dimensions=tuple(dimensions),
        objectives=tuple(objectives),
        method=section.method,
        pruner=pruner,
        trials=trials,
        max_seconds=section.max_seconds,
        seed=config.seed if section.seed is None else section.seed,
        retrain=None
        if section.retrain is None
        else Retrain(section.retrain.top, section.retrain.seeds, after=config.seed),
    )


def check_objectives(sweep: Sweep, config: RunConfig, problems: Problems) -> None:
    """Refuse an objective that no epoch of `config`, one of the space, will produce."""
    for index, objective in enumerate(sweep.objectives):
        _check_metric(objective.metric, index, config, problems)


def _read_dimension(key: str, raw: Any, problems: Problems) -> Dimension | None:
    where = (*SPACE, key)
    try:
        path = parse_path(key)
    except ValueError as error:
        problems.add(where, f"{str(error).removesuffix('.')}.", of_key=True)
        return None
    if path[0] in ("sweep", "name", "extends"):
        problems.add(
            where, f"{path[0]} can't vary.", of_key=True, expected="another key", received=key
        )
        return None
    kinds = [name for name in KINDS if isinstance(raw, dict) and name in raw]
    unknown = [n for n in raw if n not in (*KINDS, *_OTHERS)] if isinstance(raw, dict) else []
    for name in unknown:
        problems.add(
            (*where, name),
            f"what may vary has no key '{name}'.",
            hint=f"It takes one of {', '.join(KINDS)}, and {' and '.join(_OTHERS)}.",
            of_key=True,
            expected=f"one of {', '.join((*KINDS, *_OTHERS))}",
            received=f"'{name}'",
            suggestion=nearest(str(name), (*KINDS, *_OTHERS)),
        )
    if len(kinds) != 1:
        if not unknown:
            problems.add(
                where,
                expected=f"a mapping with one of {', '.join(KINDS)}",
                received=" and ".join(kinds) or describe(raw),
                hint="For example {uniform: [0.1, 0.5]} or {choice: [adam, sgd]}.",
            )
        return None
    before = len(problems)
    kind: Any = kinds[0]
    when = _read_conditions(raw.get("when"), (*where, "when"), problems)
    if kind == "choice":
        choices = _read_choices(raw, where, problems)
        found = Dimension(key, path, kind, choices=choices, when=when)
    else:
        found = _read_range(key, path, kind, raw, when, problems)
    return found if len(problems) == before else None


def _read_choices(raw: Mapping[str, Any], where: Path, problems: Problems) -> tuple[Any, ...]:
    choices = raw["choice"]
    if not isinstance(choices, list) or not choices:
        problems.add((*where, "choice"), expected="a list of values", received=describe(choices))
        return ()
    for index, value in enumerate(choices):
        if value in choices[:index]:
            problems.add((*where, "choice", index), f"{describe(value)} stands there twice.")
    if "step" in raw:
        problems.add((*where, "step"), "a choice has no step.", of_key=True)
    return tuple(choices)


def _read_range(
    key: str,
    path: Path,
    kind: Any,
    raw: Mapping[str, Any],
    when: tuple[Condition, ...],
    problems: Problems,
) -> Dimension:
    where: Path = (*SPACE, key)
    whole, log = kind in ("int", "log_int"), kind in ("log_uniform", "log_int")
    bounds, step = raw[kind], raw.get("step")
    noun = "whole number" if whole else "number"
    low: float = 0
    high: float = 1
    if _is_pair(bounds, whole=whole) and bounds[0] < bounds[1] and (not log or bounds[0] > 0):
        low, high = bounds
    else:
        above = " > 0" if log else ""
        problems.add(
            (*where, kind),
            expected=f"[low, high], two {noun}s{above}, the first smaller",
            received=describe(bounds) if not isinstance(bounds, list) else str(bounds),
        )
    if "step" in raw and log:
        problems.add(
            (*where, "step"), "a logarithmic range has no step.", of_key=True, expected="no step"
        )
    elif "step" in raw and not (_is_number(step, whole=whole) and 0 < step <= high - low):
        problems.add(
            (*where, "step"),
            expected=f"a {noun} > 0 and at most high - low",
            received=describe(step),
        )
        step = None
    if step is None and kind == "int":
        step = 1
    if not whole:
        low, high, step = float(low), float(high), None if step is None else float(step)
    return Dimension(key, path, kind, low=low, high=high, step=step, when=when)


def _is_pair(bounds: Any, *, whole: bool) -> bool:
    return (
        isinstance(bounds, list)
        and len(bounds) == 2
        and all(_is_number(bound, whole=whole) for bound in bounds)
    )


def _is_number(value: Any, *, whole: bool) -> TypeGuard[float]:
    if type(value) is int:
        return True
    return not whole and isinstance(value, float) and math.isfinite(value)


def _read_conditions(raw: Any, where: Path, problems: Problems) -> tuple[Condition, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, dict) or not raw:
        problems.add(
            where,
            expected="a mapping such as {optimizer.type: sgd}",
            received=describe(raw),
        )
        return ()
    found = []
    for key, values in raw.items():
        try:
            path = parse_path(key)
        except ValueError as error:
            problems.add((*where, key), f"{str(error).removesuffix('.')}.", of_key=True)
            continue
        found.append(Condition(path, tuple(values) if isinstance(values, list) else (values,)))
    return tuple(found)


def _check_order(found: Dimension, earlier: Sequence[Dimension], problems: Problems) -> None:
    """Refuse what overwrites a dimension above it, and a condition that nothing above changes."""
    where = (*SPACE, found.key)
    for other in earlier:
        if _contains(found.path, other.path):
            same = found.path == other.path
            problems.add(
                where,
                f"it is the same value as '{other.key}'."
                if same
                else f"it would overwrite '{other.key}', which stands above it.",
                hint="" if same else f"Write '{found.key}' first.",
                of_key=True,
            )
    paths = [other.path for other in earlier]
    for condition in found.when:
        if not any(_contains(p, condition.path) or _contains(condition.path, p) for p in paths):
            name = ".".join(map(str, condition.path))
            problems.add(
                (*where, "when"),
                f"nothing above it in the space changes '{name}'.",
                hint="A condition looks at what was chosen above.",
                expected="a path that varies",
                received=f"'{name}'",
                suggestion=nearest(name, [other.key for other in earlier]),
            )


def _contains(path: Path, other: Path) -> bool:
    return other[: len(path)] == path


def _check_countable(found: Dimension, problems: Problems) -> None:
    if found.points is None:
        problems.add(
            (*SPACE, found.key),
            f"a grid can't count the values of {found.kind}.",
            hint="Write choice, int, or uniform with a step; or take another method.",
            expected="choice, int, or uniform with step",
            received=found.kind,
        )


def _check_method(
    section: SweepConfig,
    objectives: Sequence[Objective],
    dimensions: Sequence[Dimension],
    problems: Problems,
) -> None:
    if section.method == "cma_es" and len(objectives) > 1:
        problems.add(
            ("sweep", "method"),
            "cma_es takes one objective.",
            hint="nsga2 and bayesian take several.",
            expected="nsga2 or bayesian",
            received="cma_es",
        )
    ordered = [each for each in dimensions if each.kind != "choice"]
    if section.method == "cma_es" and dimensions and not ordered:
        problems.add(
            ("sweep", "method"),
            "cma_es searches ranges of numbers, and there are choices only.",
            expected="another method",
            received="cma_es",
        )


def _read_objectives(
    section: SweepConfig, config: RunConfig, problems: Problems
) -> list[Objective]:
    written = config.training.monitor if section.metric is None else section.metric
    metrics = [written] if isinstance(written, str) else list(written or [])
    directions = section.direction
    if isinstance(directions, list) and len(directions) != len(metrics):
        problems.add(
            ("sweep", "direction"),
            expected=f"{len(metrics)}, one for each metric",
            received=str(len(directions)),
        )
        directions = None
    if problems.touches(("metrics",)):  # nobody knows what an epoch produces
        return []
    found = []
    for index, metric in enumerate(metrics):
        direction: SweepDirection | None
        direction = directions[index] if isinstance(directions, list) else directions
        if direction is None:
            best = best_direction(metric, config)
            direction = "minimize" if best == "min" else "maximize"
        if metric in metrics[:index]:
            problems.add(("sweep", "metric", index), f"'{metric}' stands there twice.")
        else:
            _check_metric(metric, index, config, problems)
        found.append(Objective(metric, direction))
    return found


def _check_metric(metric: str, index: int, config: RunConfig, problems: Problems) -> None:
    """Refuse what isn't measured on validation rows: training rows choose too well."""
    written = problems.document.data.get("sweep") or {}
    path: Path = ("sweep", "metric")
    if isinstance(written, dict) and isinstance(written.get("metric"), list):
        path = (*path, index)
    names = [name for name in monitored_names(config) if name.startswith("val_")]
    if metric in names:
        return
    if not names:
        problems.add(
            path,
            "a sweep chooses by the validation rows, and there are none.",
            hint="Set dataset.validation_split above 0.",
            expected="a value of the validation rows",
            received=f"'{metric}'",
        )
    elif metric.startswith("test_"):
        problems.add(
            path,
            "the test rows choose nothing, so that they can judge.",
            hint=f"Take one of {', '.join(names)}.",
            expected=f"one of {', '.join(names)}",
            received=f"'{metric}'",
        )
    else:
        near = f"val_{metric}" if f"val_{metric}" in names else nearest(metric, names)
        problems.add(
            path,
            f"no epoch produces '{metric}' on the validation rows; there are {', '.join(names)}.",
            hint="Add it to metrics:.",
            expected=f"one of {', '.join(names)}",
            received=f"'{metric}'",
            suggestion=near,
        )
