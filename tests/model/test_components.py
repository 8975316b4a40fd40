"""Does every activation, initializer, constraint, regularizer and optimizer train a step?"""

from __future__ import annotations

import numpy as np
import pytest
from tiny_networks import CLASSIFIER, NUMBERS, REGRESSOR, SMALL, build, train_a_step

from dltrain.catalog.components import components
from dltrain.errors import ConfigError


def with_dense(argument: str, value: str) -> str:
    """Return a network whose first dense layer of 3 units has one more argument."""
    return f"[flatten, {{type: dense, units: 3, {argument}: {value}}}, {{type: dense, units: 10}}]"


def test_glu_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError) as caught:
        build(with_dense("activation", "glu"))
    assert "glu halves the units, which Keras's layers don't reckon with." in str(caught.value)


@pytest.mark.parametrize("name", [name for name in components("activations") if name != "glu"])
def test_an_activation_trains_a_step(name: str) -> None:
    layers = f"[flatten, {{type: dense, units: 4, activation: {name}}}, {{type: dense, units: 10}}]"
    train_a_step(build(layers, eager=True))


@pytest.mark.parametrize(
    "activation",
    [
        "{type: leaky_relu, negative_slope: 0.05}",
        "{type: relu, max_value: 2, threshold: 0.1}",
        "{type: elu, alpha: 0.5}",
        "{type: softmax, axis: -1}",
    ],
)
def test_an_activation_with_arguments_trains_a_step(activation: str) -> None:
    train_a_step(build(with_dense("activation", activation), eager=True))


def test_the_arguments_of_an_activation_reach_the_computation() -> None:
    layers = "[{type: activation, activation: {type: leaky_relu, negative_slope: 0.05}}, "
    network = build(layers + "{type: dense, units: 1}]", dataset=NUMBERS, eager=True)
    layer = network.model.get_layer("activation")
    values = layer(np.array([[-2.0, 3.0]], "float32"))
    np.testing.assert_allclose(values, [[-0.1, 3.0]], rtol=1e-6)


def test_an_activation_without_such_a_layer_takes_no_arguments() -> None:
    with pytest.raises(ConfigError) as caught:
        build(with_dense("activation", "{type: celu, alpha: 2}"))
    assert "the activation celu takes no arguments here; write its bare name." in str(caught.value)


# What stands where a bare name won't do, or where a kernel of `(64, 3)` won't.
INITIALIZERS = {
    "constant": "{type: constant, value: 0.1}",
    "identity": "{type: identity, gain: 0.5}",
    "random_normal": "{type: random_normal, stddev: 0.2, seed: 1}",
    "random_uniform": "{type: random_uniform, minval: -0.2, maxval: 0.2}",
    "stft": None,
}


@pytest.mark.parametrize("name", components("initializers"))
def test_an_initializer_trains_a_step(name: str) -> None:
    spec = INITIALIZERS.get(name, name)
    if spec is None:
        # It fills the kernel of a Fourier transform: (frame, 1, bins) of a one-dimensional one.
        layers = (
            "[{type: reshape, target_shape: [64, 1]}, {type: conv1d, filters: 9, kernel_size: 16, "
            f"strides: 8, kernel_initializer: {{type: {name}, side: real, window: hann}}}}, "
            "flatten, {type: dense, units: 10}]"
        )
    else:
        layers = with_dense("kernel_initializer", spec)
    train_a_step(build(layers, eager=True))


def test_initializers_of_one_seed_differ_from_layer_to_layer() -> None:
    layers = "[flatten, {type: dense, units: 64}, {type: dense, units: 64}, " + CLASSIFIER[10:]
    first, second = (layer.kernel.numpy() for layer in build(layers, eager=True).model.layers[3:5])
    assert not np.array_equal(first, second)


CONSTRAINTS = {
    "max_norm": "{type: max_norm, max_value: 0.5}",
    "min_max_norm": "{type: min_max_norm, min_value: 0.2, max_value: 0.5}",
}


