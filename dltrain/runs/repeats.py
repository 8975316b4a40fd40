"""What did the repeats of a run, one a seed, give together? repeats.json, beside repeats/1/ 2/ …

{"format": 1, "goal": n, "done": n, "seed": the first one's,
 "repeats": [{"repeat", "seed", "run": "repeats/1", "state", "reason", "stopped_by", "epochs",
              "best_epoch", "train_seconds"}, ...],     state: as `dltrain runs` has it, or "to do"
 "splits": {"test": {... as in metrics.json, and where a number stood there, SPREAD ...}}}

SPREAD is {"mean", "std", "min", "max", "values"}: over the repeats that are done, in their order.
`std` is the sample standard deviation, with n - 1 (null for one value). It tells how a number
varies from training to training on the same test rows; how it would vary with other rows, the
intervals in each repeat's own metrics.json tell. No interval of the mean is given: with the usual
three to five repeats it rests on normality alone, and would be read as one over other rows, too.
A number that is undefined in one of the repeats has no mean: null.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.errors import RunError, UsageError
from dltrain.runs.atomic import write_json
from dltrain.runs.history import read_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics_record
from dltrain.runs.records import read_record
from dltrain.runs.status import is_stale, read_status

FORMAT = 1

# What of a split's scores isn't averaged: it belongs to single trainings.
_LEFT_OUT = ("per_class", "confusion_matrix", "classes")

TO_DO = "to do"


def holds_repeats(paths: RunPaths) -> bool:
    """Tell whether the run is one of repeats, which has no model of its own."""
    return paths.repeats.is_file()


def find_repeats(paths: RunPaths) -> list[RunPaths]:
    """Return the repeats that have a directory, in their order; [] of a run without repeats."""
    found: list[RunPaths] = []
    while (child := paths.repeat(len(found) + 1)).root.is_dir():
        found.append(child)
    return found


def refuse_repeats(paths: RunPaths, *, doing: str) -> None:
    """Raise RunError for a run of repeats where one training is asked for; `doing` names what."""
    if holds_repeats(paths):
        raise RunError(
            f"{paths.root} holds repeats, and no model of its own: it can't be {doing}.",
            hint=f"Take one of them, such as {paths.repeat(1).root}; `dltrain show {paths.root}` "
            "lists them.",
        )


def write_repeats(paths: RunPaths, *, goal: int, seed: int) -> dict[str, Any]:
    """Write what the repeats of the run in `paths` have given so far; return it."""
    document = gather_repeats(paths, goal=goal, seed=seed)
    write_json(paths.repeats, document)
    return document


def read_repeats(paths: RunPaths) -> dict[str, Any]:
    """Return what repeats.json holds. Raises RunError if it is missing, damaged or too new."""
    record = read_record(paths.repeats, format_number=FORMAT)
    for key in ("goal", "done", "seed"):
        if type(record.get(key)) is not int:
            raise RunError(
                f"{paths.repeats} is damaged: {key}: expected a whole number, received "
                f"{record.get(key)!r}."
            )
    if not isinstance(record.get("repeats"), list) or not isinstance(record.get("splits"), dict):
        raise RunError(f"{paths.repeats} is damaged: it lists no repeats.")
    return record


def find_goal(paths: RunPaths, asked: int | None) -> int:
    """Return how many repeats a run that goes on shall have: as before, or more if `asked`.

    Raises UsageError if fewer are asked for, RunError if repeats.json can't be read.
    """
    goal: int = read_repeats(paths)["goal"]
    if asked is not None and asked < goal:
        raise UsageError(
            f"--repeats {asked}: {paths.root} was begun with {goal}.",
            hint="Leave --repeats out to go on with them, or ask for more.",
        )
    return asked or goal


def gather_repeats(paths: RunPaths, *, goal: int, seed: int) -> dict[str, Any]:
    """Return the form of repeats.json, read anew from the directories of the repeats."""
    rows, scores = [], []
    for number in range(1, goal + 1):
        row, splits = _read_repeat(paths.repeat(number), number, seed + number - 1)
        rows.append(row)
        if row["state"] == "finished":
            scores.append(splits)
    return {
        "format": FORMAT,
        "goal": goal,
        "done": len(scores),
        "seed": seed,
        "repeats": rows,
        "splits": average_splits(scores),
    }


def _read_repeat(
    child: RunPaths, number: int, seed: int
) -> tuple[dict[str, Any], Mapping[str, Mapping[str, Any]]]:
    row: dict[str, Any] = {
        "repeat": number,
        "seed": seed,
        "run": str(child.root.relative_to(child.root.parent.parent)),
        "state": TO_DO,
        "reason": "",
        "stopped_by": None,
        "epochs": 0,
        "best_epoch": None,
        "train_seconds": None,
    }
    if not child.status.is_file():
        return row, {}
    try:
        status = read_status(child.status)
        row["state"] = "killed" if is_stale(status) else status.state
        row |= {"reason": status.reason, "stopped_by": status.stopped_by}
        row["epochs"] = status.epochs_done
        if status.state != "finished":
            return row, {}
        record = read_metrics_record(child.metrics)
        epochs = read_history(child.history)
    except RunError as error:
        return {**row, "state": "damaged", "reason": error.message}, {}
    row["best_epoch"] = (record.get("training") or {}).get("best_epoch")
    row["train_seconds"] = round(sum(epoch.get("seconds", 0.0) for epoch in epochs), 3)
    return row, record.get("splits") or {}


def average_splits(scores: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return split → the numbers of all `scores` (one a repeat) as SPREAD; {} without any."""
    if not scores:
        return {}
    shared = [split for split in scores[0] if all(split in each for each in scores)]
    return {split: _average([each[split] for each in scores]) for split in shared}


def _average(scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, first in scores[0].items():
        if key in _LEFT_OUT:
            continue
        beside = [each.get(key) for each in scores]
        if isinstance(first, Mapping) and "value" in first:
            found[key] = spread([(each or {}).get("value") for each in beside])
        elif isinstance(first, Mapping):
            found[key] = _average([each or {} for each in beside])
        elif all(each == first for each in beside):
            found[key] = first
    return found


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean, sample standard deviation, smallest and largest of `values`."""
    known = [value for value in values if value is not None]
    is_known = len(known) == len(values) > 0
    return {
        "mean": statistics.fmean(known) if is_known else None,
        "std": statistics.stdev(known) if is_known and len(known) > 1 else None,
        "min": min(known) if is_known else None,
        "max": max(known) if is_known else None,
        "values": list(values),
    }


def find_mean_headline(splits: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Return (split, metric, SPREAD) of the number that stands for the repeats, or None."""
    for split in ("test", "validation", "train"):
        scores = splits.get(split, {})
        metric = scores.get("headline")
        number = scores.get(metric)
        if isinstance(number, dict) and number.get("mean") is not None:
            return split, metric, number
    return None
