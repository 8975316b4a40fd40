"""How much does each column bring to one row's score? SHAP values, by the library shap.

Lundberg and Lee 2017, "A Unified Approach to Interpreting Model Predictions", arXiv:1705.07874;
by its permutation explainer, which only calls the model, and whose values sum to the difference
between the row's score and the mean score of the background exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.errors import UsageError
from dltrain.explanation.permutation import Columns

# Training rows that stand for "the column isn't known"; more take longer in proportion.
BACKGROUND_ROWS = 100


def check_shap() -> None:
    """Raise UsageError if the library shap is not installed."""
    from importlib.util import find_spec

    if find_spec("shap") is None:
        raise UsageError(
            "--method shap: the library shap is not installed.",
            hint="Install it: pip install 'dltrain[shap]'",
        )


def compute_shap(
    score: Callable[[NDArray[Any]], NDArray[Any]],
    rows: NDArray[Any],
    background: NDArray[Any],
    columns: Columns,
    *,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Return `(n, columns)` what each column brings to the scores of `rows`, and the mean score.

    `score` takes rows `(n, inputs)` and returns their scores `(n,)`; the mean is that of
    `background` `(m, inputs)`. All inputs of a column come and go together.
    """
    import shap

    inputs = [list(own) for _, own in columns]

    def hide(known: NDArray[np.bool_], row: NDArray[Any]) -> NDArray[Any]:
        mixed = np.array(background)
        for own, is_known in zip(inputs, known, strict=True):
            if is_known:
                # The row holds its own number: shap sees a column where the model has several.
                mixed[:, own] = rows[int(row[0])][own]
        return mixed

    def mask(known: NDArray[np.bool_], row: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return (hide(known, row),)

    mask.shape = lambda row: (len(background), len(columns))  # type: ignore[attr-defined]
    numbers = np.repeat(np.arange(len(rows), dtype=np.float64)[:, None], len(columns), axis=1)
    explainer = shap.PermutationExplainer(score, mask, seed=seed)
    found = explainer(numbers, max_evals=10 * (2 * len(columns) + 1), silent=True)
    return np.asarray(found.values, dtype=np.float64), float(np.mean(score(background)))
