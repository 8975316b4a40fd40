"""How are thresholds, slices and fairness laid out for a person? Within 80 columns, as `table`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dltrain.evaluation.shown_metrics import format_value
from dltrain.evaluation.slices import FEW_ROWS
from dltrain.evaluation.table import format_interval, make_plain_table

# Groups of a table; of more, the worst are shown.
_MOST_SHOWN = 20

_CHANCE = 0.05

_UNDEFINED = "undef."
_WHY_UNDEFINED = f"{_UNDEFINED}: no such number, since the group has no rows to compute it from"

_NAMES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "f1_macro": "F1 (macro)",
    "specificity": "specificity",
    "false_positive_rate": "false positive rate",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
}
_SHORT = {
    "f1_macro": "F1\nmacro",
    "precision": "preci-\nsion",
    "false_positive_rate": "false\npos.",
}
_CELLS = ("true negatives", "false positives", "false negatives", "true positives")


def make_threshold_table(threshold: Mapping[str, Any]) -> Table:
    """Return the numbers at the threshold beside those at 0.5."""
    table = make_plain_table(title=f"threshold: {_name_threshold(threshold)}")
    at, half = threshold["at_threshold"], threshold["at_half"]
    table.add_column("metric", no_wrap=True)
    for label in (f"{threshold['value']:.6g}", "0.5"):
        table.add_column(f"at {label}", justify="right", no_wrap=True)
        table.add_column("95% interval", no_wrap=True)
    for name in ("accuracy", "precision", "recall", "f1", "specificity"):
        cells = [
            cell
            for side in (at, half)
            for cell in (format_value(side[name]["value"]), format_interval(side[name]))
        ]
        table.add_row(_NAMES[name], *cells)
    table.add_section()
    pairs = [[cell for row in side["confusion_matrix"] for cell in row] for side in (at, half)]
    for name, one, other in zip(_CELLS, *pairs, strict=True):
        table.add_row(name, f"{one:,}", "", f"{other:,}", "")
    table.caption = _explain_threshold(threshold)
    table.caption_justify = "left"
    return table


def _name_threshold(threshold: Mapping[str, Any]) -> str:
    chosen = threshold["chosen_on"]
    if chosen is None:
        return f"{threshold['value']:.6g}, as given"
    return (
        f"{threshold['value']:.6g}, by {threshold['rule']} on the {chosen['rows']:,} rows of "
        f"{chosen['split']}"
    )


def _explain_threshold(threshold: Mapping[str, Any]) -> Text:
    name = threshold["positive_class"]
    text = f"A row is called '{name}' if that has at least this probability."
    chosen = threshold["chosen_on"]
    if chosen is not None:
        known = ", ".join(
            f"{_NAMES[metric]} {format_value(chosen[metric])}"
            for metric in ("precision", "recall", "f1", "specificity")
        )
        text += f"\nOn {chosen['split']}, where it was chosen: {known}."
    return Text(text)


def make_slice_table(part: Mapping[str, Any]) -> Table:
    """Return a row a group: its size and its numbers, the first with its interval."""
    metrics, groups = part["metrics"], part["groups"]
    first = metrics[0]
    table = _begin_groups("slice", part)
    table.add_column(_NAMES[first], justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    for metric in metrics[1:]:
        table.add_column(_SHORT.get(metric, _NAMES[metric]), justify="right", no_wrap=True)
    shown = _choose_groups(groups, first)
    for group in shown:
        numbers = group["numbers"]
        cells = [_shorten(numbers[first]["value"]), _shorten_interval(numbers[first])]
        cells += [_shorten(numbers[metric]["value"]) for metric in metrics[1:]]
        table.add_row(Text(group["group"]), _count(group), *cells)
    values = (number["value"] for group in shown for number in group["numbers"].values())
    _add_notes(table, shown, hidden=len(groups) - len(shown), values=values)
    return table


def make_gap_table(part: Mapping[str, Any]) -> Table | None:
    """Return how far the best and the worst group are apart; None if nothing can be compared."""
    gaps = {metric: gap for metric, gap in part["gaps"].items() if gap is not None}
    if not gaps:
        return None
    table = make_plain_table(title=f"{escape(part['column'])}: from the best to the worst group")
    table.add_column("metric", no_wrap=True)
    table.add_column("gap", justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    table.add_column("best", overflow="fold")
    table.add_column("worst", overflow="fold")
    table.add_column("p", justify="right", no_wrap=True)
    for metric, gap in gaps.items():
        table.add_row(
            _NAMES[metric],
            _shorten(gap["value"]),
            _shorten_interval(gap),
            Text(gap["best"]),
            Text(gap["worst"]),
            _format_p(gap["p_value"]),
        )
    table.caption = Text("\n".join(_conclude(gaps)))
    table.caption_justify = "left"
    return table


def _conclude(gaps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    tested = {metric: gap["p_value"] for metric, gap in gaps.items() if gap["p_value"] is not None}
    if not tested:
        return []
    beyond = [_NAMES[metric] for metric, p_value in tested.items() if p_value < _CHANCE]
    within = [_NAMES[metric] for metric, p_value in tested.items() if p_value >= _CHANCE]
    lines = ["p: how often groups of the same sizes, drawn at random, are as far apart"]
    if beyond:
        lines.append(f"more than chance: {', '.join(beyond)}")
    if within:
        lines.append(f"may be chance: {', '.join(within)}")
    return lines


def make_fairness_table(part: Mapping[str, Any]) -> Table:
    """Return a row a group: its size, and how often what is called positive."""
    table = _begin_groups("sensitive", part)
    names = ("selection_rate", "true_positive_rate", "false_positive_rate")
    for label in ("selection\nrate", "true\npositive\nrate", "false\npositive\nrate"):
        table.add_column(label, justify="right", no_wrap=True)
    shown = _choose_groups(part["groups"], "")
    for group in shown:
        table.add_row(
            Text(group["group"]), _count(group), *(_shorten(group[name]) for name in names)
        )
    values = [group[name] for group in shown for name in names]
    _add_notes(table, shown, hidden=len(part["groups"]) - len(shown), values=values)
    return table


def describe_fairness(part: Mapping[str, Any]) -> list[str]:
    """Return a line on each difference between groups."""
    lines = []
    for key in ("demographic_parity_difference", "equalized_odds_difference"):
        difference, name = part[key], key.replace("_", " ").replace("equalized", "equalised")
        if difference["value"] is None:
            lines.append(f"{name}: undefined, {difference['undefined_because']}")
            continue
        p_value = difference["p_value"]
        verdict = "more than chance" if p_value < _CHANCE else "may be chance"
        lines.append(f"{name}: {difference['value']:.4f} ({verdict}: p {_format_p(p_value)})")
    return lines


def _begin_groups(what: str, part: Mapping[str, Any]) -> Table:
    at = "" if part["threshold"] is None else f", at the threshold {part['threshold']:.6g}"
    table = make_plain_table(title=f"{what}: {escape(part['column'])}{at}")
    table.add_column("group", overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    return table


def _choose_groups(groups: Sequence[Mapping[str, Any]], metric: str) -> list[Mapping[str, Any]]:
    """Return all groups, or the worst ones of more than a screen holds, in their order."""
    if len(groups) <= _MOST_SHOWN:
        return list(groups)

    def rank(at: int) -> float:
        value = groups[at]["numbers"][metric]["value"]
        return float("inf") if value is None else float(value)

    return [groups[at] for at in sorted(sorted(range(len(groups)), key=rank)[:_MOST_SHOWN])]


def _count(group: Mapping[str, Any]) -> str:
    return f"{group['rows']:,}{'*' if group['small'] else ' '}"


def _add_notes(
    table: Table,
    groups: Sequence[Mapping[str, Any]],
    *,
    hidden: int,
    values: Iterable[float | None],
) -> None:
    notes = []
    if any(group["small"] for group in groups):
        notes.append(f"*: fewer than {FEW_ROWS} rows, which say little")
    if any(value is None for value in values):
        notes.append(_WHY_UNDEFINED)
    if hidden:
        notes.append(f"the worst {len(groups)} groups; --json has {hidden:,} more")
    table.caption = Text("\n".join(notes)) if notes else None
    table.caption_justify = "left"


def _shorten(value: float | None) -> str:
    """Return three decimals, or three digits of large numbers."""
    if value is None:
        return _UNDEFINED
    value += 0.0
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def _shorten_interval(number: Mapping[str, Any]) -> str:
    if number["low"] is None or number["high"] is None:
        return "-"
    return f"{_shorten(number['low'])} to {_shorten(number['high'])}"


def _format_p(p_value: float | None) -> str:
    if p_value is None:
        return "-"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
