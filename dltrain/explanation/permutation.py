"""How much worse does the model get when a column of the table is shuffled? Permutation importance.

Breiman 2001, "Random Forests", section 10; computed by scikit-learn, on rows that were not trained
on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPEATS = 10

Columns = Sequence[tuple[str, Sequence[int]]]
"""Each column of the table with the model's inputs that were made of it: a category has several."""


@dataclass(frozen=True)
class Importance:
    """Say by how much the score falls without a column: the mean and spread of the repeats."""

    column: str
    mean: float
    deviation: float


def measure_importances(
    score: Callable[[NDArray[Any]], float],
    rows: NDArray[Any],
    columns: Columns,
    *,
    repeats: int = REPEATS,
    seed: int,
) -> list[Importance]:
    """Return the importance of each of `columns`, the largest first.

    `score` takes rows `(n, inputs)` and returns a number that is better the larger it is. All
    inputs of a column are shuffled together: no row gets two categories, or none.
    """
    from sklearn.inspection import permutation_importance

    # scikit-learn shuffles row numbers, a column of them for each of ours.
    numbers = np.repeat(np.arange(len(rows))[:, None], len(columns), axis=1)

    def score_numbers(_: Any, places: NDArray[np.int64], __: Any) -> float:
        mixed = np.array(rows)
        for at, (_name, inputs) in enumerate(columns):
            mixed[:, list(inputs)] = rows[places[:, at]][:, list(inputs)]
        return score(mixed)

    found = permutation_importance(
        _Fitted(),
        numbers,
        np.zeros(len(rows)),
        scoring=score_numbers,
        n_repeats=repeats,
        random_state=seed,
    )
    importances = [
        Importance(name, float(mean), float(deviation))
        for (name, _), mean, deviation in zip(
            columns, found.importances_mean, found.importances_std, strict=True
        )
    ]
    return sorted(importances, key=lambda each: -each.mean)


class _Fitted:
    """Stand where scikit-learn wants an estimator: the score is computed by a function."""

    def fit(self, rows: Any, labels: Any = None) -> None:
        """Refuse: nothing is fitted here."""
        raise NotImplementedError
