"""From which probability on is a row called positive? `eval --threshold "recall>=0.9"`.

For two classes. A threshold is a number, or is chosen on the validation rows, never on those that
it is applied to:

    0.3                 that number
    best-f1             the one of the best F1
    recall>=0.9         of those with at least that recall, the one of the best precision
    precision>=0.9      of those with at least that precision, the one of the best recall
    specificity>=0.9    of those with at least that specificity, the one of the best recall

The candidates are the probabilities that the validation rows have. A row is called positive if its
probability of class 1 is at least the threshold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dltrain.catalog.suggest import nearest
from dltrain.config.reading import resolve_scalar
from dltrain.errors import DataError, UsageError
from dltrain.evaluation.decisions import compute_rates, count_cells, score_rates, to_value
from dltrain.evaluation.intervals import Floats, Integers

BEST_F1 = "best-f1"

# What may be asked for at least, and what is then made as good as can be.
FLOORS = {"recall": "precision", "precision": "recall", "specificity": "recall"}

_NUMBERS = ("accuracy", "precision", "recall", "f1", "specificity")
_FORM = re.compile(r"([^<>=]*?)\s*([<>=]+)\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class ThresholdRule:
    """Say which threshold is wanted; `text` is what was written.

    given: the threshold is `value`. best-f1: that of the best F1. floor: of those where `metric` is
    at least `value`, the best by what FLOORS says.
    """

    text: str
    kind: Literal["given", "best-f1", "floor"]
    metric: str = ""
    value: float = 0.0

    @property
    def is_chosen(self) -> bool:
        """Tell a rule, which needs rows to choose on, from a number."""
        return self.kind != "given"


def parse_threshold(text: str) -> ThresholdRule:
    """Read what `--threshold` was given. Raises UsageError."""
    where, given = f"--threshold '{text}'", text.strip()
    compared = _FORM.fullmatch(given)
    if compared:
        return _parse_floor(text, *compared.groups())
    if given == BEST_F1:
        return ThresholdRule(text, "best-f1")
    value = _read_share(given)
    if value is None:
        near = nearest(given, [BEST_F1, *FLOORS])
        hint = f"Did you mean '{near}'?" if near == BEST_F1 else ""
        if near in FLOORS:
            hint = f'For example: --threshold "{near}>=0.9"'
        raise UsageError(
            f"{where}: expected a number within 0..1, {BEST_F1}, or one of "
            f"{', '.join(FLOORS)} with >= and a number.",
            hint=hint or _explain_percent(given),
        )
    return ThresholdRule(text, "given", value=value)


def _parse_floor(text: str, metric: str, comparison: str, number: str) -> ThresholdRule:
    where = f"--threshold '{text}'"
    if metric not in FLOORS:
        near = nearest(metric, FLOORS)
        hint = f"Did you mean '{near}'?" if near else ""
        if metric == "f1":
            hint = f"The threshold of the best F1 is --threshold {BEST_F1}."
        raise UsageError(
            f"{where}: expected one of {', '.join(FLOORS)} before '{comparison}', received "
            f"'{metric}'.",
            hint=hint,
        )
    if comparison != ">=":
        raise UsageError(
            f"{where}: expected >=, received '{comparison}'.",
            hint=f'Write --threshold "{metric}>={number}".' if number else "",
        )
    value = _read_share(number)
    if value is None:
        raise UsageError(
            f"{where}: expected a number within 0..1 after >=, received '{number}'.",
            hint=_explain_percent(number),
        )
    return ThresholdRule(text, "floor", metric, value)


def _read_share(text: str) -> float | None:
    """Return a number within 0..1, or None."""
    try:
        value = resolve_scalar(text)
    except ValueError:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None


def _explain_percent(text: str) -> str:
    """Return a hint for `90%` and `90`."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        return ""
    return f"Did you mean {value / 100:g}?" if 2 <= value <= 100 or text.endswith("%") else ""


