"""What does the loss want? The form of the labels, from_logits, and what the outputs mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dltrain.catalog.datasets import DatasetInfo
from dltrain.config.layers import Layer
from dltrain.config.placement import LABEL_MIXING
from dltrain.config.schema import RunConfig, Spec

Encoding = Literal["integer", "one_hot", "binary", "value"]
"""integer: (batch,) int; one_hot: (batch, classes) float; binary: (batch, 1) of 0 or 1;
value: (batch, 1) float, the target of a regression."""

OutputKind = Literal["probabilities", "logits", "scores", "value"]
"""What the model's outputs are: see `dltrain.evaluation.predict.to_probabilities`."""

CROSS_ENTROPY = "cross_entropy"

# Losses that take one column of 0 and 1 (or several, one a class, then one-hot labels).
_TWO_CLASS_LOSSES = {"binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge"}
# Keras's categorical_generalized_cross_entropy makes the labels one-hot itself (3.15, losses.py).
_INTEGER_LOSSES = {
    "sparse_categorical_crossentropy",
    "circle",
    "categorical_generalized_cross_entropy",
}
# Keras's hinge losses know 0 and 1 from -1 and 1 by looking whether there is anything else.
_WHOLE_LABEL_LOSSES = _INTEGER_LOSSES | {"hinge", "squared_hinge"}
_PROBABILITY_LOSSES = {
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
    "kl_divergence",
}
_CLASS_LOSSES = (
    _TWO_CLASS_LOSSES
    | _INTEGER_LOSSES
    | {"categorical_hinge", "dice", "tversky"}
    | _PROBABILITY_LOSSES - {"kl_divergence"}
)
_OUTPUT_PRESERVING = {"dropout", "reshape", "flatten", "activity_regularization", "identity"}


@dataclass(frozen=True)
class Targets:
    """How labels are encoded, which Keras loss is used, and what the outputs are."""

    task: Literal["classification", "regression"]
    encoding: Encoding
    output: OutputKind
    loss: Spec
    classes: int
    """Number of classes; 0 for a regression."""
    units: int
    """Columns of the model's output: (batch, units)."""


class TargetsError(ValueError):
    """Loss, labels and last layer don't fit; `where` says which of `loss` and `model` is meant."""

    def __init__(
        self,
        where: Literal["loss", "model"],
        message: str,
        hint: str = "",
        *,
        expected: str | None = None,
        received: str | None = None,
    ) -> None:
        super().__init__(message)
        self.where = where
        self.message = message
        self.hint = hint
        self.expected = expected
        self.received = received


def resolve_config_targets(
    config: RunConfig, info: DatasetInfo, *, units: int, activation: str | None
) -> Targets:
    """Work out what a config's loss means for the last layer; raises as `resolve_targets` does."""
    balance = config.training.balance
    augmentations = [spec["type"] for spec in config.dataset.augment if spec is not None]
    return resolve_targets(
        task=info.task,
        classes=len(info.class_names),
        loss=config.loss,
        units=units,
        activation=activation,
        focal=balance if balance and balance["type"] == "focal_loss" else None,
        mixing=next((name for name in augmentations if name in LABEL_MIXING), None),
    )


def resolve_targets(
    *,
    task: Literal["classification", "regression"],
    classes: int,
    loss: Spec,
    units: int,
    activation: str | None,
    focal: Spec | None = None,
    mixing: str | None = None,
) -> Targets:
    """Work out what `loss` means for these labels and this last layer.

    `focal` is `training.balance` where it makes cross_entropy a focal loss; `mixing` names the
    augmentation that mixes labels, if one does. Raises TargetsError when they don't fit together.
    """
    if task == "regression":
        return _resolve_regression(loss, units)
    _check_units(classes, units, loss)
    kind = loss["type"]
    if kind == CROSS_ENTROPY:
        loss = _choose_cross_entropy(loss, units, activation, focal, soft=mixing is not None)
        kind = loss["type"]
    if mixing is not None and kind in _WHOLE_LABEL_LOSSES:
        raise TargetsError(
            "loss",
            f"{mixing} mixes the labels of two rows; {kind} takes one class a row.",
            "Use cross_entropy.",
            expected="a loss that takes shares of classes, such as cross_entropy",
            received=kind,
        )
    if kind == "ctc":
        raise TargetsError(
            "loss",
            "ctc needs a sequence of labels a row; these rows have one.",
            expected="a loss of one label a row",
            received="ctc",
        )
    if kind in _INTEGER_LOSSES:
        if units == 1:
            raise TargetsError(
                "loss",
                f"{kind} needs one unit a class, {classes}; the last layer has 1.",
                "Use binary_crossentropy or cross_entropy.",
                expected="a loss for one unit",
                received=kind,
            )
        encoding: Encoding = "integer"
    else:
        encoding = "binary" if units == 1 else "one_hot"
    return Targets(
        task="classification",
        encoding=encoding,
        output=_output_kind(loss, units, activation),
        loss=loss,
        classes=classes,
        units=units,
    )


