"""Are the metrics on resampled rows those of scikit-learn on the same rows?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
)
from written_runs import classify, estimate

from dltrain.comparison.metrics import METRICS
from dltrain.comparison.resampled import resample_metrics
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.intervals import draw_row_counts
from dltrain.evaluation.regression import score_regression
from dltrain.runs.predictions import Predictions

RESAMPLES = 40


def draw(rows: int) -> np.ndarray:
    return np.concatenate(list(draw_row_counts(rows, seed=0, resamples=RESAMPLES)))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_averages_are_those_of_scikit_learn(classes: int) -> None:
    models = [classify(0.7, rows=200, classes=classes, seed=seed) for seed in (1, 2)]
    names = ["precision.macro", "recall.macro", "f1.macro", "f1.weighted"]
    if classes == 2:
        names += ["binary.precision", "binary.recall", "binary.f1"]
    found = resample_metrics(models, names, resamples=RESAMPLES)
    assert list(found) == names
    functions = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    for name in names:
        first, second = name.split(".")
        average, metric = ("binary", second) if first == "binary" else (second, first)
        for index, counts in enumerate(draw(200)):
            for column, model in enumerate(models):
                expected = functions[metric](
                    model.true,
                    model.predicted,
                    sample_weight=counts,
                    average=average,
                    zero_division=0,
                )
                assert found[name][index, column] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("classes", [2, 4])
def test_auc_and_log_loss_are_those_of_scikit_learn(classes: int) -> None:
    models = [classify(0.6, rows=150, classes=classes, seed=seed) for seed in (1, 2)]
    found = resample_metrics(models, ["auc_roc.macro", "log_loss"], resamples=RESAMPLES)
    for index, counts in enumerate(draw(150)):
        for column, model in enumerate(models):
            assert model.probabilities is not None
            loss = log_loss(model.true, model.probabilities, sample_weight=counts)
            assert found["log_loss"][index, column] == pytest.approx(loss, rel=1e-6)
            ranked = [1] if classes == 2 else range(classes)
            areas = [
                roc_auc_score(model.true == c, model.probabilities[:, c], sample_weight=counts)
                for c in ranked
            ]
            expected = np.mean(areas)
            assert found["auc_roc.macro"][index, column] == pytest.approx(expected, rel=1e-12)


def test_errors_of_a_regression_are_those_of_scikit_learn() -> None:
    models = [estimate(noise, seed=seed) for seed, noise in enumerate((0.5, 1.0, 5.0))]
    found = resample_metrics(models, ["r2", "rmse", "mae", "mse"], resamples=RESAMPLES)
    for index, counts in enumerate(draw(80)):
        for column, model in enumerate(models):
            pair = model.true, model.predicted
            mse = mean_squared_error(*pair, sample_weight=counts)
            expected = {
                "mse": mse,
                "rmse": np.sqrt(mse),
                "mae": mean_absolute_error(*pair, sample_weight=counts),
                "r2": r2_score(*pair, sample_weight=counts),
            }
            for name, value in expected.items():
                assert found[name][index, column] == pytest.approx(value, rel=1e-9)


def test_a_class_without_rows_counts_in_no_average() -> None:
    model = classify(0.8, rows=100, classes=3)
    true = np.where(model.true == 2, 1, model.true)
    predicted = np.array(model.predicted)
    one = Predictions("classification", model.class_names, model.ids, true, predicted)
    found = resample_metrics([one, one], ["recall.macro"], resamples=5)["recall.macro"]
    counts = draw(100)[0]
    shares = [
        counts[(true == c) & (predicted == c)].sum() / counts[true == c].sum() for c in (0, 1)
    ]
    assert found[0, 0] == pytest.approx(np.mean(shares), rel=1e-12)


def test_outputs_that_are_no_probabilities_have_no_log_loss_and_leave_the_others_theirs() -> None:
    one, two = classify(0.8, seed=1), classify(0.8, seed=2)
    assert two.probabilities is not None
    odd = Predictions(
        two.task, two.class_names, two.ids, two.true, two.predicted, two.probabilities / 2
    )
    found = resample_metrics([one, odd], ["log_loss"], resamples=10)["log_loss"]
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()


def test_the_intervals_of_fit_come_from_the_same_resamples() -> None:
    regression = estimate(1.0)
    scores = score_regression(regression.true, regression.predicted)
    model = classify(0.8)
    assert model.probabilities is not None
    classified = score_classification(
        model.true, model.probabilities, class_names=model.class_names
    )
    for name, samples in (
        *resample_metrics([regression], ["r2", "rmse", "mae", "mse"]).items(),
        *resample_metrics([model], ["auc_roc.macro", "log_loss"]).items(),
    ):
        number = METRICS[name].find(scores if name in scores else classified)
        assert number is not None
        low, high = np.quantile(samples[:, 0], [0.025, 0.975])
        assert (number["low"], number["high"]) == pytest.approx((low, high), rel=1e-12)