def choose_threshold(rule: ThresholdRule, labels: Integers, scores: Floats) -> float:
    """Return the threshold that `rule` asks for, on the rows to choose it on.

    `labels` `(n,)` are 0 or 1, `scores` `(n,)` the probabilities of class 1. Of equally good
    thresholds the highest is taken. Raises UsageError if none reaches the
    floor, DataError if all rows are of one class.
    """
    if not rule.is_chosen:
        return rule.value
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"--threshold '{rule.text}': the validation rows are all of one class: no threshold "
            "can be chosen on them.",
            hint="Give a number: --threshold 0.3",
        )
    thresholds = np.unique(scores)
    positive, negative = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    hits = len(positive) - np.searchsorted(positive, thresholds)
    alarms = len(negative) - np.searchsorted(negative, thresholds)
    rows = [len(negative) - alarms, alarms, len(positive) - hits, hits]
    rates = compute_rates(np.stack(rows, axis=1).reshape(-1, 2, 2))
    if rule.kind == "best-f1":
        first, second = rates["f1"], rates["precision"]
        allowed = np.ones(len(thresholds), dtype=bool)
    else:
        first, second = rates[FLOORS[rule.metric]], rates[rule.metric]
        allowed = rates[rule.metric] >= rule.value
    if not allowed.any():
        _raise_unreached(rule, rates[rule.metric], thresholds)
    order = np.lexsort((thresholds, second, first, allowed))
    return float(thresholds[order[-1]])


def _raise_unreached(rule: ThresholdRule, reached: Floats, thresholds: Floats) -> None:
    best = int(np.argmax(reached))
    raise UsageError(
        f"--threshold '{rule.text}': no threshold reaches it on the validation rows. The highest "
        f"{rule.metric} there is {reached[best]:.4g}, at the threshold {thresholds[best]:.4g}.",
        hint="Ask for less, or train a better model.",
    )


def apply_threshold(scores: Floats, threshold: float) -> Integers:
    """Return the class numbers 0 and 1 of probabilities `(n,)` of class 1."""
    return (scores >= threshold).astype(np.int64)


def score_threshold(
    rule: ThresholdRule,
    threshold: float,
    *,
    labels: Integers,
    scores: Floats,
    predicted: Integers,
    class_names: Sequence[str],
    validation: tuple[Integers, Floats] | None,
) -> dict[str, Any]:
    """Return the JSON-able numbers at `threshold`, beside those of the more probable class.

        {"rule": "recall>=0.9", "value": 0.37, "positive_class": name,
         "chosen_on": null, or {"split": "validation", "rows": n,
                                "accuracy": x, "precision", "recall", "f1", "specificity"},
         "at_threshold": {"accuracy": NUMBER, "precision": NUMBER, "recall": ..., "f1": ...,
                          "specificity": ..., "confusion_matrix": [[TN, FP], [FN, TP]]},
         "at_half": {...}}

    `labels`, `scores` and `predicted` are `(n,)`; `validation` holds the labels and scores that a
    rule was chosen on. What is known of the threshold there is a number without interval: it was
    chosen to be good there.
    """
    chosen_on = None
    if validation is not None:
        cells = count_cells(validation[0], apply_threshold(validation[1], threshold))
        rates = compute_rates(cells[np.newaxis])
        known = {name: to_value(rates[name][0]) for name in _NUMBERS}
        chosen_on = {"split": "validation", "rows": len(validation[0]), **known}
    return {
        "rule": rule.text.strip(),
        "value": threshold,
        "positive_class": class_names[1],
        "chosen_on": chosen_on,
        "at_threshold": _score(labels, apply_threshold(scores, threshold)),
        "at_half": _score(labels, predicted),
    }


def _score(labels: Integers, predicted: Integers) -> dict[str, Any]:
    confusion = count_cells(labels, predicted)
    numbers, _ = score_rates(confusion, names=_NUMBERS)
    return {**numbers, "confusion_matrix": confusion.tolist()}
