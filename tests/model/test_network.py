"""Is the network the graph that the config draws? Blocks, merges, attention, precision, summary."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_networks import IMAGES, NUMBERS, TEXTS, Network, build, load, make_data, train_a_step

from dltrain.config.load import load_config
from dltrain.errors import ConfigError
from dltrain.model.network import InputSpec, LayerError, Normalization, build_network
from dltrain.model.summary import summarize_model
from dltrain.training.prepare import prepare_network

CONFIGS = Path(__file__).parents[2] / "configs"


def run(network: Network) -> np.ndarray:
    """Return the outputs for the network's own rows."""
    return np.asarray(network.model(network.inputs))


def test_normalization_is_the_first_layer_of_the_model() -> None:
    layers = [*load("[{type: dense, units: 1}]", dataset=NUMBERS).layers]
    spec = InputSpec((2,), "float32", Normalization((1.0, -1.0), (2.0, 0.5)))
    model = build_network(layers, spec, name="a.b-c")
    assert model.layers[1].name == "normalization"
    scaled = model.layers[1](np.array([[3.0, 0.0]], "float32"))
    np.testing.assert_allclose(scaled, [[1.0, 2.0]], rtol=1e-6)


def test_images_are_divided_by_their_largest_value() -> None:
    network = build("[flatten, {type: dense, units: 10}]", eager=True)
    scaled = network.model.get_layer("rescaling")(network.inputs)
    np.testing.assert_allclose(scaled, network.inputs / 16, rtol=1e-6)


def test_a_graph_joins_the_layers_that_it_names() -> None:
    layers = (
        "[{type: flatten, name: flat}, {type: dense, units: 4, name: left}, "
        "{type: dense, units: 4, name: right, inputs: [flat]}, "
        "{type: add, inputs: [left, right], name: sum}, "
        "{type: concatenate, inputs: [sum, left, flat]}, {type: dense, units: 10}]"
    )
    network = build(layers, eager=True)
    left, right = (network.model.get_layer(name) for name in ("left", "right"))
    flat = network.inputs.reshape(10, -1) / 16
    joined = network.model.get_layer("concatenate").output
    values = keras.Model(network.model.input, joined)(network.inputs)
    first = flat @ left.kernel.numpy()
    expected = np.concatenate([first + flat @ right.kernel.numpy(), first, flat], axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
    train_a_step(network)


def test_blocks_take_parameters_and_repeat() -> None:
    blocks = (
        "{unit: {parameters: {width: 5}, layers: [{type: dense, units: $width, activation: relu}, "
        "{type: dense, units: 64, name: out}, {type: add, inputs: [out, input]}]}}"
    )
    layers = (
        "[flatten, {block: unit, repeat: 2}, {block: unit, width: 7}, {type: dense, units: 10}]"
    )
    network = build(layers, blocks=blocks, eager=True)
    widths = [layer.units for layer in network.model.layers if hasattr(layer, "units")]
    assert widths == [5, 64, 5, 64, 7, 64, 10]
    train_a_step(network)


def test_resnet20_has_the_published_number_of_parameters() -> None:
    loaded = load_config(CONFIGS / "cifar10_resnet20.yaml")
    model, _ = prepare_network(loaded, make_data(loaded, rows=10))
    # He et al. 2015, table 6: 0.27 M.
    assert round(summarize_model(model).trainable_parameters / 1e6, 2) == 0.27


@pytest.mark.parametrize(
    "layer",
    [
        "{type: multi_head_attention, num_heads: 2, key_dim: 3}",
        "{type: group_query_attention, head_dim: 2, num_query_heads: 2, num_key_value_heads: 1}",
        "attention",
        "additive_attention",
    ],
)
def test_attention_with_one_input_attends_from_it_to_itself(layer: str) -> None:
    layers = f"[{{type: embedding, input_dim: 12, output_dim: 4}}, {layer}, flatten, "
    network = build(layers + "{type: dense, units: 1}]", dataset=TEXTS, eager=True)
    embedded = network.model.layers[1](network.inputs)
    attention = network.model.layers[2]
    pair = [embedded, embedded]
    value = attention(*pair) if "num_" in layer else attention(pair)
    part = keras.Model(network.model.input, network.model.layers[2].output)
    np.testing.assert_allclose(part(network.inputs), value, rtol=1e-5)
    train_a_step(network)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_the_output_is_float32_in_mixed_precision(precision: str) -> None:
    keras.config.set_dtype_policy(precision)
    try:
        network = build("[flatten, {type: dense, units: 10}]", rest="metrics: [accuracy, f1]")
        assert network.model.get_layer("dense").compute_dtype == precision.removeprefix("mixed_")
        assert network.model.get_layer("dense").kernel.dtype == "float32"
        assert run(network).dtype == np.float32
        assert np.isfinite(network.step()["loss"])
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_summary_has_a_row_a_layer_with_shapes_and_parameters_of_keras() -> None:
    layers = (
        "[{type: conv2d, filters: 2, kernel_size: 3}, batch_normalization, flatten, "
        "{type: dense, units: 4, trainable: false}, {type: dense, units: 10}]"
    )
    model = build(layers, eager=True).model
    summary = summarize_model(model)
    assert [(row.name, row.type, row.shape, row.parameters) for row in summary.layers] == [
        ("rescaling", "Rescaling", (8, 8, 1), 0),
        ("conv2d", "Conv2D", (6, 6, 2), 20),
        ("batch_normalization", "BatchNormalization", (6, 6, 2), 8),
        ("flatten", "Flatten", (72,), 0),
        ("dense", "Dense", (4,), 292),
        ("dense_1", "Dense", (10,), 50),
    ]
    assert summary.parameters == model.count_params() == 370
    assert summary.trainable_parameters == 20 + 4 + 50


@pytest.mark.parametrize(
    ("layers", "dataset", "message"),
    [
        ("[flatten, {type: dense, units: 7}]", IMAGES, "expected 10 units in the last layer"),
        ("[{type: dense, units: 2}]", NUMBERS, "expected 1 unit in the last layer, received 2"),
        # Units that only the built model shows.
        (
            "[{type: conv2d, filters: 7, kernel_size: 3}, global_max_pooling2d]",
            IMAGES,
            "received 7",
        ),
    ],
)
def test_units_that_do_not_fit_the_labels_are_refused(
    layers: str, dataset: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        build(layers, dataset=dataset, eager=True)
    assert message in str(caught.value)


def test_a_layer_error_carries_the_place_in_the_config() -> None:
    layers = [
        *load(
            "[{type: conv2d, filters: 2, kernel_size: 3}, flatten, " + "{type: dense, units: 10}]"
        ).layers
    ]
    with pytest.raises(LayerError) as caught:
        build_network(layers, InputSpec((2, 2, 1), "float32"), name="tiny")
    assert caught.value.path == ("model", "layers", 0)
    assert "can't take an input of shape (batch, 2, 2, 1)" in caught.value.message
