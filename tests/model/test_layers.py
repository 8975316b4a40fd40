"""Does every layer of Keras that a YAML can name stand in a model and train a step?"""

from __future__ import annotations

import pytest
from example_layers import (
    ON_IDS,
    ON_IMAGES,
    ON_ONE_FEATURE,
    ON_PAIRS,
    ON_SEQUENCES,
    ON_VOLUMES,
    REFUSED,
)
from tiny_networks import IMAGES, NUMBERS, TEXTS, build, load, train_a_step

from dltrain.catalog.components import components
from dltrain.config.placement import is_augmentation
from dltrain.errors import ConfigError

SEQUENCE = "{type: reshape, target_shape: [8, 8]}"
VOLUME = "{type: reshape, target_shape: [4, 4, 4, 1]}"
PAIR = f"{SEQUENCE}, {{type: dense, units: 4, name: a}}, {{type: dense, units: 4, name: b}}"
END = "flatten, {type: dense, units: 10}"
ONE_FEATURE = "{name: synthetic_regression, rows: 100, features: 1}"

EXAMPLES = {
    **{name: (IMAGES, f"[{layers}, {END}]") for name, layers in ON_IMAGES.items()},
    **{name: (IMAGES, f"[{SEQUENCE}, {layers}, {END}]") for name, layers in ON_SEQUENCES.items()},
    **{name: (IMAGES, f"[{VOLUME}, {layers}, {END}]") for name, layers in ON_VOLUMES.items()},
    **{name: (IMAGES, f"[{PAIR}, {layers}, {END}]") for name, layers in ON_PAIRS.items()},
    **{
        name: (TEXTS, f"[{layers}, flatten, {{type: dense, units: 1}}]")
        for name, layers in ON_IDS.items()
    },
    **{
        name: (ONE_FEATURE, f"[{layers}, {{type: dense, units: 1}}]")
        for name, layers in ON_ONE_FEATURE.items()
    },
}


def refusal(layers: str, *, dataset: str = IMAGES, blocks: str = "{}") -> str:
    """Return the message with which a config is refused, when it is read or when it is built."""
    with pytest.raises(ConfigError) as caught:
        build(layers, dataset=dataset, blocks=blocks, eager=True)
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_layer_stands_in_a_model_and_trains_a_step(name: str) -> None:
    dataset, layers = EXAMPLES[name]
    network = build(layers, dataset=dataset, eager=True)
    assert f"'{name}'" in str(network.loaded.layers)
    train_a_step(network)


def test_every_layer_of_the_catalog_is_either_trained_or_refused_here() -> None:
    augmentation = {name for name in components("layers") if is_augmentation(name)}
    assert set(EXAMPLES) | set(REFUSED) | augmentation == set(components("layers"))
    assert not set(EXAMPLES) & (set(REFUSED) | augmentation)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_layer_that_fits_no_dataset_is_refused_with_the_reason(name: str) -> None:
    arguments = ", max_number: 3" if name == "max_num_bounding_boxes" else ""
    assert REFUSED[name] in refusal(f"[{{type: {name}{arguments}}}, {END}]")


def test_augmentation_is_refused_in_the_model() -> None:
    for name in filter(is_augmentation, components("layers")):
        needed = components("layers")[name].required_arguments
        arguments = "".join(
            f", {argument}: {4 if argument == 'width' else 1}" for argument in needed
        )
        with pytest.raises(ConfigError) as caught:
            load(f"[{{type: {name}{arguments}}}, {END}]")
        assert f"{name} is augmentation; inside the model it would be saved with it." in str(
            caught.value
        )
        assert "Put it under dataset.augment." in str(caught.value)


@pytest.mark.parametrize(
    "layers",
    [
        "{type: pipeline, layers: [flatten, random_flip]}",
        f"{VOLUME}, {{type: time_distributed, layer: random_flip}}",
    ],
)
def test_augmentation_is_refused_inside_a_layer_that_wraps_it(layers: str) -> None:
    assert "random_flip is augmentation" in refusal(f"[{layers}, {END}]")


@pytest.mark.parametrize("name", ["gru_cell", "lstm_cell", "simple_rnn_cell"])
def test_a_cell_is_refused_outside_rnn(name: str) -> None:
    message = refusal(f"[{SEQUENCE}, {{type: {name}, units: 2}}, {END}]")
    assert f"{name} is a part of the layer rnn." in message
    assert "{type: rnn, cell:" in message


