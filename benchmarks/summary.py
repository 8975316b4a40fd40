"""What do the measurements come to? Ratios, their spread, and accuracies beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median, stdev
from typing import Any

from works import MEMORY_GOAL, WORKS

QUANTITIES = ("steady_epoch_seconds", "seconds", "peak_memory_bytes")


def summarize(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each work and script the medians, the ratios dltrain / script, and the accuracies.

    A ratio is the median of the ratios of the pairs, not the ratio of two medians.
    """
    summaries = []
    for work, side in dict.fromkeys((record["work"], record["side"]) for record in records):
        pairs = _pairs(records, work, side)
        if side == "dltrain" or not pairs:
            continue
        summary: dict[str, Any] = {"work": work, "script": side, "pairs": len(pairs)}
        for name in QUANTITIES:
            ratios = [own[name] / other[name] for own, other in pairs]
            summary[name] = {
                "dltrain": median(own[name] for own, _ in pairs),
                "script": median(other[name] for _, other in pairs),
                "ratio": round(median(ratios), 4),
                "lowest": round(min(ratios), 4),
                "highest": round(max(ratios), 4),
            }
        summary["test_accuracy"] = {
            "dltrain": _spread([own["test_accuracy"] for own, _ in pairs]),
            "script": _spread([other["test_accuracy"] for _, other in pairs]),
            "difference": _spread(
                [own["test_accuracy"] - other["test_accuracy"] for own, other in pairs]
            ),
        }
        summaries.append(summary)
    return summaries


def _pairs(
    records: Sequence[dict[str, Any]], work: str, side: str
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    of_side = {
        name: {r["pair"]: r for r in records if r["work"] == work and r["side"] == name}
        for name in ("dltrain", side)
    }
    shared = sorted(of_side["dltrain"].keys() & of_side[side].keys())
    return [(of_side["dltrain"][pair], of_side[side][pair]) for pair in shared]


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Return the mean, and the standard deviation of one value (0 for a single one)."""
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(mean(values), 5), "deviation": round(deviation, 5)}


def make_table(summaries: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table: ratios with their goals, then the accuracies."""
    lines = [
        "| work | script | steady epoch | whole process | peak memory "
        "| accuracy, dltrain | accuracy, script |",
        "|---|---|---|---|---|---|---|",
    ]
    for summary in summaries:
        work = WORKS[summary["work"]]
        goals: tuple[float | None, ...] = (work.steady_goal, work.whole_goal, MEMORY_GOAL)
        if summary["script"] != "keras":
            goals = (None, None, None)
        cells = [summary["work"], summary["script"]]
        cells += [
            _show(summary[name], goal, 2**20 if name == "peak_memory_bytes" else 1)
            for name, goal in zip(QUANTITIES, goals, strict=True)
        ]
        accuracy = summary["test_accuracy"]
        cells += [
            f"{accuracy[name]['mean']:.4f} ± {accuracy[name]['deviation']:.4f}"
            for name in ("dltrain", "script")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _show(numbers: dict[str, float], goal: float | None, unit: float) -> str:
    unit_name = "s" if unit == 1 else "MiB"
    digits = 2 if unit == 1 else 0
    wanted = "" if goal is None else f" (≤ {goal:g}: {'yes' if numbers['ratio'] <= goal else 'NO'})"
    own, other = numbers["dltrain"] / unit, numbers["script"] / unit
    return f"**{numbers['ratio']:.2f}**{wanted}, {own:.{digits}f} / {other:.{digits}f} {unit_name}"
