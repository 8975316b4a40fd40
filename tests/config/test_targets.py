"""Does each loss get the labels, the from_logits and the meaning of outputs that it needs?"""

from __future__ import annotations

from typing import Any

import pytest
from config_problems import Load, Refuse

from dltrain.config.targets import Targets, TargetsError, resolve_targets


def _resolve(
    loss: str | dict[str, Any], units: int, activation: str | None = None, classes: int = 10
) -> Targets:
    spec = {"type": loss} if isinstance(loss, str) else loss
    task = "regression" if classes == 0 else "classification"
    return resolve_targets(
        task=task, classes=classes, loss=spec, units=units, activation=activation
    )


@pytest.mark.parametrize(
    ("classes", "units", "activation", "kind", "from_logits", "encoding", "output"),
    [
        (10, 10, None, "sparse_categorical_crossentropy", True, "integer", "logits"),
        (10, 10, "softmax", "sparse_categorical_crossentropy", False, "integer", "probabilities"),
        (10, 10, "relu", "sparse_categorical_crossentropy", True, "integer", "logits"),
        (2, 2, None, "sparse_categorical_crossentropy", True, "integer", "logits"),
        (2, 2, "softmax", "sparse_categorical_crossentropy", False, "integer", "probabilities"),
        (2, 1, None, "binary_crossentropy", True, "binary", "logits"),
        (2, 1, "sigmoid", "binary_crossentropy", False, "binary", "probabilities"),
    ],
)
def test_cross_entropy_takes_the_form_of_the_last_layer(
    classes: int,
    units: int,
    activation: str | None,
    kind: str,
    from_logits: bool,
    encoding: str,
    output: str,
) -> None:
    targets = _resolve("cross_entropy", units, activation, classes)
    assert targets.loss == {"type": kind, "from_logits": from_logits}
    assert (targets.encoding, targets.output) == (encoding, output)
    assert (targets.classes, targets.units, targets.task) == (classes, units, "classification")


def test_label_smoothing_needs_one_hot_labels() -> None:
    loss = {"type": "cross_entropy", "label_smoothing": 0.1}
    targets = _resolve(loss, 10)
    assert targets.loss == {
        "type": "categorical_crossentropy",
        "from_logits": True,
        "label_smoothing": 0.1,
    }
    assert (targets.encoding, targets.output) == ("one_hot", "logits")
    binary = _resolve(loss, 1, "sigmoid", classes=2)
    assert binary.loss == {
        "type": "binary_crossentropy",
        "from_logits": False,
        "label_smoothing": 0.1,
    }
    assert (binary.encoding, binary.output) == ("binary", "probabilities")


@pytest.mark.parametrize(
    ("loss", "units", "activation", "classes", "encoding", "output"),
    [
        ("sparse_categorical_crossentropy", 10, "softmax", 10, "integer", "probabilities"),
        ("categorical_crossentropy", 10, "softmax", 10, "one_hot", "probabilities"),
        ("categorical_hinge", 10, None, 10, "one_hot", "scores"),
        ("mean_squared_error", 10, "softmax", 10, "one_hot", "probabilities"),
        ("mean_squared_error", 10, None, 10, "one_hot", "scores"),
        ("binary_crossentropy", 10, "sigmoid", 10, "one_hot", "probabilities"),
        ("binary_crossentropy", 1, "sigmoid", 2, "binary", "probabilities"),
        ("hinge", 1, None, 2, "binary", "scores"),
        ("circle", 10, None, 10, "integer", "scores"),
    ],
)
def test_loss_by_its_own_name_is_taken_literally(
    loss: str, units: int, activation: str | None, classes: int, encoding: str, output: str
) -> None:
    targets = _resolve(loss, units, activation, classes)
    assert targets.loss == {"type": loss}
    assert (targets.encoding, targets.output) == (encoding, output)


def test_loss_from_logits_has_logits_as_output() -> None:
    loss = {"type": "binary_crossentropy", "from_logits": True}
    assert _resolve(loss, 1, None, classes=2).output == "logits"


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error", "huber"])
def test_regression_takes_values(loss: str) -> None:
    targets = _resolve(loss, 1, classes=0)
    assert (targets.encoding, targets.output, targets.classes) == ("value", "value", 0)


