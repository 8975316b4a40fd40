"""How are metrics computed while training? Any Keras metric, with labels of any form.

Keras's own Precision, Recall and F1Score fail on integer labels over many classes (Keras 3.15:
"Dimensions must be equal"); here labels and outputs are first brought into the form each wants.
"""

from __future__ import annotations

from typing import Any, Literal

import keras  # noqa: TID253  (a class of Keras can't be extended without it)
from keras import ops  # noqa: TID253

from dltrain.config.targets import Targets
from dltrain.model.components import build_component

Form = Literal["integer", "class", "one_hot", "binary"]
"""integer: labels (batch,), outputs (batch, classes); class: both (batch,), the outputs' largest;
one_hot: both (batch, classes); binary: both (batch, 1)."""

_MACRO = {"precision", "recall", "f1_score"}
_CORRELATIONS = {"pearson_correlation", "concordance_correlation"}
# What says in which form these two take labels and outputs; here it is always class numbers.
_IOU_FORMS = ("sparse_y_true", "sparse_y_pred")


def build_metrics(specs: list[dict[str, Any]], targets: Targets) -> list[Any]:
    """Return a Keras metric for each spec, fed with labels as `targets` encodes them."""
    return [_build_metric(spec, targets) for spec in specs]


class AdaptedMetric(keras.metrics.Metric):  # type: ignore[misc]
    """Turn labels and outputs into the form that the metric inside wants, then ask it.

    `y_true` is as `Targets.encoding` says; `y_pred` is the model's output `(batch, units)`, turned
    into probabilities first where it is logits.
    """

    def __init__(self, inner: Any, targets: Targets, form: Form, *, name: str) -> None:
        super().__init__(name=name)
        self.inner = inner
        self.targets = targets
        self.form = form

    @property
    def variables(self) -> list[Any]:
        """Return the state of the metric inside."""
        return list(self.inner.variables)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        y_true, y_pred = adapt(y_true, y_pred, self.targets, self.form)
        self.inner.update_state(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> Any:
        """Return the value over all batches since the last reset."""
        return self.inner.result()

    def reset_state(self) -> None:
        """Forget all batches."""
        self.inner.reset_state()


class MacroMetric(keras.metrics.Metric):  # type: ignore[misc]
    """Precision, recall or F1 of the predicted class, averaged over the classes with labels.

    Keeps the confusion matrix `(classes, classes)`, rows true and columns predicted. Equals
    scikit-learn's `average="macro"` with `zero_division=0` over the classes present in the labels.
    """

    def __init__(self, kind: str, classes: int, *, name: str) -> None:
        super().__init__(name=name)
        self.kind = kind
        self.classes = classes
        self.confusion = self.add_variable(
            (classes, classes), initializer="zeros", name="confusion", dtype="float32"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: `y_true` (batch,) class numbers, `y_pred` (batch, classes)."""
        true = ops.one_hot(ops.reshape(ops.cast(y_true, "int32"), (-1,)), self.classes)
        predicted = ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)
        if sample_weight is not None:
            true = true * ops.reshape(ops.cast(sample_weight, true.dtype), (-1, 1))
        self.confusion.assign_add(ops.matmul(ops.transpose(true), predicted))

    def result(self) -> Any:
        """Return the macro average, a float32 scalar from 0 to 1."""
        hits = ops.diagonal(self.confusion)
        support = ops.sum(self.confusion, axis=1)
        predicted = ops.sum(self.confusion, axis=0)
        if self.kind == "precision":
            value = _divide(hits, predicted)
        elif self.kind == "recall":
            value = _divide(hits, support)
        else:
            value = _divide(2 * hits, support + predicted)
        present = ops.cast(support > 0, value.dtype)
        return _divide(ops.sum(value * present), ops.sum(present))


class CorrelationMetric(keras.metrics.Metric):  # type: ignore[misc]
    """Correlate one column of outputs with the labels, over all batches.

    Keras's own correlates along the last axis, which is undefined for one column. `concordance` is
    Lin's coefficient (1989, Biometrics 45:255), else Pearson's; 0 where either side is constant.
    """

    def __init__(self, *, concordance: bool, name: str) -> None:
        super().__init__(name=name)
        self.concordance = concordance
        # float64: the variance is the small difference of large sums.
        self.sums = self.add_variable((6,), initializer="zeros", name="sums", dtype="float64")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: `y_true` and `y_pred` (batch, 1)."""
        true = ops.reshape(ops.cast(y_true, "float64"), (-1,))
        predicted = ops.reshape(ops.cast(y_pred, "float64"), (-1,))
        weight = ops.ones_like(true)
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float64"), (-1,))
        terms = (weight, true, predicted, true**2, predicted**2, true * predicted)
        products = [terms[0], *(weight * term for term in terms[1:])]
        self.sums.assign_add(ops.stack([ops.sum(product) for product in products]))

    def result(self) -> Any:
        """Return the coefficient, from -1 to 1."""
        means = self.sums / ops.maximum(self.sums[0], 1.0)
        variance = means[3] - means[1] ** 2
        predicted_variance = means[4] - means[2] ** 2
        covariance = means[5] - means[1] * means[2]
        if self.concordance:
            spread = variance + predicted_variance + (means[1] - means[2]) ** 2
            value = _divide(2 * covariance, spread)
        else:
            value = _divide(covariance, ops.sqrt(ops.maximum(variance * predicted_variance, 0.0)))
        return ops.cast(value, "float32")


def adapt(y_true: Any, y_pred: Any, targets: Targets, form: Form) -> tuple[Any, Any]:
    """Return labels and outputs in `form`; logits become probabilities."""
    y_pred = ops.cast(y_pred, "float32")
    if targets.output == "logits":
        y_pred = ops.sigmoid(y_pred) if targets.units == 1 else ops.softmax(y_pred)
    if targets.encoding == "one_hot":
        classes = ops.argmax(y_true, axis=-1)
    else:
        classes = ops.reshape(ops.cast(y_true, "int32"), (-1,))
    if form == "integer":
        if targets.units == 1:
            y_pred = ops.concatenate([1 - y_pred, y_pred], axis=-1)
        return classes, y_pred
    if form == "class":
        predicted = y_pred[:, 0] > 0.5 if targets.units == 1 else ops.argmax(y_pred, axis=-1)
        return classes, ops.cast(predicted, "int32")
    if form == "one_hot":
        if targets.units == 1:
            y_pred = ops.concatenate([1 - y_pred, y_pred], axis=-1)
        return ops.one_hot(classes, targets.classes), y_pred
    # One column: the probability of class 1.
    if targets.units > 1:
        y_pred = y_pred[:, 1:2]
    return ops.reshape(ops.cast(classes, "float32"), (-1, 1)), y_pred


def _divide(numerator: Any, denominator: Any) -> Any:
    """Divide, with 0 where the denominator is 0."""
    safe = ops.where(denominator > 0, denominator, ops.ones_like(denominator))
    return ops.where(denominator > 0, numerator / safe, ops.zeros_like(denominator))


def _build_metric(spec: dict[str, Any], targets: Targets) -> Any:
    name, kind = spec["name"], spec["type"]
    plain = set(spec) <= {"type", "name"}
    if kind in _CORRELATIONS and plain and targets.units == 1:
        correlation = CorrelationMetric(concordance=kind.startswith("concordance"), name=name)
        if targets.task == "regression":
            return correlation
        return AdaptedMetric(correlation, targets, "binary", name=name)
    if targets.task == "regression":
        return build_component("metrics", spec)
    if kind == "accuracy":
        inner = keras.metrics.SparseCategoricalAccuracy()
        return AdaptedMetric(inner, targets, "integer", name=name)
    if kind in _MACRO and plain and targets.classes > 2:
        short = "f1" if kind == "f1_score" else kind
        return AdaptedMetric(
            MacroMetric(short, targets.classes, name=name), targets, "integer", name=name
        )
    arguments = dict(spec)
    form = _choose_form(kind, targets)
    if form == "class":
        arguments = {key: value for key, value in spec.items() if key not in _IOU_FORMS}
    if kind in ("f1_score", "fbeta_score"):
        if form == "binary":
            arguments.setdefault("threshold", 0.5)
        arguments.setdefault("average", "macro")
    if kind == "auc" and form == "one_hot":
        arguments.setdefault("multi_label", True)
        arguments.setdefault("num_labels", targets.classes)
    return AdaptedMetric(build_component("metrics", arguments), targets, form, name=name)


def _choose_form(kind: str, targets: Targets) -> Form:
    if kind.startswith("sparse_"):
        return "integer"
    if kind in ("iou", "mean_iou"):
        return "class"
    if kind.startswith(("categorical_", "one_hot_", "top_k_")):
        return "one_hot"
    two_sided = ("binary_", "precision", "recall", "auc", "f1_score", "fbeta_score")
    counting = ("true_", "false_", "sensitivity", "specificity")
    if kind.startswith(two_sided + counting):
        return "binary" if targets.classes == 2 else "one_hot"
    # The others compare labels with outputs column by column.
    return "binary" if targets.units == 1 else "one_hot"
