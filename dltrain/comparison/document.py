"""How is a comparison written for programs? As a JSON document, and as rows of CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from dltrain.comparison.config_rows import tabulate_configs
from dltrain.comparison.result import ALPHA, Change, ComparedRun, Comparison
from dltrain.config.compare import Difference


def to_document(comparison: Comparison) -> dict[str, Any]:
    """Return the JSON-able document of `dltrain compare --json`: docs/schemas/compare.json."""
    return {
        "baseline": comparison.first.label,
        "split": comparison.split,
        "tested": list(comparison.tested),
        "correction": {
            "method": "holm",
            "comparisons": comparison.comparisons,
            "alpha": ALPHA,
        },
        "resamples": comparison.resamples,
        "runs": [_describe_run(run, comparison) for run in comparison.runs],
    }


def _describe_run(run: ComparedRun, comparison: Comparison) -> dict[str, Any]:
    contents = run.contents
    differences = run.config_differences
    return {
        "run": run.label,
        "path": str(contents.paths.root),
        "status": contents.state,
        "data": contents.data,
        "rows": run.rows,
        "metrics": {
            name: _describe_metric(number, run.changes.get(name))
            for name, number in run.values.items()
        },
        "cost": {
            "best_epoch": contents.best_epoch,
            "epochs": contents.epochs,
            "train_seconds": contents.train_seconds,
            "parameters": contents.parameters,
            "model_bytes": contents.model_bytes,
        },
        "config_differences": None if differences is None else [*map(_describe, differences)],
        "data_difference": run.data_difference,
        "problems": list(contents.problems),
        "left_out": list(run.left_out),
    }


def _describe_metric(number: Any, change: Change | None) -> dict[str, Any]:
    described = {key: number.get(key) for key in ("value", "low", "high")}
    if change is None:
        return {**described, "change": None}
    return {
        **described,
        "change": {
            "difference": change.difference,
            "low": change.low,
            "high": change.high,
            "test": change.test,
            "p": change.p,
            "adjusted_p": change.adjusted_p,
            "more_than_chance": change.more_than_chance,
            "only_baseline_right": change.only_baseline,
            "only_this_right": change.only_this,
        },
    }


def _describe(difference: Difference) -> dict[str, Any]:
    return {
        "change": difference.change,
        "key_baseline": difference.first_key,
        "key": difference.second_key,
        "baseline": difference.first,
        "value": difference.second,
    }


def to_csv(comparison: Comparison) -> str:
    """Return a table with a row a run: its metrics, their tests, its cost, and what differs.

    The columns of a config's key are named `config.KEY`; a cell is empty where there is nothing.
    """
    configs = tabulate_configs(comparison.runs)
    rows = [
        _list_cells(run, comparison) | {f"config.{row.key}": row.values[place] for row in configs}
        for place, run in enumerate(comparison.runs)
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    # Keys of configs last, whichever run brought them.
    columns.sort(key=lambda name: name.startswith("config."))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _list_cells(run: ComparedRun, comparison: Comparison) -> dict[str, Any]:
    contents = run.contents
    cells: dict[str, Any] = {
        "run": run.label,
        "baseline": "yes" if run is comparison.first else "no",
        "status": contents.state,
        "split": comparison.split,
        "rows": run.rows,
    }
    for name in comparison.metrics:
        change = run.changes.get(name)
        cells[name] = run.value(name)
        cells[f"{name}.difference"] = change and change.difference
        if name in comparison.tested:
            for key in ("low", "high", "p", "adjusted_p"):
                cells[f"{name}.difference.{key}"] = change and getattr(change, key)
    return cells | {
        "best_epoch": contents.best_epoch,
        "epochs": contents.epochs,
        "train_seconds": contents.train_seconds,
        "parameters": contents.parameters,
        "model_bytes": contents.model_bytes,
    }