@pytest.mark.parametrize(
    ("loss", "units", "activation", "classes", "where", "message", "hint"),
    [
        (
            "cross_entropy", 1, None, 10, "model",
            "the data has 10 classes: expected 10 units in the last layer, received 1.",
            "End the model with {type: dense, units: 10}.",
        ),
        (
            "cross_entropy", 3, None, 2, "model",
            "the data has 2 classes: expected 1 or 2 units in the last layer, received 3.",
            "End the model with {type: dense, units: 1}.",
        ),
        (
            "mean_squared_error", 7, None, 10, "model",
            "the data has 10 classes: expected 10 units in the last layer, received 7.",
            "End the model with {type: dense, units: 10}.",
        ),
        (
            "cross_entropy", 1, "softmax", 2, "model",
            "softmax over one unit is always 1.", "Use sigmoid, or no activation.",
        ),
        (
            "cross_entropy", 10, "sigmoid", 10, "model",
            "cross_entropy over 10 units expects softmax or no activation, received sigmoid.",
            "Leave the activation out.",
        ),
        (
            "sparse_categorical_crossentropy", 1, "sigmoid", 2, "loss",
            "sparse_categorical_crossentropy needs one unit a class, 2; the last layer has 1.",
            "Use binary_crossentropy or cross_entropy.",
        ),
        (
            "ctc", 10, None, 10, "loss",
            "ctc needs a sequence of labels a row; these rows have one.", "",
        ),
        (
            "cross_entropy", 1, None, 0, "loss",
            "the target is a number: cross_entropy compares classes.", "Use mse, mae or huber.",
        ),
        (
            "categorical_hinge", 1, None, 0, "loss",
            "the target is a number: categorical_hinge compares classes.",
            "Use mse, mae or huber.",
        ),
        (
            "mean_squared_error", 2, None, 0, "model",
            "the target is one number: expected 1 unit in the last layer, received 2.",
            "End the model with {type: dense, units: 1}.",
        ),
    ],
)  # fmt: skip
def test_loss_and_last_layer_that_do_not_fit_are_refused(
    loss: str,
    units: int,
    activation: str | None,
    classes: int,
    where: str,
    message: str,
    hint: str,
) -> None:
    with pytest.raises(TargetsError) as caught:
        _resolve(loss, units, activation, classes)
    assert (caught.value.where, caught.value.message, caught.value.hint) == (where, message, hint)


def _digits(*layers: str, loss: str) -> str:
    return (
        "dataset: digits\nmodel:\n  layers:\n"
        + "".join(f"    - {layer}\n" for layer in ("flatten", *layers))
        + f"loss: {loss}\n"
    )


@pytest.mark.parametrize(
    "layers",
    [
        ["{type: dense, units: 10, activation: softmax}"],
        ["{type: dense, units: 10}", "softmax"],
        ["{type: dense, units: 10}", "{type: activation, activation: softmax}"],
        ["{type: dense, units: 10, activation: {type: softmax}}"],
    ],
)
def test_softmax_is_seen_however_it_is_written(load: Load, layers: list[str]) -> None:
    loaded = load(_digits(*layers, loss="cross_entropy"))
    assert loaded.targets.loss == {
        "type": "sparse_categorical_crossentropy",
        "from_logits": False,
    }


def test_wrong_last_layer_is_refused_where_it_stands(refuse: Refuse) -> None:
    assert refuse(_digits("{type: dense, units: 9}", loss="cross_entropy")) == [
        "c.yaml:5:7 model.layers[1]: the data has 10 classes: expected 10 units in the last "
        "layer, received 9. End the model with {type: dense, units: 10}."
    ]


def test_loss_of_classes_for_a_number_is_refused_where_it_stands(refuse: Refuse) -> None:
    text = "dataset: diabetes\nmodel: {layers: [{type: dense, units: 1}]}\nloss: cross_entropy\n"
    assert refuse(text) == [
        "c.yaml:3:7 loss: the target is a number: cross_entropy compares classes. "
        "Use mse, mae or huber."
    ]


@pytest.mark.parametrize(
    ("loss", "units", "kind", "encoding"),
    [
        ("cross_entropy", 10, "categorical_crossentropy", "one_hot"),
        ("categorical_crossentropy", 10, "categorical_crossentropy", "one_hot"),
        ("mse", 10, "mse", "one_hot"),
    ],
)
def test_labels_that_are_mixed_are_shares_of_classes(
    loss: str, units: int, kind: str, encoding: str
) -> None:
    targets = resolve_targets(
        task="classification",
        classes=10,
        loss={"type": loss},
        units=units,
        activation=None,
        mixing="mix_up",
    )
    assert (targets.loss["type"], targets.encoding) == (kind, encoding)


def test_a_loss_of_one_class_a_row_is_refused_where_labels_are_mixed(refuse: Refuse) -> None:
    text = (
        "dataset: {name: digits, augment: [cut_mix]}\n"
        "model: {layers: [flatten, {type: dense, units: 10}]}\n"
        "loss: {type: sparse_categorical_crossentropy, from_logits: true}\n"
    )
    assert refuse(text) == [
        "c.yaml:3:7 loss: cut_mix mixes the labels of two rows; sparse_categorical_crossentropy "
        "takes one class a row. Use cross_entropy."
    ]
