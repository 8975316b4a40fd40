"""What must a run reach, and did it? `--require "test.accuracy>=0.98"`.

A requirement is NAME COMPARISON NUMBER. NAME is a fact of the run (`train.seconds`, `seconds`,
`epochs`, `best_epoch`) or SPLIT.METRIC, where METRIC is the path of a number in metrics.json:

    test.accuracy   test.f1.weighted   test.log_loss   validation.r2   test.rows
    test.f1               the same as test.f1.macro
    test.accuracy.low     the lower end of the 95% interval; .high is the upper one
    test.recall[cat]      of one class: precision, recall, f1, auc_roc, support or predicted
"""

from __future__ import annotations

import math
import operator
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dltrain.catalog.suggest import nearest
from dltrain.config.reading import resolve_scalar
from dltrain.errors import RequirementError, UsageError

Number = int | float

SPLITS = ("train", "validation", "test")

# Seconds of training, seconds of the whole command, epochs trained, the best of them (from 1).
FACTS = ("train.seconds", "seconds", "epochs", "best_epoch")

COMPARISONS: Mapping[str, Callable[[Number, Number], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}

_AVERAGED = ("precision", "recall", "f1")
_AVERAGES = [f"{name}.{kind}" for name in _AVERAGED for kind in ("macro", "weighted")]

# The numbers of metrics.json that have a value and an interval, by the task.
_NUMBERS = {
    "classification": ("accuracy", *_AVERAGES, "auc_roc.macro", "log_loss"),
    "regression": ("mse", "mae", "rmse", "r2"),
}
_TWO_CLASS_NUMBERS = tuple(f"binary.{name}" for name in _AVERAGED)
_CLASS_NUMBERS = (*_AVERAGED, "auc_roc", "support", "predicted")

# What stands for the average that `metrics: [f1]` computes in training.
_SHORT = {name: f"{name}.macro" for name in (*_AVERAGED, "auc_roc")}

_AT_MOST_ONE = ("accuracy", "precision", "recall", "f1", "auc_roc", "binary", "r2")

# A class name in brackets may hold anything, comparisons too.
_FORM = re.compile(r"\s*([^\[\]<>=!]*(?:\[.*\])?)\s*([<>=!]+)\s*(.*?)\s*", re.DOTALL)
_OF_CLASS = re.compile(r"(\w+)\[(.*)\]", re.DOTALL)

_SIMILAR = {"=": "==", "=>": ">=", "=<": "<=", "!=": "=="}
_SPLIT_WORDS = {"val": "validation", "training": "train"} | {split: split for split in SPLITS}
_SPLIT_PREFIX = re.compile(f"^({'|'.join(_SPLIT_WORDS)})[._]")


@dataclass(frozen=True)
class Requirement:
    """What is wanted of a run: `name` compared with `wanted`; `text` is what was written."""

    text: str
    name: str
    comparison: str
    wanted: Number

    @property
    def split(self) -> str | None:
        """Return the split that must be scored for it, or None for a fact of the run."""
        return None if self.name in FACTS else self.name.partition(".")[0]

    @property
    def metric(self) -> str:
        """Return what of the split is meant: `f1.macro`, `recall[cat]`."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class RequirementResult:
    """What came of a requirement; `got` is None where there is no such number, or a NaN."""

    requirement: Requirement
    got: Number | None
    met: bool


def parse_requirement(text: str) -> Requirement:
    """Read `NAME COMPARISON NUMBER`; spaces don't count. Raises UsageError."""
    where = f"--require '{text}'"
    match = _FORM.fullmatch(text)
    if match is None or not match[1].strip() or not match[3]:
        raise UsageError(
            f"{where}: expected a name, a comparison and a number.",
            hint='Write it in quotes, or the shell takes > and < for itself: --require "'
            'test.accuracy>=0.98".',
        )
    name, comparison, number = match[1].strip(), match[2], match[3]
    if comparison not in COMPARISONS:
        near = _SIMILAR.get(comparison)
        raise UsageError(
            f"{where}: expected one of {', '.join(COMPARISONS)}, received '{comparison}'.",
            hint=f"Did you mean '{near}'?" if near else "",
        )
    return Requirement(text, name, comparison, _read_number(number, where))


def _read_number(text: str, where: str) -> Number:
    """Return a YAML 1.2 number, or raise UsageError."""
    try:
        value = resolve_scalar(text)
    except ValueError as error:
        raise UsageError(f"{where}: {error}.") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        share = text.removesuffix("%").strip()
        is_percent = share != text and isinstance(resolve_scalar(share), int | float)
        raise UsageError(
            f"{where}: expected a number, received '{text}'.",
            hint=f"Write {float(share) / 100:g} for {text}." if is_percent else "",
        )
    return value


def needed_splits(requirements: Iterable[Requirement]) -> frozenset[str]:
    """Return the splits whose scores the requirements speak of."""
    return frozenset(one.split for one in requirements if one.split is not None)


def check_requirement_names(
    requirements: Iterable[Requirement],
    *,
    task: Literal["classification", "regression"],
    class_names: Sequence[str],
    splits: Iterable[str],
    facts: Sequence[str] = FACTS,
) -> None:
    """Raise UsageError for the first requirement that no run of this config could answer.

    `splits` are those that have rows, `facts` those that the command knows.
    """
    present = [split for split in SPLITS if split in set(splits)]
    for requirement in requirements:
        _check_name(requirement, task, class_names, present, facts)
        _check_range(requirement)


def list_metrics(
    task: Literal["classification", "regression"], class_names: Sequence[str]
) -> list[str]:
    """Return the name of every number that metrics.json has of a split."""
    names = [*_NUMBERS[task]]
    if len(class_names) == 2:
        names += _TWO_CLASS_NUMBERS
    ends = [f"{name}.{end}" for name in names for end in ("low", "high")]
    of_classes = [f"{number}[{name}]" for name in class_names for number in _CLASS_NUMBERS]
    return [*names, *ends, "rows", *of_classes]


def _check_name(
    requirement: Requirement,
    task: Literal["classification", "regression"],
    class_names: Sequence[str],
    splits: Sequence[str],
    facts: Sequence[str],
) -> None:
    name, where = requirement.name, f"--require '{requirement.text}'"
    if name in facts:
        return
    metrics = list_metrics(task, class_names)
    if name in FACTS:
        raise UsageError(f"{where}: '{name}' is known where a model is trained, by dltrain fit.")
    split, _, metric = name.partition(".")
    is_metric = _expand(metric) in metrics
    if split in SPLITS and is_metric:
        if split in splits:
            return
        raise UsageError(
            f"{where}: there are no {split} rows.",
            hint=f"There are numbers of {' and '.join(splits)}.",
        )
    near = _find_nearest(name, metrics, splits, facts)
    main = [one for one in metrics if "[" not in one and not one.endswith((".low", ".high"))]
    raise UsageError(
        f"{where}: there is no number '{name}'.",
        hint=f"Did you mean '{near}'?"
        if near
        else f"There are {', '.join(facts)}, and of {', '.join(splits)}: {', '.join(main)}.",
    )


def _find_nearest(
    name: str, metrics: Sequence[str], splits: Sequence[str], facts: Sequence[str]
) -> str | None:
    """Return the valid name most like `name`, also for `accuracy`, and `val_f1` of history.csv."""
    names = [*metrics, *(short for short, whole in _SHORT.items() if whole in metrics)]
    if not _SPLIT_PREFIX.match(name):
        near = name if name in names else nearest(name, names)
        if near is not None:  # only the split is missing
            return f"{'test' if 'test' in splits else splits[-1]}.{near}"
    spelt = _SPLIT_PREFIX.sub(lambda found: f"{_SPLIT_WORDS[found[1]]}.", name)
    return nearest(spelt, [*(f"{split}.{one}" for split in splits for one in names), *facts])


def _check_range(requirement: Requirement) -> None:
    """Refuse `test.accuracy>=98`: it would cost a training to see that nothing reaches it."""
    metric = re.split(r"[.\[]", requirement.metric)[0]
    if requirement.split is None or metric not in _AT_MOST_ONE:
        return
    wanted, comparison = requirement.wanted, requirement.comparison
    if (comparison in (">=", "==") and wanted > 1) or (comparison == ">" and wanted >= 1):
        raise UsageError(
            f"--require '{requirement.text}': {requirement.name} is at most 1, so this can't be "
            "met.",
            hint=f"Did you mean {wanted / 100:g}?" if 1 < wanted <= 100 else "",
        )


def check_requirements(
    requirements: Iterable[Requirement],
    *,
    scores: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Number | None],
) -> list[RequirementResult]:
    """Compare each requirement with what a run gave; a number that is missing or NaN is not met.

    `scores` are by split, as metrics.json has them; `facts` by the names in FACTS.
    """
    results = []
    for requirement in requirements:
        split = requirement.split
        if split is None:
            got = facts.get(requirement.name)
        else:
            got = find_number(scores.get(split, {}), requirement.metric)
        if got is not None and math.isnan(got):
            got = None
        compare = COMPARISONS[requirement.comparison]
        met = got is not None and compare(got, requirement.wanted)
        results.append(RequirementResult(requirement, got, met))
    return results


