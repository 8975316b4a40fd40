"""How good is a model on a split? Predictions scored, with the trivial baseline beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.targets import Targets
from dltrain.data.batches import Table
from dltrain.evaluation.baseline import score_baseline
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.predict import Predictor, to_probabilities
from dltrain.evaluation.regression import score_regression


def score_split(
    predict: Predictor,
    table: Table,
    *,
    targets: Targets,
    class_names: tuple[str, ...],
    train_labels: npt.NDArray[Any],
) -> dict[str, Any]:
    """Return the JSON-able scores of a model on `table`, and under "baseline" the trivial ones."""
    outputs = predict(table)
    if targets.task == "classification":
        scores = score_classification(
            table.labels, to_probabilities(outputs, targets), class_names=class_names
        )
    else:
        scores = score_regression(table.labels, outputs[:, 0].astype(np.float64))
    baseline = score_baseline(targets.task, train_labels, table.labels, class_names=class_names)
    return {**scores, "baseline": baseline}
