"""Are the metrics of training those of scikit-learn, whatever the labels and the outputs are?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics
from tiny_networks import IMAGES, NUMBERS, TEXTS, build

from dltrain.catalog.components import components
from dltrain.config.document import Document, Problems
from dltrain.config.losses import check_metric
from dltrain.config.rules import is_class_metric
from dltrain.config.targets import Targets, resolve_targets
from dltrain.data.batches import encode_labels
from dltrain.model.metrics import build_metrics

ROWS = 103  # batches of 20: the last has 3
MANY_SOFTMAX = "[flatten, {type: dense, units: 10, activation: softmax}]"
ONE_SIGMOID = (
    "[{type: embedding, input_dim: 12, output_dim: 2}, flatten, "
    "{type: dense, units: 1, activation: sigmoid}]"
)
POSITIVE = "[{type: dense, units: 1, activation: softplus}]"


def make_outputs(classes: int, units: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Make labels and the logits `(ROWS, units)` of a classifier that is often right."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, classes, ROWS)
    logits = generator.normal(size=(ROWS, units))
    if units == 1:
        logits[:, 0] += 1.5 * (labels - 0.5)
    else:
        logits[np.arange(ROWS), labels] += 1.5
    return labels, logits.astype(np.float32)


def to_probabilities(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Apply sigmoid to one column, softmax to more."""
    if logits.shape[1] == 1:
        return np.asarray(1 / (1 + np.exp(-logits)))
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def make_targets(classes: int, units: int, activation: str | None, smoothing: float) -> Targets:
    """Resolve cross-entropy for this output; label smoothing makes the labels one-hot."""
    loss = {"type": "cross_entropy", **({"label_smoothing": smoothing} if smoothing else {})}
    return resolve_targets(
        task="classification", classes=classes, loss=loss, units=units, activation=activation
    )


def measure(
    names: list[object],
    targets: Targets,
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32],
    outputs: npt.NDArray[np.float32],
) -> dict[str, float]:
    """Feed the metrics in batches of 20 and return their values."""
    problems = Problems(Document(data={}, source="test"))
    specs = [check_metric(raw, ("metrics", i), problems) for i, raw in enumerate(names)]
    problems.raise_any()
    built = build_metrics([spec for spec in specs if spec is not None], targets)
    encoded = encode_labels(labels, targets.encoding, targets.classes)
    for start in range(0, len(labels), 20):
        for metric in built:
            metric.update_state(encoded[start : start + 20], outputs[start : start + 20])
    return {metric.name: float(metric.result()) for metric in built}


@pytest.mark.parametrize("classes", [3, 7])
@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_metrics_over_many_classes_are_macro_averages_as_in_scikit_learn(
    classes: int, activation: str | None, smoothing: float
) -> None:
    labels, logits = make_outputs(classes, classes)
    probabilities = to_probabilities(logits)
    predicted = probabilities.argmax(axis=1)
    targets = make_targets(classes, classes, activation, smoothing)
    assert targets.encoding == ("one_hot" if smoothing else "integer")
    found = measure(
        ["accuracy", "precision", "recall", "f1", {"type": "auc", "num_thresholds": 2000}],
        targets,
        labels,
        probabilities if activation else logits,
    )
    average = {"average": "macro", "zero_division": 0}
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found["precision"] == pytest.approx(
        metrics.precision_score(labels, predicted, **average), abs=1e-6
    )
    assert found["recall"] == pytest.approx(
        metrics.recall_score(labels, predicted, **average), abs=1e-6
    )
    assert found["f1"] == pytest.approx(metrics.f1_score(labels, predicted, **average), abs=1e-6)
    area = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert found["auc"] == pytest.approx(area, abs=2e-3)  # Keras sums over thresholds


@pytest.mark.parametrize(
    ("units", "activation"), [(1, None), (1, "sigmoid"), (2, None), (2, "softmax")]
)
def test_metrics_over_two_classes_are_those_of_the_second_class(
    units: int, activation: str | None
) -> None:
    labels, logits = make_outputs(2, units)
    probabilities = to_probabilities(logits)
    second = probabilities[:, -1]
    predicted = (second > 0.5).astype(int)
    found = measure(
        ["accuracy", "precision", "recall", "f1", {"type": "auc", "num_thresholds": 2000}],
        make_targets(2, units, activation, 0.0),
        labels,
        probabilities if activation else logits,
    )
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found["precision"] == pytest.approx(metrics.precision_score(labels, predicted))
    assert found["recall"] == pytest.approx(metrics.recall_score(labels, predicted))
    assert found["f1"] == pytest.approx(metrics.f1_score(labels, predicted), abs=1e-6)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(labels, second), abs=2e-3)


