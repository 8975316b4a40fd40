"""Are groups of people treated alike? fairlearn's differences: `eval --sensitive COLUMN`.

For two classes. The demographic parity difference is that between the groups' selection rates (the
share that is called positive); the equalised odds difference is the larger of those between their
true positive rates and between their false positive rates. 0 is alike, 1 the largest difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from dltrain.errors import MachineError
from dltrain.evaluation.gaps import find_p_value, permute_rates
from dltrain.evaluation.intervals import Floats, Integers
from dltrain.evaluation.slice_columns import Grouping
from dltrain.evaluation.slices import FEW_ROWS, compute_group_rates, count_hits


def check_fairlearn() -> None:
    """Raise MachineError if fairlearn isn't installed."""
    if find_spec("fairlearn") is None:
        raise MachineError(
            "--sensitive needs fairlearn, which is not installed.",
            hint="Install it: pip install 'dltrain[fairness]'",
        )


def score_fairness(
    grouping: Grouping,
    labels: Integers,
    predicted: Integers,
    *,
    class_names: Sequence[str],
    threshold: float | None = None,
) -> dict[str, Any]:
    """Return the JSON-able differences between groups, of labels and decisions `(n,)` of 0 and 1.

        {"column": name, "positive_class": name, "threshold": x | null,
         "groups": [{"group", "rows", "small", "selection_rate", "true_positive_rate",
                     "false_positive_rate"}],
         "demographic_parity_difference": {"value", "p_value", "undefined_because"},
         "equalized_odds_difference": {"value", "p_value", "undefined_because"}}

    The values are fairlearn's, but for one thing: where a group has no rows of a class, a rate
    among them doesn't exist. fairlearn counts it as 0; here the difference is null, and
    "undefined_because" says why. The p-value is that of a permutation test, as in `gaps`.
    """
    from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

    groups = len(grouping.labels)
    names = np.array(grouping.labels, dtype=object)[grouping.members]
    counted = {
        "selection_rate": (predicted == 1, np.ones(len(labels), dtype=bool)),
        "true_positive_rate": (predicted == 1, labels == 1),
        "false_positive_rate": (predicted == 1, labels == 0),
    }
    counts = {
        name: count_hits(hit, among, grouping.members, groups=groups)
        for name, (hit, among) in counted.items()
    }
    sizes = np.bincount(grouping.members, minlength=groups)
    rates = {name: compute_group_rates(*each) for name, each in counts.items()}
    parity_reason, odds_reason = _find_reasons(grouping, labels, class_names)
    parity = odds = None
    if not parity_reason:
        parity = float(demographic_parity_difference(labels, predicted, sensitive_features=names))
    if not odds_reason:
        odds = float(equalized_odds_difference(labels, predicted, sensitive_features=names))
    permuted = {
        name: permute_rates(*each, seed=seed) for seed, (name, each) in enumerate(counts.items())
    }
    return {
        "column": grouping.column,
        "positive_class": class_names[1],
        "threshold": threshold,
        "groups": [
            {
                "group": label,
                "rows": int(sizes[at]),
                "small": bool(sizes[at] < FEW_ROWS),
                **{name: rates[name][at] for name in counted},
            }
            for at, label in enumerate(grouping.labels)
        ],
        "demographic_parity_difference": {
            "value": parity,
            "p_value": find_p_value(parity, permuted["selection_rate"]),
            "undefined_because": parity_reason,
        },
        "equalized_odds_difference": {
            "value": odds,
            "p_value": find_p_value(odds, _take_larger(permuted)),
            "undefined_because": odds_reason,
        },
    }


def _take_larger(permuted: dict[str, Floats | None]) -> Floats | None:
    """Return the larger gap of the two rates; each is drawn among the rows of its own class."""
    positive, negative = permuted["true_positive_rate"], permuted["false_positive_rate"]
    return None if positive is None or negative is None else np.maximum(positive, negative)


def _find_reasons(
    grouping: Grouping, labels: Integers, class_names: Sequence[str]
) -> tuple[str | None, str | None]:
    """Return why each difference is undefined, or None."""
    present = np.unique(grouping.members)
    if len(present) < 2:
        reason = f"all rows are of one group: {grouping.labels[int(present[0])]}"
        return reason, reason
    for group in present:
        found = labels[grouping.members == group]
        for number, name in enumerate(class_names):
            if not (found == number).any():
                label = grouping.labels[int(group)]
                return None, f"the group {label} has no rows of the class '{name}'"
    return None, None
