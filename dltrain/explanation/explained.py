"""What was explained? Rows with what each method says of them, and the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.explanation.integrated_gradients import Completeness
from dltrain.explanation.permutation import Importance
from dltrain.explanation.sanity import Shuffled

Word = tuple[str, bool, float]
"""A word as it is written, whether the vocabulary has it, and its attribution."""


@dataclass(frozen=True)
class ExplainedRow:
    """Hold one row with what was found of it; what its kind of data lacks is empty.

    `explained` is the name of the class whose score is explained, "" of a regression, and `score`
    that score. `pixels` `(height, width[, 3])` uint8. `maps`: method → `(height, width)`. `words`
    are those that the model sees; `cut` were cut off, `padding` is its attribution. `columns` are
    (name, value, SHAP value).
    """

    id: str
    true: str
    predicted: str
    confidence: float | None
    explained: str
    score: float
    pixels: NDArray[np.uint8] | None = None
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    completeness: Completeness | None = None
    words: Sequence[Word] = ()
    cut: int = 0
    padding: float = 0.0
    columns: Sequence[tuple[str, str, float]] = ()


@dataclass(frozen=True)
class Explanations:
    """Hold all that a call of `dltrain explain` found.

    `kind` says what a score is (`scores.Kind`). `importances` are of `importance_rows` rows, in
    `importance_metric`; `mean_score` is SHAP's base.
    """

    run: str
    split: str
    modality: str
    task: str
    kind: str
    methods: tuple[str, ...]
    baseline: str
    model: str
    rows: Sequence[ExplainedRow] = ()
    importances: Sequence[Importance] = ()
    importance_metric: str = ""
    importance_score: float = 0.0
    importance_rows: int = 0
    repeats: int = 0
    mean_score: float | None = None
    sanity: Sequence[Shuffled] = ()

    def to_record(self, pictures: Sequence[dict[str, Any]], *, arrays: str) -> dict[str, Any]:
        """Return what explanations.json holds: all but the maps, which are in the file `arrays`."""
        record: dict[str, Any] = {
            "format": 1,
            "split": self.split,
            "modality": self.modality,
            "task": self.task,
            "model": self.model,
            "explains": self.kind,
            "methods": list(self.methods),
            "baseline": self.baseline,
            "rows": [_describe_row(row) for row in self.rows],
            "importances": None,
            "mean_score": self.mean_score,
            "sanity": [
                {"layer": each.layer, "correlations": each.correlations} for each in self.sanity
            ],
            "arrays": arrays,
            "pictures": list(pictures),
        }
        if self.importances:
            record["importances"] = {
                "metric": self.importance_metric,
                "score": self.importance_score,
                "rows": self.importance_rows,
                "repeats": self.repeats,
                "columns": [
                    {"column": each.column, "mean": each.mean, "deviation": each.deviation}
                    for each in self.importances
                ],
            }
        return record


def _describe_row(row: ExplainedRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": row.id,
        "true": row.true,
        "predicted": row.predicted,
        "confidence": row.confidence,
        "explained": row.explained,
        "score": row.score,
    }
    if row.completeness is not None:
        measured = row.completeness
        found["completeness"] = {
            "score": measured.score,
            "baseline_score": measured.baseline_score,
            "sum": measured.total,
            "gap": measured.gap,
            "steps": measured.steps,
            "met": measured.is_met,
        }
    if row.words:
        found["words"] = [[word, round(value, 6)] for word, _, value in row.words]
        found["words_cut"] = row.cut
        found["padding"] = row.padding
    if row.columns:
        found["columns"] = [list(column) for column in row.columns]
    return found
