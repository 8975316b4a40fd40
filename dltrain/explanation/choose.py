"""Which rows are explained? A few right ones and the worst mistakes, or those that were named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dltrain.errors import UsageError
from dltrain.evaluation.mistakes import choose_mistakes
from dltrain.runs.predictions import Predictions


def choose_rows(predictions: Predictions, *, right: int, wrong: int) -> list[int]:
    """Return row numbers: right ones, one of each class in turn, then the worst mistakes.

    Of a regression the rows that are right are those of the smallest error.
    """
    mistakes = [int(row) for row in choose_mistakes(predictions)[:wrong]]
    if predictions.task == "regression":
        errors = np.abs(predictions.true - predictions.predicted)
        best = [int(row) for row in np.argsort(errors, kind="stable") if int(row) not in mistakes]
        return best[:right] + mistakes
    hits = np.flatnonzero(predictions.true == predictions.predicted)
    classes = predictions.true[hits]
    # The first row of each class, then the second of each.
    order = np.argsort(classes, kind="stable")
    starts = np.searchsorted(classes[order], classes[order])
    rank = np.arange(len(order)) - starts
    chosen = hits[order[np.lexsort((order, rank))][:right]]
    return [int(row) for row in chosen] + mistakes


def find_rows(names: Sequence[str], predictions: Predictions, *, split: str) -> list[int]:
    """Return the numbers of the rows called `names`, in that order, each once.

    Raises UsageError if there is no such row in the split.
    """
    places = {name: row for row, name in enumerate(predictions.ids)}
    found = []
    for name in dict.fromkeys(names):
        if name not in places:
            examples = ", ".join(list(places)[:3])
            raise UsageError(
                f"--rows: the {split} split has no row '{name}'.",
                hint=f"Its rows are called {examples}, …; mistakes.json names those to look at. "
                "--split takes another split.",
            )
        found.append(places[name])
    return found
