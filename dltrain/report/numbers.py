"""How are numbers, times and sizes written on a page?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dltrain.evaluation.shown_metrics import METRICS, format_value, look_up


@dataclass(frozen=True)
class Row:
    """Hold one metric as the page prints it; `chief` marks the one that stands for the run."""

    label: str
    value: str
    interval: str
    baseline: str
    chief: bool


def list_metrics(scores: Mapping[str, Any]) -> list[Row]:
    """Return a row for each metric that a split's `scores` have."""
    baseline = scores.get("baseline") or {}
    rows = []
    for label, path in METRICS.items():
        number = look_up(scores, path)
        if number is None:
            continue
        beside = look_up(baseline, path)
        rows.append(
            Row(
                label=label,
                value=format_value(number.get("value")),
                interval=format_interval(number),
                baseline="" if beside is None else format_value(beside.get("value")),
                chief=path[0] == scores.get("headline"),
            )
        )
    return rows


def format_interval(number: Mapping[str, Any]) -> str:
    """Return `0.9712 – 0.9766`, with spaces that don't break; "" where there is no interval."""
    if number.get("low") is None or number.get("high") is None:
        return ""
    low, high = format_value(number["low"]), format_value(number["high"])
    return f"{low}\N{NO-BREAK SPACE}–\N{NO-BREAK SPACE}{high}"


def format_duration(seconds: float | None) -> str:
    """Return a time in two units: `5.3 s`, `2 min 05 s`, `3 h 12 min`."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    if seconds < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_time(iso: str) -> str:
    """Return a UTC time of a record as `2026-11-25 00:34 UTC`."""
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC"


def format_bytes(count: int | None) -> str:
    """Return a size of memory in GB, 10⁹ bytes."""
    return "unknown" if count is None else f"{count / 1e9:.1f} GB"