def test_a_class_that_is_never_predicted_counts_as_zero_not_as_nothing() -> None:
    labels = np.array([0, 1, 2, 2])
    outputs = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    found = measure(["precision", "f1"], make_targets(3, 3, "softmax", 0.0), labels, outputs)
    assert found["precision"] == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert found["f1"] == pytest.approx((1 + 0.5 + 0) / 3)


def test_reset_forgets_the_batches_before() -> None:
    targets = make_targets(3, 3, "softmax", 0.0)
    spec = {"type": "f1_score", "name": "f1"}
    (metric,) = build_metrics([spec], targets)
    wrong, right = np.array([1, 2, 0]), np.array([0, 1, 2])
    metric.update_state(wrong, np.eye(3, dtype=np.float32))
    assert float(metric.result()) == 0
    metric.reset_state()
    metric.update_state(right, np.eye(3, dtype=np.float32))
    assert float(metric.result()) == 1


# Arguments that a metric needs for ten classes.
ARGUMENTS = {
    "iou": ", num_classes: 10, target_class_ids: [0, 1]",
    "mean_iou": ", num_classes: 10",
    "one_hot_iou": ", num_classes: 10, target_class_ids: [0]",
    "one_hot_mean_iou": ", num_classes: 10",
    "precision_at_recall": ", recall: 0.5",
    "recall_at_precision": ", precision: 0.1",
    "sensitivity_at_specificity": ", specificity: 0.5",
    "specificity_at_sensitivity": ", sensitivity: 0.5",
}
CLASS_METRICS = [name for name in components("metrics") if is_class_metric(name)]
NUMBER_METRICS = [name for name in components("metrics") if not is_class_metric(name)]


def step_with(name: str, layers: str, dataset: str) -> float:
    """Train a step of 20 rows with one metric and return its value."""
    arguments = ARGUMENTS.get(name, "")
    if dataset == TEXTS:
        arguments = arguments.replace("10", "2")
    rest = f"metrics: [{{type: {name}{arguments}}}]"
    return build(layers, dataset=dataset, rest=rest, rows=20, eager=True).step()[name]


@pytest.mark.parametrize("name", components("metrics"))
def test_a_metric_is_finite_on_ten_classes(name: str) -> None:
    assert np.isfinite(step_with(name, MANY_SOFTMAX, IMAGES))


@pytest.mark.parametrize("name", CLASS_METRICS)
def test_a_metric_is_finite_on_two_classes(name: str) -> None:
    assert np.isfinite(step_with(name, ONE_SIGMOID, TEXTS))


@pytest.mark.parametrize("name", NUMBER_METRICS)
def test_a_metric_is_finite_on_a_number(name: str) -> None:
    assert np.isfinite(step_with(name, POSITIVE, NUMBERS))


def test_correlations_with_a_number_are_over_all_batches_as_in_numpy() -> None:
    targets = resolve_targets(
        task="regression", classes=0, loss={"type": "mean_squared_error"}, units=1, activation=None
    )
    generator = np.random.default_rng(1)
    labels = generator.normal(150, 70, ROWS)
    outputs = (labels * 0.5 + generator.normal(0, 30, ROWS)).astype(np.float32)
    names = ["pearson_correlation", "concordance_correlation"]
    found = measure([*names], targets, labels.astype(np.float32), outputs[:, None])
    assert found[names[0]] == pytest.approx(np.corrcoef(labels, outputs)[0, 1], abs=1e-5)
    spread = labels.var() + outputs.var() + (labels.mean() - outputs.mean()) ** 2
    agreement = 2 * np.cov(labels, outputs, ddof=0)[0, 1] / spread
    assert found[names[1]] == pytest.approx(agreement, abs=1e-5)


def test_mean_iou_compares_the_predicted_classes() -> None:
    labels, logits = make_outputs(3, 3)
    predicted = logits.argmax(axis=1)
    raw = {"type": "mean_iou", "num_classes": 3}
    found = measure([raw], make_targets(3, 3, None, 0.0), labels, logits)
    expected = metrics.jaccard_score(labels, predicted, average="macro")
    assert found["mean_iou"] == pytest.approx(expected, abs=1e-6)


def test_metrics_of_a_regression_equal_their_formulas() -> None:
    rest = "loss: mse\nmetrics: [mse, mae, rmse, r2]"
    network = build(POSITIVE, dataset=NUMBERS, rest=rest, eager=True)
    outputs = np.asarray(network.model(network.inputs))
    errors = outputs - network.labels
    logs = network.step()
    assert logs["mse"] == pytest.approx((errors**2).mean(), rel=1e-4)
    assert logs["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert logs["rmse"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-4)
    assert logs["r2"] == pytest.approx(metrics.r2_score(network.labels, outputs), rel=1e-3)