@pytest.mark.parametrize("name", components("constraints"))
def test_a_constraint_trains_a_step_and_holds(name: str) -> None:
    network = build(with_dense("kernel_constraint", CONSTRAINTS.get(name, name)), eager=True)
    train_a_step(network)
    kernel = network.model.get_layer("dense").kernel.numpy()
    norms = np.linalg.norm(kernel, axis=0)
    if name == "non_neg":
        assert kernel.min() >= 0
    elif name == "unit_norm":
        np.testing.assert_allclose(norms, 1, atol=1e-4)
    else:
        assert norms.max() <= 0.5001


REGULARIZERS = {
    "l1": "{type: l1, l1: 0.1}",
    "l2": "{type: l2, l2: 0.1}",
    "l1l2": "{type: l1l2, l1: 0.1, l2: 0.2}",
    "orthogonal_regularizer": "{type: orthogonal_regularizer, factor: 0.1, mode: columns}",
}


@pytest.mark.parametrize("name", components("regularizers"))
@pytest.mark.parametrize("argument", ["kernel_regularizer", "activity_regularizer"])
def test_a_regularizer_trains_a_step_and_adds_to_the_loss(name: str, argument: str) -> None:
    network = build(with_dense(argument, REGULARIZERS[name]), eager=True)
    bare = build(with_dense("use_bias", "true"), eager=True)
    bare.model.set_weights(network.model.get_weights())
    assert train_a_step(network)["loss"] > train_a_step(bare)["loss"]


OPTIMIZERS = {
    "adafactor": "{type: adafactor, learning_rate: 0.1}",
    "loss_scale_optimizer": "{type: loss_scale_optimizer, inner_optimizer: {type: sgd}}",
}


@pytest.mark.parametrize("name", components("optimizers"))
def test_an_optimizer_trains_a_step(name: str) -> None:
    network = build(SMALL, rest=f"optimizer: {OPTIMIZERS.get(name, name)}", eager=True)
    for _ in range(2):  # with momentum and averages, the second step differs from the first
        train_a_step(network)


@pytest.mark.parametrize(
    "optimizer",
    [
        "{type: sgd, learning_rate: 1}",
        "{type: sgd, learning_rate: 0.1, momentum: 0.9, nesterov: true}",
        "{type: sgd, momentum: 0, clipnorm: 1}",
        "{type: adamw, weight_decay: 0.01}",
        "{type: adam, amsgrad: true, use_ema: true, ema_momentum: 0.9}",
        "{type: rmsprop, momentum: 0.5, centered: true}",
        "{type: muon, learning_rate: 0.02}",
    ],
)
def test_an_optimizer_with_arguments_trains_a_step(optimizer: str) -> None:
    train_a_step(build(REGRESSOR, dataset=NUMBERS, rest=f"optimizer: {optimizer}", eager=True))


def test_plain_sgd_moves_each_weight_by_the_rate_times_its_gradient() -> None:
    rest = "loss: mse\noptimizer: {type: sgd, learning_rate: 0.25}"
    layers = "[{type: dense, units: 1, use_bias: false}]"
    network = build(layers, dataset=NUMBERS, rest=rest, eager=True)
    before = network.model.get_layer("dense").kernel.numpy()
    scaled = (network.inputs - 0.5) / 2.0
    residuals = scaled @ before - network.labels
    gradient = 2 * scaled.T @ residuals / len(scaled)
    network.step()
    after = network.model.get_layer("dense").kernel.numpy()
    np.testing.assert_allclose(after, before - 0.25 * gradient, rtol=1e-4, atol=1e-5)


def test_momentum_carries_the_first_step_into_the_second() -> None:
    rest = "loss: mse\noptimizer: {type: sgd, learning_rate: 0.01, momentum: 0.9}"
    layers = "[{type: dense, units: 1, use_bias: false}]"
    network = build(layers, dataset=NUMBERS, rest=rest, eager=True)
    scaled = (network.inputs - 0.5) / 2.0
    weights, velocity = [network.model.get_layer("dense").kernel.numpy()], 0.0
    for _ in range(2):
        gradient = 2 * scaled.T @ (scaled @ weights[-1] - network.labels) / len(scaled)
        velocity = 0.9 * velocity - 0.01 * gradient
        weights.append(weights[-1] + velocity)
        network.step()
    kernel = network.model.get_layer("dense").kernel.numpy()
    np.testing.assert_allclose(kernel, weights[-1], rtol=1e-4, atol=1e-5)
