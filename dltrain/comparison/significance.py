"""Which of the differences between runs are more than chance? Each metric by its paired test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dltrain.comparison.result import Change

if TYPE_CHECKING:
    from dltrain.runs.predictions import Predictions

Changes = dict[str, Change]


def judge_changes(
    changes: Sequence[Changes],
    predictions: Mapping[int, Predictions],
    *,
    baseline: int,
    tested: Sequence[str],
) -> tuple[list[Changes], int]:
    """Return each run's changes with interval, p and adjusted p, and how many resamples were drawn.

    `predictions` holds, by the run's place, those that predict the same rows in the same order;
    only they are tested, and only if the baseline's are among them.
    """
    # NumPy, and the tests, only where there is something to test.
    from dltrain.comparison.paired import correct_holm, count_resamples

    judged = [dict(each) for each in changes]
    others = [place for place in predictions if place != baseline]
    resamples = count_resamples(len(others))
    if baseline not in predictions or not others:
        return judged, resamples
    if "accuracy" in tested:
        for place in others:
            if "accuracy" in judged[place]:
                judged[place]["accuracy"] = _judge_accuracy(
                    judged[place]["accuracy"], predictions[baseline], predictions[place], resamples
                )
    names = [name for name in tested if name != "accuracy"]
    if names:
        models = [predictions[place] for place in (baseline, *others)]
        _bootstrap([judged[place] for place in others], models, names, resamples)
    for name in tested:
        values = [judged[place][name].p if name in judged[place] else None for place in others]
        for place, p in zip(others, correct_holm(values), strict=True):
            if name in judged[place]:
                judged[place][name] = replace(judged[place][name], adjusted_p=p)
    return judged, resamples


def _judge_accuracy(
    change: Change, first: Predictions, second: Predictions, resamples: int
) -> Change:
    from dltrain.comparison.paired import bootstrap_accuracies, mcnemar_p
    from dltrain.evaluation.intervals import make_number

    right, then = first.predicted == first.true, second.predicted == second.true
    only_first, only_second = int((right & ~then).sum()), int((then & ~right).sum())
    samples = bootstrap_accuracies(only_first, only_second, len(first), resamples=resamples)
    interval = make_number(change.difference, samples)
    return replace(
        change,
        low=interval["low"],
        high=interval["high"],
        test="mcnemar",
        p=mcnemar_p(only_first, only_second),
        only_baseline=only_first,
        only_this=only_second,
    )


def _bootstrap(
    changes: Sequence[Changes], models: Sequence[Predictions], names: Sequence[str], resamples: int
) -> None:
    """Put interval and p into `changes`, of all `models` but the first, which is the baseline."""
    from dltrain.comparison.paired import bootstrap_p
    from dltrain.comparison.resampled import resample_metrics
    from dltrain.evaluation.intervals import make_number

    samples = resample_metrics(models, names, resamples=resamples)
    for name, values in samples.items():
        for column, each in enumerate(changes, start=1):
            if name not in each:
                continue
            differences = values[:, column] - values[:, 0]
            interval = make_number(each[name].difference, differences)
            each[name] = replace(
                each[name],
                low=interval["low"],
                high=interval["high"],
                test="bootstrap",
                p=bootstrap_p(differences),
            )
