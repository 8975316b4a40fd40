"""What does every method need of a run? Its model, its rows, and what was predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dltrain.config.load import LoadedConfig
from dltrain.config.targets import Targets
from dltrain.data.load import LoadedData
from dltrain.evaluation.predict import Predictor
from dltrain.explanation.explained import ExplainedRow, Explanations
from dltrain.explanation.request import Request
from dltrain.explanation.scores import Scorer
from dltrain.runs.layout import RunPaths
from dltrain.runs.predictions import Predictions


@dataclass(frozen=True)
class Opened:
    """Hold a run that is being explained; `rows` are numbers of rows of the split."""

    paths: RunPaths
    loaded: LoadedConfig
    data: LoadedData
    scorer: Scorer
    targets: Targets
    predict: Predictor
    predictions: Predictions
    rows: Sequence[int]
    digest: str

    def explained_classes(self, request: Request) -> NDArray[np.int64]:
        """Return the class to explain of each row: the one asked for, or the predicted one."""
        if self.predictions.task == "regression":
            return np.zeros(len(self.rows), dtype=np.int64)
        if request.class_name is not None:
            number = self.data.info.class_names.index(request.class_name)
            return np.full(len(self.rows), number, dtype=np.int64)
        return np.asarray(self.predictions.predicted[list(self.rows)], dtype=np.int64)

    def make_row(self, place: int, explained: int, score: float) -> ExplainedRow:
        """Return what is known of `rows[place]` without a method; `explained` is a class."""
        row, predictions = self.rows[place], self.predictions
        if predictions.probabilities is None:
            true, predicted = predictions.true[row], predictions.predicted[row]
            names = f"{true:.5g}", f"{predicted:.5g}"
            return ExplainedRow(predictions.ids[row], *names, None, "", score)
        classes = predictions.class_names
        predicted = int(predictions.predicted[row])
        return ExplainedRow(
            id=predictions.ids[row],
            true=classes[int(predictions.true[row])],
            predicted=classes[predicted],
            confidence=float(predictions.probabilities[row, predicted]),
            explained=classes[explained],
            score=score,
        )

    def begin(self, request: Request, methods: Sequence[str]) -> Explanations:
        """Return explanations that say of what they are, without rows."""
        return Explanations(
            run=self.paths.label,
            split=request.split,
            modality=self.data.info.modality,
            task=self.predictions.task,
            kind=self.scorer.kind,
            methods=tuple(methods),
            baseline=request.baseline if self.data.info.modality == "image" else "zeros",
            model=self.digest,
        )
