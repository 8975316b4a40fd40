"""Which weights are penalized, and by how much? By L1 and L2, of a layer or of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_networks import TEXTS, Network, build, train_a_step

TWO_DENSE = "[flatten, {{type: dense, units: 3{own}}}, {{type: dense, units: 10}}]"


def penalty(network: Network) -> float:
    """Return what the model adds to the loss."""
    return float(sum(float(loss) for loss in network.model.losses))


def size(weights: Any, *, l1: float = 0.0, l2: float = 0.0) -> float:
    """Return the penalty of one weight matrix."""
    values = np.asarray(weights, dtype=np.float64)
    return float(l1 * np.abs(values).sum() + l2 * (values**2).sum())


def kernels(network: Network) -> list[Any]:
    """Return the kernels of the dense layers."""
    return [layer.kernel for layer in network.model.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("factors", [{"l1": 0.02}, {"l2": 0.03}, {"l1": 0.02, "l2": 0.03}])
def test_the_default_penalty_is_that_of_every_kernel_and_of_no_bias(
    factors: dict[str, float],
) -> None:
    network = build(TWO_DENSE.format(own=""), rest=f"regularization: {factors}", eager=True)
    for layer in network.model.layers:
        if hasattr(layer, "bias"):
            layer.bias.assign(np.ones(layer.bias.shape))
    expected = sum(size(kernel, **factors) for kernel in kernels(network))
    assert penalty(network) == pytest.approx(expected, rel=1e-5)
    train_a_step(network)


def test_the_penalty_is_part_of_the_training_loss() -> None:
    plain = build(TWO_DENSE.format(own=""), eager=True)
    network = build(TWO_DENSE.format(own=""), rest="regularization: {l2: 0.1}", eager=True)
    plain.model.set_weights(network.model.get_weights())
    expected = penalty(network)
    assert network.step()["loss"] - plain.step()["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("own", "factors"),
    [
        ("{type: l1, l1: 0.5}", {"l1": 0.5}),
        ("{type: l2, l2: 0.5}", {"l2": 0.5}),
        ("{type: l1_l2, l1: 0.5, l2: 0.25}", {"l1": 0.5, "l2": 0.25}),
        ("null", {}),
    ],
)
def test_a_regularizer_of_the_layer_wins_over_the_default(
    own: str, factors: dict[str, float]
) -> None:
    layers = TWO_DENSE.format(own=f", kernel_regularizer: {own}")
    network = build(layers, rest="regularization: {l2: 0.1}", eager=True)
    first, second = kernels(network)
    expected = size(first, **factors) + size(second, l2=0.1)
    assert penalty(network) == pytest.approx(expected, rel=1e-5)


def test_a_bias_and_an_embedding_are_penalized_only_by_name() -> None:
    layers = (
        "[{type: embedding, input_dim: 12, output_dim: 2, embeddings_regularizer: "
        "{type: l2, l2: 0.5}}, flatten, {type: dense, units: 1}]"
    )
    network = build(layers, dataset=TEXTS, rest="regularization: {l1: 0.1}", eager=True)
    table = network.model.get_layer("embedding").embeddings
    expected = size(table, l2=0.5) + size(kernels(network)[0], l1=0.1)
    assert penalty(network) == pytest.approx(expected, rel=1e-5)
    without = build(
        layers.replace(", embeddings_regularizer: {type: l2, l2: 0.5}", ""),
        dataset=TEXTS,
        rest="regularization: {l1: 0.1}",
        eager=True,
    )
    assert penalty(without) == pytest.approx(size(kernels(without)[0], l1=0.1), rel=1e-5)


def test_both_directions_of_a_wrapped_layer_are_penalized() -> None:
    layers = (
        "[{type: reshape, target_shape: [8, 8]}, {type: bidirectional, layer: {type: gru, "
        "units: 2, bias_initializer: ones}}, {type: dense, units: 10}]"
    )
    network = build(layers, rest="regularization: {l2: 0.1}", eager=True)
    both = network.model.get_layer("bidirectional")
    cells = [both.forward_layer.cell, both.backward_layer.cell]
    expected = size(network.model.get_layer("dense").kernel, l2=0.1)
    expected += sum(size(w, l2=0.1) for cell in cells for w in (cell.kernel, cell.recurrent_kernel))
    assert penalty(network) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        "{type: rnn, cell: {type: gru_cell, units: 2}}",
        "{type: rnn, cell: [{type: gru_cell, units: 2}]}",
        "{type: rnn, cell: {type: stacked_rnn_cells, cells: [{type: gru_cell, units: 2}]}}",
        "{type: pipeline, layers: [flatten, {type: dense, units: 2}]}",
        "{type: time_distributed, layer: {type: dense, units: 2}}, flatten",
    ],
)
def test_the_default_reaches_what_other_layers_hold(layer: str) -> None:
    layers = f"[{{type: reshape, target_shape: [8, 8]}}, {layer}, {{type: dense, units: 10}}]"
    network = build(layers, rest="regularization: {l2: 0.1}", eager=True)
    weights = [w for w in network.model.trainable_weights if "kernel" in w.path]
    assert len(weights) > 1
    assert penalty(network) == pytest.approx(sum(size(w, l2=0.1) for w in weights), rel=1e-5)


@pytest.mark.parametrize("layer", ["separable_conv2d", "depthwise_conv2d", "conv2d_transpose"])
def test_every_kernel_of_a_convolution_is_penalized(layer: str) -> None:
    filters = "" if layer == "depthwise_conv2d" else "filters: 2, "
    layers = f"[{{type: {layer}, {filters}kernel_size: 3}}, flatten, {{type: dense, units: 10}}]"
    network = build(layers, rest="regularization: {l2: 0.1}", eager=True)
    weights = [w for w in network.model.trainable_weights if "kernel" in w.path]
    assert penalty(network) == pytest.approx(sum(size(w, l2=0.1) for w in weights), rel=1e-5)
