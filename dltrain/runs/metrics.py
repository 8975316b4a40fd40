"""Which final numbers does a run record, and how are they laid out?

{"format": 1,
 "data": "real", or "subset" or "stand-in": the numbers of a smoke run mean nothing,
 "training": {"best_epoch", "epochs"},                 best_epoch: from 1; 0: none was finished
 "diagnosis": {"kind", "sentence", "suggestions": [{"text", "line"}, ...]}    what the curves say
 "splits": {"test": {... what evaluation returns ..., "baseline": {...}},
            "validation": {...}}}

No time stands in it: runs of the same config and seed have the same file, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltrain.errors import RunError
from dltrain.runs.atomic import write_json
from dltrain.runs.records import read_record
from dltrain.runs.status import DataKind

FORMAT = 1

# The split whose number stands for the run; the next one if a dataset has no test split.
_HEADLINE_SPLITS = ("test", "validation", "train")


def write_metrics(
    path: Path,
    splits: Mapping[str, Mapping[str, Any]],
    *,
    data: DataKind = "real",
    training: Mapping[str, int] | None = None,
    diagnosis: Mapping[str, Any] | None = None,
) -> None:
    """Replace `path` (a run's metrics.json) by `splits`: split → scores, with their "baseline"."""
    document: dict[str, Any] = {"data": data, "training": training or {}}
    if diagnosis is not None:
        document["diagnosis"] = diagnosis
    document["splits"] = splits
    write_json(path, {"format": FORMAT, **document})


def read_metrics(path: Path) -> dict[str, dict[str, Any]]:
    """Return split → scores. Raises RunError if the file is missing, damaged or too new."""
    record = read_metrics_record(path)
    splits = record.get("splits")
    if not isinstance(splits, dict) or not all(isinstance(item, dict) for item in splits.values()):
        raise RunError(f"{path} is damaged: splits: expected a mapping of split to numbers.")
    return splits


def read_metrics_record(path: Path) -> dict[str, Any]:
    """Return all that the file holds. Raises RunError as `read_metrics` does."""
    return read_record(
        path, format_number=FORMAT, missing="The run has not come to its evaluation."
    )


def find_headline(splits: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, float] | None:
    """Return (split, metric, value) of the number that stands for the run, or None."""
    for split in _HEADLINE_SPLITS:
        scores = splits.get(split, {})
        metric = scores.get("headline")
        number = scores.get(metric) if isinstance(metric, str) else None
        value = number.get("value") if isinstance(number, dict) else None
        if isinstance(metric, str) and isinstance(value, int | float):
            return split, metric, float(value)
    return None
