"""What does the page of a run say? Everything the templates print, made of the run's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dltrain
from dltrain.evaluation.shown_metrics import format_value, look_up
from dltrain.report.charts import Chart
from dltrain.report.confusion import make_confusion
from dltrain.report.explained import read_explained
from dltrain.report.gallery import read_gallery
from dltrain.report.numbers import (
    format_bytes,
    format_duration,
    format_interval,
    format_time,
    list_metrics,
)
from dltrain.report.page import render_page
from dltrain.report.run_charts import chart_classes, chart_history, chart_regression
from dltrain.runs.atomic import write_text
from dltrain.runs.contents import RunContents
from dltrain.runs.metrics import find_headline

_METRIC_NAMES = {"accuracy": "accuracy", "r2": "R²", "rmse": "RMSE", "mae": "MAE", "mse": "MSE"}


@dataclass(frozen=True)
class Headline:
    """Hold the number that stands for the run, as it is printed."""

    split: str
    metric: str
    value: str
    interval: str
    baseline: str
    baseline_kind: str
    rows: int


def write_report(contents: RunContents, *, output: Path | None = None) -> Path:
    """Write the page of a run to `output` (default: its report.html), and return the path.

    Whatever can't be read is left out, and named on the page: `contents.problems`. Raises
    MachineError if the disk is full or the place can't be written.
    """
    path = output or contents.paths.report
    write_text(path, make_report(contents))
    return path


def make_report(contents: RunContents) -> str:
    """Return the page of a run as HTML."""
    headline = _find_headline(contents.splits)
    split = headline.split if headline else next(iter(contents.splits), "")
    scores = contents.splits.get(split, {})
    history = chart_history(contents.history, contents.best_epoch)
    prediction_charts = _chart_predictions(contents, split)
    warnings = contents.warnings or {"check": [], "training": []}
    gallery = read_gallery(contents.mistakes or {}, scores.get("classes", ()))
    values = {
        "run": contents.paths.label,
        "headline": headline,
        "state": contents.state,
        "status": contents.status,
        "data": contents.data,
        "facts": _list_facts(contents),
        "split": split,
        # The one that counts first.
        "splits": [
            (name, each["rows"], list_metrics(each))
            for name, each in sorted(contents.splits.items(), key=lambda item: item[0] != split)
        ],
        "per_class": scores.get("per_class", []),
        "positive_class": scores.get("binary", {}).get("positive_class"),
        "history": history,
        "diagnosis": contents.diagnosis,
        "test_uses": contents.test_uses.sentence if contents.test_uses else "",
        "prediction_charts": prediction_charts,
        "confusion": make_confusion(scores),
        "mistakes": contents.mistakes,
        "explained": read_explained(contents),
        "gallery": gallery,
        "cells_shown": {(one.true_class, one.predicted_class) for one in gallery},
        "model": contents.model_table,
        "warnings": warnings,
        "warned": len(warnings["check"]) + len(warnings["training"]),
        "source": contents.source_text,
        "config": contents.config_text,
        "environment": contents.environment,
        "machine": _list_machine(contents.environment),
        "environment_text": json.dumps(contents.environment, indent=2, ensure_ascii=False),
        "version": dltrain.__version__,
    }
    return render_page(
        "run.html",
        title=f"{contents.paths.label} · dltrain",
        charts=[*history, *prediction_charts],
        scripts=["run.js"],
        # Last: only now has every file been asked for.
        problems=contents.problems,
        **values,
    )


def _find_headline(splits: Mapping[str, Mapping[str, Any]]) -> Headline | None:
    found = find_headline(splits)
    if found is None:
        return None
    split, metric, value = found
    scores = splits[split]
    baseline = scores.get("baseline") or {}
    beside = look_up(baseline, (metric,))
    return Headline(
        split=split,
        metric=_METRIC_NAMES.get(metric, metric),
        value=format_value(value),
        interval=format_interval(scores[metric]),
        baseline="" if beside is None else format_value(beside.get("value")),
        baseline_kind=str(baseline.get("kind", "")),
        rows=scores["rows"],
    )


def _chart_predictions(contents: RunContents, split: str) -> list[Chart]:
    """Return the charts of what was predicted; none of a run that hasn't come to it."""
    if not split:
        return []
    predictions = contents.predictions(split)
    if predictions is None:
        return []
    if predictions.task == "regression":
        return chart_regression(predictions, split=split)
    return chart_classes(predictions, split=split)


def _list_facts(contents: RunContents) -> list[tuple[str, str]]:
    """Return what, when, how long and on which data, each with its label; what is known of it."""
    environment, status = contents.environment or {}, contents.status
    facts: list[tuple[str, str]] = []
    if name := (environment.get("dataset") or {}).get("name"):
        facts.append(("Dataset", str(name)))
    if rows := environment.get("rows"):
        facts.append(("Rows", ", ".join(f"{count:,} {split}" for split, count in rows.items())))
    if contents.model_table:
        facts.append(("Parameters", f"{contents.model_table['parameters']:,}"))
    if status is not None:
        best = f", best {contents.best_epoch}" if contents.best_epoch else ""
        facts.append(("Epochs", f"{status.epochs_done} of {status.epochs_goal}{best}"))
    if contents.train_seconds is not None:
        facts.append(("Training took", format_duration(contents.train_seconds)))
    if status is not None:
        facts.append(("Started", format_time(status.started_at)))
    if device := (environment.get("device") or {}).get("name"):
        facts.append(("Device", str(device)))
    if "seed" in environment:
        facts.append(("Seed", str(environment["seed"])))
    return facts


def _list_machine(environment: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return the lines of the environment's table."""
    if not environment:
        return []
    get = environment.get
    lines = [
        ("Command", get("command_line")),
        ("Python", get("python")),
        *((str(name), version) for name, version in (get("packages") or {}).items()),
        ("Platform", get("platform")),
        ("Processor", f"{get('cpu')}, {get('usable_cpu_count')} of {get('cpu_count')} cores"),
        ("Memory", format_bytes(get("memory_bytes"))),
        ("Host", get("host")),
    ]
    if git := get("git"):
        changed = ", with changes" if git.get("dirty") else ""
        lines.append(("Git commit", f"{git.get('commit')}{changed}"))
    return [(label, str(value)) for label, value in lines if value]