def average_results(
    repeats: Sequence[Sequence[RequirementResult]],
) -> list[RequirementResult]:
    """Return what came of each requirement on the mean of what all `repeats` (at least one) got.

    A number that one of them lacks has no mean, and isn't met.
    """
    results = []
    for beside in zip(*repeats, strict=True):
        requirement = beside[0].requirement
        known = [result.got for result in beside if result.got is not None]
        got = statistics.fmean(known) if len(known) == len(beside) else None
        compare = COMPARISONS[requirement.comparison]
        met = got is not None and compare(got, requirement.wanted)
        results.append(RequirementResult(requirement, got, met))
    return results


def find_number(scores: Mapping[str, Any], metric: str) -> Number | None:
    """Return the number that `metric` names in the scores of a split, or None."""
    of_class = _OF_CLASS.fullmatch(metric)
    found: Any = scores
    if of_class:
        rows = {row["class"]: row for row in scores.get("per_class", ())}
        found = rows.get(of_class[2], {}).get(of_class[1])
    else:
        for key in _expand(metric).split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            found = found.get("value")
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return found if is_number else None


def _expand(metric: str) -> str:
    """Return `f1.macro.low` for `f1.low`: the path in metrics.json."""
    head, _, rest = metric.partition(".")
    if head in _SHORT and rest in ("", "low", "high"):
        return f"{_SHORT[head]}.{rest}" if rest else _SHORT[head]
    return metric