def last_layer(layers: list[Layer]) -> tuple[int | None, str | None]:
    """Return the units (None: not to be seen without building) and the activation of the output."""
    activation: str | None = None
    for layer in reversed(layers):
        kind = layer.type
        if kind in ("softmax", "sigmoid", "relu") and activation is None:
            activation = kind
        elif kind == "activation":
            activation = activation or _activation_name(layer.arguments.get("activation"))
        elif kind in ("dense", "einsum_dense"):
            activation = activation or _activation_name(layer.arguments.get("activation"))
            units = layer.arguments.get("units")
            return (units if isinstance(units, int) else None), activation
        elif kind not in _OUTPUT_PRESERVING:
            return None, activation
    return None, activation


def _activation_name(spec: object) -> str | None:
    if isinstance(spec, dict):
        name = spec.get("type")
        return None if name == "linear" else name
    return None if spec in (None, "linear") else str(spec)


def _check_units(classes: int, units: int, loss: Spec) -> None:
    allowed = (1, 2) if classes == 2 else (classes,)
    if units not in allowed:
        wanted = " or ".join(str(count) for count in allowed)
        raise TargetsError(
            "model",
            f"the data has {classes} classes: expected {wanted} units in the last layer, "
            f"received {units}.",
            f"End the model with {{type: dense, units: {allowed[-1] if classes > 2 else 1}}}.",
            expected=f"{wanted} units",
            received=f"{units} units",
        )


def _choose_cross_entropy(
    loss: Spec, units: int, activation: str | None, focal: Spec | None, *, soft: bool
) -> Spec:
    rest = {key: value for key, value in loss.items() if key not in ("type",)}
    if units == 1:
        if activation == "softmax":
            raise TargetsError(
                "model",
                "softmax over one unit is always 1.",
                "Use sigmoid, or no activation.",
                expected="sigmoid or no activation",
                received="softmax",
            )
        common = {"from_logits": activation != "sigmoid", **rest}
        if focal is not None:
            return {"type": "binary_focal_crossentropy", **common, **_focal_binary(focal)}
        return {"type": "binary_crossentropy", **common}
    if activation == "sigmoid":
        raise TargetsError(
            "model",
            f"cross_entropy over {units} units expects softmax or no activation, received sigmoid.",
            "Leave the activation out.",
            expected="softmax or no activation",
            received="sigmoid",
        )
    if focal is not None:
        common = {"from_logits": activation != "softmax", **rest}
        return {"type": "categorical_focal_crossentropy", **common, **_focal_categorical(focal)}
    kind = "categorical_crossentropy" if rest or soft else "sparse_categorical_crossentropy"
    return {"type": kind, "from_logits": activation != "softmax", **rest}


def _focal_binary(focal: Spec) -> Spec:
    alpha = focal["alpha"]
    balancing = {} if alpha is None else {"apply_class_balancing": True, "alpha": alpha}
    return {"gamma": focal["gamma"], **balancing}


def _focal_categorical(focal: Spec) -> Spec:
    """Return the arguments; without alpha it is 1, so that gamma 0 is plain cross-entropy."""
    alpha = focal["alpha"]
    if alpha is None:
        alpha = 1.0
    elif not isinstance(alpha, list):  # two classes: as the binary form has it
        alpha = [1.0 - alpha, alpha]
    return {"gamma": focal["gamma"], "alpha": alpha}


def _resolve_regression(loss: Spec, units: int) -> Targets:
    kind = loss["type"]
    if kind == CROSS_ENTROPY or kind in _CLASS_LOSSES or kind == "ctc":
        raise TargetsError(
            "loss",
            f"the target is a number: {kind} compares classes.",
            "Use mse, mae or huber.",
            expected="a loss of numbers",
            received=kind,
        )
    if units != 1:
        raise TargetsError(
            "model",
            f"the target is one number: expected 1 unit in the last layer, received {units}.",
            "End the model with {type: dense, units: 1}.",
            expected="1 unit",
            received=f"{units} units",
        )
    return Targets("regression", "value", "value", loss, classes=0, units=1)


def _output_kind(loss: Spec, units: int, activation: str | None) -> OutputKind:
    if loss.get("from_logits"):
        return "logits"
    if activation == ("sigmoid" if units == 1 else "softmax"):
        return "probabilities"
    if activation == "sigmoid" or loss["type"] in _PROBABILITY_LOSSES:
        return "probabilities"
    return "scores"
