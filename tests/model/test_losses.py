"""Does every loss train a step on the labels it wants, and equal what its formula gives?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tiny_networks import NUMBERS, TEXTS, Network, build, train_a_step

from dltrain.catalog.components import components
from dltrain.errors import ConfigError

MANY = "[flatten, {type: dense, units: 10}]"
MANY_SOFTMAX = "[flatten, {type: dense, units: 10, activation: softmax}]"
EMBEDDED = "{type: embedding, input_dim: 12, output_dim: 2}, flatten"
ONE = f"[{EMBEDDED}, {{type: dense, units: 1}}]"
ONE_SIGMOID = f"[{EMBEDDED}, {{type: dense, units: 1, activation: sigmoid}}]"
TWO_SOFTMAX = f"[{EMBEDDED}, {{type: dense, units: 2, activation: softmax}}]"
NUMBER = "[{type: dense, units: 1}]"
POSITIVE = "[{type: dense, units: 1, activation: softplus}]"

# The losses of a task; those of `NUMBER_LOSSES` serve classification too, on one-hot labels.
CLASS_LOSSES = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "dice",
    "hinge",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
NUMBER_LOSSES = [
    "cosine_similarity",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
]


def test_every_loss_of_the_catalog_is_named_here() -> None:
    assert {*CLASS_LOSSES, *NUMBER_LOSSES, "ctc"} == set(components("losses"))


@pytest.mark.parametrize("name", CLASS_LOSSES + NUMBER_LOSSES)
def test_a_loss_trains_a_step_on_ten_classes(name: str) -> None:
    # Two rows a class: circle compares rows of one class.
    train_a_step(build(MANY_SOFTMAX, rest=f"loss: {name}", rows=20, eager=True))


@pytest.mark.parametrize("name", NUMBER_LOSSES)
def test_a_loss_trains_a_step_on_a_number(name: str) -> None:
    rest = f"loss: {name}"
    if name == "cosine_similarity":
        # The cosine of two numbers is their sign: its gradient is 0.
        assert np.isfinite(build(NUMBER, dataset=NUMBERS, rest=rest, eager=True).step()["loss"])
    else:
        train_a_step(build(POSITIVE, dataset=NUMBERS, rest=rest, eager=True))


@pytest.mark.parametrize(
    "name", ["binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge", "mse"]
)
def test_a_loss_trains_a_step_on_two_classes_and_one_unit(name: str) -> None:
    network = build(ONE_SIGMOID, dataset=TEXTS, rest=f"loss: {name}", eager=True)
    assert network.labels.shape == (10, 1)
    train_a_step(network)


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_a_loss_trains_a_step_on_two_classes_and_two_units(name: str) -> None:
    train_a_step(build(TWO_SOFTMAX, dataset=TEXTS, rest=f"loss: {name}", eager=True))


@pytest.mark.parametrize(
    "name",
    ["categorical_generalized_cross_entropy", "circle", "sparse_categorical_crossentropy"],
)
def test_a_loss_that_wants_a_unit_a_class_refuses_one_unit(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(ONE, dataset=TEXTS, rest=f"loss: {name}")
    assert f"{name} needs one unit a class, 2; the last layer has 1." in str(caught.value)


def test_ctc_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError) as caught:
        build(MANY, rest="loss: ctc")
    assert "ctc needs a sequence of labels a row; these rows have one." in str(caught.value)


@pytest.mark.parametrize("name", ["cross_entropy", *CLASS_LOSSES, "ctc"])
def test_a_loss_over_classes_is_refused_for_a_number(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(NUMBER, dataset=NUMBERS, rest=f"loss: {name}")
    assert f"the target is a number: {name} compares classes." in str(caught.value)
    assert "Use mse, mae or huber." in str(caught.value)


def outputs_and_labels(network: Network) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the outputs before training and the labels, both `(rows, units)`."""
    outputs = np.asarray(network.model(network.inputs)).astype(np.float64)
    return outputs, network.labels.astype(np.float64)


def log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the logarithms of softmax over the last axis."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def test_cross_entropy_over_logits_is_the_log_of_softmax_at_the_label() -> None:
    network = build(MANY, rest="loss: cross_entropy", eager=True)
    outputs, labels = outputs_and_labels(network)
    expected = -log_softmax(outputs)[np.arange(10), labels.astype(int)].mean()
    assert network.targets.output == "logits"
    assert network.step()["loss"] == pytest.approx(expected, rel=1e-4)


def test_cross_entropy_after_softmax_does_not_apply_softmax_again() -> None:
    network = build(MANY_SOFTMAX, rest="loss: cross_entropy", eager=True)
    outputs, labels = outputs_and_labels(network)
    expected = -np.log(outputs[np.arange(10), labels.astype(int)]).mean()
    assert network.targets.output == "probabilities"
    assert network.step()["loss"] == pytest.approx(expected, rel=1e-4)


def test_label_smoothing_mixes_the_uniform_distribution_into_the_labels() -> None:
    rest = "loss: {type: cross_entropy, label_smoothing: 0.2}"
    network = build(MANY, rest=rest, eager=True)
    outputs, labels = outputs_and_labels(network)
    assert labels.shape == (10, 10)
    expected = -((0.8 * labels + 0.02) * log_softmax(outputs)).sum(axis=1).mean()
    assert network.step()["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("layers", [ONE, ONE_SIGMOID])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_cross_entropy_smooths_towards_one_half(layers: str, smoothing: float) -> None:
    rest = f"loss: {{type: cross_entropy, label_smoothing: {smoothing}}}"
    network = build(layers, dataset=TEXTS, rest=rest, eager=True)
    outputs, labels = outputs_and_labels(network)
    probabilities = 1 / (1 + np.exp(-outputs)) if layers == ONE else outputs
    labels = labels * (1 - smoothing) + smoothing / 2
    losses = -labels * np.log(probabilities) - (1 - labels) * np.log(1 - probabilities)
    assert network.step()["loss"] == pytest.approx(losses.mean(), rel=1e-4)


def test_generalized_cross_entropy_reads_class_numbers() -> None:
    rest = "loss: {type: categorical_generalized_cross_entropy, q: 0.7}"
    network = build(MANY_SOFTMAX, rest=rest, eager=True)
    outputs, labels = outputs_and_labels(network)
    right = outputs[np.arange(10), labels.astype(int)]
    assert network.step()["loss"] == pytest.approx(((1 - right**0.7) / 0.7).mean(), rel=1e-4)


def huber(errors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return Huber's loss with delta 0.5."""
    size = np.abs(errors)
    return np.where(size <= 0.5, 0.5 * size**2, 0.5 * size - 0.125)


@pytest.mark.parametrize(("layers", "dataset"), [(MANY_SOFTMAX, ""), (NUMBER, NUMBERS)])
@pytest.mark.parametrize(
    ("loss", "formula"),
    [("mse", np.square), ("mae", np.abs), ("{type: huber, delta: 0.5}", huber)],
)
def test_mse_mae_and_huber_average_over_rows_and_units(
    layers: str, dataset: str, loss: str, formula: object
) -> None:
    options = {"dataset": dataset} if dataset else {}
    network = build(layers, rest=f"loss: {loss}", eager=True, **options)
    outputs, labels = outputs_and_labels(network)
    assert labels.shape == outputs.shape
    assert callable(formula)
    assert network.step()["loss"] == pytest.approx(formula(outputs - labels).mean(), rel=1e-4)