def describe_results(results: Iterable[RequirementResult]) -> list[dict[str, Any]]:
    """Return the JSON-able form of what came of the requirements."""
    return [
        {
            "name": result.requirement.name,
            "comparison": result.requirement.comparison,
            "wanted": result.requirement.wanted,
            "got": result.got,
            "met": result.met,
        }
        for result in results
    ]


def raise_if_unmet(results: Sequence[RequirementResult], *, run: Path) -> None:
    """Raise RequirementError if a requirement is not met; it names each with what was got."""
    unmet = [result for result in results if not result.met]
    if not unmet:
        return
    listed = ", ".join(
        f"{result.requirement.text.strip()} (got {format_got(result)})" for result in unmet
    )
    raise RequirementError(
        f"{len(unmet)} of {len(results)} requirement{'' if len(results) == 1 else 's'} "
        f"not met: {listed}.",
        hint=f"The run itself is whole: {run}",
    )


def format_got(result: RequirementResult) -> str:
    """Return six digits of what was got, or all of them where six would look as if it were met."""
    if result.got is None:
        return "nothing"
    short = f"{result.got:.6g}"
    compare = COMPARISONS[result.requirement.comparison]
    same = compare(float(short), result.requirement.wanted) == result.met
    return short if same else repr(result.got)