def test_stacked_cells_are_refused_outside_rnn() -> None:
    layers = f"{SEQUENCE}, {{type: stacked_rnn_cells, cells: [{{type: gru_cell, units: 2}}]}}"
    assert "stacked_rnn_cells is a part of the layer rnn." in refusal(f"[{layers}, {END}]")


@pytest.mark.parametrize(
    ("layer", "dataset", "needed"),
    [
        ("normalization", IMAGES, "mean"),
        ("{type: discretization, num_bins: 3}", IMAGES, "bin_boundaries"),
        ("{type: integer_lookup, max_tokens: 3}", TEXTS, "vocabulary"),
    ],
)
def test_a_layer_that_would_have_to_see_the_data_first_is_refused(
    layer: str, dataset: str, needed: str
) -> None:
    units = 10 if dataset == IMAGES else 1
    message = refusal(f"[{layer}, flatten, {{type: dense, units: {units}}}]", dataset=dataset)
    assert f"needs '{needed}' in a model." in message


def test_bidirectional_is_refused_round_a_layer_that_is_not_recurrent() -> None:
    layers = f"{SEQUENCE}, {{type: bidirectional, layer: {{type: dense, units: 2}}}}"
    message = refusal(f"[{layers}, {END}]")
    assert "bidirectional wraps a recurrent layer; dense is none." in message


def test_an_impossible_kernel_is_refused_with_the_layer_and_the_shapes() -> None:
    layers = "{type: max_pooling2d, pool_size: 4}, {type: conv2d, filters: 2, kernel_size: 3}"
    message = refusal(f"[{layers}, {END}]")
    assert "model.layers[1]" in message
    assert "conv2d (conv2d) can't take an input of shape (batch, 2, 2, 1)" in message
    assert "(3, 3, 1, 2)" in message


def test_a_message_of_keras_loses_its_colours_and_its_list_of_arguments() -> None:
    message = refusal("[{type: reshape, target_shape: [3, 3]}, " + END + "]")
    assert "reshape (reshape) can't take an input of shape (batch, 8, 8, 1)" in message
    assert "\x1b" not in message
    assert "Arguments received" not in message


def test_an_output_that_is_not_one_row_of_units_is_refused() -> None:
    message = refusal(f"[{SEQUENCE}, {{type: dense, units: 10}}]")
    assert "the output must be (batch, units), but dense (dense) gives (batch, 8, 10)." in message
    assert "End the model with flatten or pooling, then dense." in message


@pytest.mark.parametrize(
    "layer",
    [
        "{type: gru, units: 2, return_state: true}",
        "{type: bidirectional, merge_mode: null, layer: {type: gru, units: 2}}",
    ],
)
def test_a_layer_with_several_outputs_is_refused(layer: str) -> None:
    assert "gives 2 outputs; a layer of a model gives one." in refusal(
        f"[{SEQUENCE}, {layer}, {END}]"
    )


def test_a_shape_that_keras_promises_but_cannot_compute_is_told_of_the_right_layer() -> None:
    # Keras accepts the value of another rank while it builds the graph.
    layers = (
        f"{SEQUENCE}, {{type: dense, units: 4, name: a}}, "
        "{type: multi_head_attention, num_heads: 2, key_dim: 2, inputs: [a, input]}"
    )
    message = refusal(f"[{layers}, {END}]")
    assert "model.layers[2]" in message
    assert "multi_head_attention (multi_head_attention) can't be computed" in message
    assert "/keras/" not in message


def test_what_keras_raises_only_when_it_computes_is_told_of_the_layer_too() -> None:
    # Keras looks for the width of a vector and raises IndexError.
    message = refusal(f"[flatten, {{type: resizing, height: 4, width: 4}}, {END}]")
    assert "model.layers[1]" in message
    assert "resizing (resizing) can't be computed: tuple index out of range" in message


def test_merging_needs_shapes_that_agree() -> None:
    layers = "{type: flatten, name: flat}, {type: concatenate, inputs: [flat, input]}"
    message = refusal(f"[{layers}, {END}]")
    assert "can't take an input of shape (batch, 64) and (batch, 8, 8, 1)" in message


@pytest.mark.parametrize(
    "name", ["inputs", "rescaling", "normalization", "float32_output", "batch-1.a"]
)
def test_a_layer_may_bear_any_name(name: str) -> None:
    train_a_step(
        build(f"[{{type: flatten, name: {name}}}, {{type: dense, units: 10}}]", eager=True)
    )
    if name == "normalization":
        layers = f"[{{type: dense, units: 2, name: {name}}}, {{type: dense, units: 1}}]"
        train_a_step(build(layers, dataset=NUMBERS, eager=True))
