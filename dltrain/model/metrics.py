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

Form = Literal["as_trained", "integer", "one_hot", "binary"]

_MACRO = {"precision", "recall", "f1_score"}
_INTEGER_METRICS = ("sparse_", "mean_iou", "iou", "binary_iou")


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


def adapt(y_true: Any, y_pred: Any, targets: Targets, form: Form) -> tuple[Any, Any]:
    """Return labels and outputs in `form`; logits become probabilities."""
    y_pred = ops.cast(y_pred, "float32")
    if targets.output == "logits":
        y_pred = ops.sigmoid(y_pred) if targets.units == 1 else ops.softmax(y_pred)
    if form == "as_trained":
        return y_true, y_pred
    if targets.encoding == "one_hot":
        classes = ops.argmax(y_true, axis=-1)
    else:
        classes = ops.reshape(ops.cast(y_true, "int32"), (-1,))
    if form == "integer":
        if targets.units == 1:
            y_pred = ops.concatenate([1 - y_pred, y_pred], axis=-1)
        return classes, y_pred
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
    name = spec["name"]
    if targets.task == "regression":
        return build_component("metrics", spec)
    kind = spec["type"]
    plain = set(spec) <= {"type", "name"}
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
    if kind in ("f1_score", "fbeta_score"):
        if form == "binary":
            arguments.setdefault("threshold", 0.5)
        arguments.setdefault("average", "macro")
    if kind == "auc" and form == "one_hot":
        arguments.setdefault("multi_label", True)
        arguments.setdefault("num_labels", targets.classes)
    return AdaptedMetric(build_component("metrics", arguments), targets, form, name=name)


def _choose_form(kind: str, targets: Targets) -> Form:
    if kind.startswith(_INTEGER_METRICS):
        return "integer"
    if kind.startswith(("categorical_", "one_hot_", "top_k_")):
        return "one_hot"
    two_sided = ("binary_", "precision", "recall", "auc", "f1_score", "fbeta_score")
    counting = ("true_", "false_", "sensitivity", "specificity")
    if kind.startswith(two_sided + counting):
        return "binary" if targets.classes == 2 else "one_hot"
    return "as_trained"
