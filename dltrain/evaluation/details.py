"""What is asked of an evaluation beside the scores: a threshold, slices, sensitive columns?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.schema import DatasetConfig
from dltrain.data.load import Source
from dltrain.errors import UsageError
from dltrain.evaluation.fairness import check_fairlearn, score_fairness
from dltrain.evaluation.intervals import Floats, Integers
from dltrain.evaluation.slice_columns import check_columns, group_rows
from dltrain.evaluation.slices import score_slice
from dltrain.evaluation.thresholds import (
    ThresholdRule,
    apply_threshold,
    choose_threshold,
    score_threshold,
)
from dltrain.runs.predictions import Predictions


@dataclass(frozen=True)
class Details:
    """Hold what is asked: `slices` and `sensitive` are names of columns."""

    threshold: ThresholdRule | None = None
    slices: Sequence[str] = ()
    sensitive: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.threshold or self.slices or self.sensitive)

    @property
    def needs_rows(self) -> bool:
        """Tell whether the rows themselves are needed, and not only what was predicted."""
        return bool(self.slices or self.sensitive)

    def needed_splits(self, split: str) -> tuple[str, ...]:
        """Return the splits that must be predicted to evaluate `split`."""
        chosen = self.threshold is not None and self.threshold.is_chosen
        return ("validation", split) if chosen else (split,)


def check_details(
    details: Details, *, split: str, info: DatasetInfo, config: DatasetConfig
) -> None:
    """Raise UsageError for what can't be answered of this data, MachineError without fairlearn."""
    if details.threshold is not None:
        _check_threshold(details.threshold, split, info, config)
    if details.sensitive:
        _check_two_classes(
            "--sensitive",
            "fairlearn's differences are those of a decision between two classes",
            info,
            hint="Use --slice, which takes any number of classes, and regressions.",
        )
    check_columns(details.slices, flag="--slice", info=info, config=config)
    check_columns(details.sensitive, flag="--sensitive", info=info, config=config)
    if details.sensitive:
        check_fairlearn()


def _check_threshold(
    rule: ThresholdRule, split: str, info: DatasetInfo, config: DatasetConfig
) -> None:
    where = f"--threshold '{rule.text}'"
    _check_two_classes(
        where,
        "a threshold parts two classes",
        info,
        hint="Leave it out: the predicted class is the most probable one."
        if info.task == "classification"
        else "Leave it out, or train on classes: dataset.task: classification.",
    )
    if not rule.is_chosen:
        return
    if split == "validation":
        raise UsageError(
            f"{where}: it is chosen on validation, and its numbers there would be too good.",
            hint="Evaluate another split, or give a number: --threshold 0.3",
        )
    if not config.validation_split:
        raise UsageError(
            f"{where}: it is chosen on validation, and there are no such rows: "
            "dataset.validation_split is 0.",
            hint="Give a number: --threshold 0.3",
        )


def _check_two_classes(where: str, why: str, info: DatasetInfo, *, hint: str) -> None:
    if info.task == "regression":
        raise UsageError(f"{where}: {why}; {info.name} has none, but a number.", hint=hint)
    if len(info.class_names) != 2:
        count = len(info.class_names)
        raise UsageError(f"{where}: {why}; {info.name} has {count:,}.", hint=hint)


def compute_details(
    details: Details,
    predictions: Predictions,
    *,
    validation: Predictions | None,
    source: Source | None,
    info: DatasetInfo,
    config: DatasetConfig,
) -> dict[str, Any]:
    """Return the JSON-able {"threshold", "slices", "fairness"}: null and empty if not asked for.

    `validation` is what a rule chooses its threshold on; `source` the rows behind `predictions`, in
    the same order. Raises UsageError if no threshold does what is asked, DataError for a column
    whose values make no groups.
    """
    predicted, threshold, value = predictions.predicted, None, None
    if details.threshold is not None:
        threshold, predicted = _apply(details.threshold, predictions, validation)
        value = threshold["value"]
    slices: list[dict[str, Any]] = []
    fairness: list[dict[str, Any]] = []
    if source is not None:
        groups = group_rows(details.slices, source, info=info, config=config, flag="--slice")
        slices = [
            score_slice(each, predictions, predicted=predicted, threshold=value) for each in groups
        ]
        groups = group_rows(details.sensitive, source, info=info, config=config, flag="--sensitive")
        fairness = [
            score_fairness(
                each,
                predictions.true,
                predicted,
                class_names=predictions.class_names,
                threshold=value,
            )
            for each in groups
        ]
    return {"threshold": threshold, "slices": slices, "fairness": fairness}


def _apply(
    rule: ThresholdRule, predictions: Predictions, validation: Predictions | None
) -> tuple[dict[str, Any], Integers]:
    """Return the numbers at the threshold, and the classes that it gives."""
    scores, chosen_on = _positive(predictions), None
    if rule.is_chosen:
        assert validation is not None
        chosen_on = (validation.true, _positive(validation))
        value = choose_threshold(rule, *chosen_on)
    else:
        value = rule.value
    numbers = score_threshold(
        rule,
        value,
        labels=predictions.true,
        scores=scores,
        predicted=predictions.predicted,
        class_names=predictions.class_names,
        validation=chosen_on,
    )
    return numbers, apply_threshold(scores, value)


def _positive(predictions: Predictions) -> Floats:
    assert predictions.probabilities is not None
    return np.asarray(predictions.probabilities[:, 1])
