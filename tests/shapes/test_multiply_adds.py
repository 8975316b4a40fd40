"""Are multiply-adds counted as TensorFlow's own profiler counts them?"""

from __future__ import annotations

from typing import Any

import pytest
from shape_tables import build, infer, load

from dltrain.shapes.infer import infer_shapes

END = "flatten, {type: dense, units: 10, use_bias: false}"

pytestmark = pytest.mark.usefixtures("engine")


def count_float_operations(model: Any) -> int:
    """Return what TensorFlow counts in the graph for one row, in products and convolutions alone.

    It counts a product and the addition that follows apart.
    """
    import tensorflow as tf
    from tensorflow.python.profiler.model_analyzer import profile
    from tensorflow.python.profiler.option_builder import ProfileOptionBuilder

    row = tf.TensorSpec((1, *model.input.shape[1:]), model.input.dtype)
    graph = tf.function(model, autograph=False).get_concrete_function(row).graph
    options = {**ProfileOptionBuilder.float_operation(), "output": "none"}
    return sum(
        int(node.float_ops)
        for node in walk(profile(graph, cmd="op", options=options))
        if node.name in PRODUCTS
    )


def walk(node: Any) -> list[Any]:
    return [node, *(found for child in node.children for found in walk(child))]


PRODUCTS = {"MatMul", "BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative"}
SEQUENCE = "{type: reshape, target_shape: [16, 4]}"
CASES = {
    "dense": "{type: dense, units: 7}",
    "dense over steps": f"{SEQUENCE}, {{type: dense, units: 7}}",
    "conv1d": f"{SEQUENCE}, {{type: conv1d, filters: 3, kernel_size: 5}}",
    "conv2d": "{type: conv2d, filters: 4, kernel_size: [3, 2], strides: 2}",
    "conv2d same": "{type: conv2d, filters: 4, kernel_size: 3, padding: same}",
    "depthwise_conv2d": "{type: depthwise_conv2d, kernel_size: 3, depth_multiplier: 2}",
    "separable_conv2d": "{type: conv2d, filters: 3, kernel_size: 1}, "
    "{type: separable_conv2d, filters: 5, kernel_size: 3}",
    "lstm": f"{SEQUENCE}, {{type: lstm, units: 3, unroll: true}}",
    "gru": f"{SEQUENCE}, {{type: gru, units: 3, unroll: true, return_sequences: true}}",
    "bidirectional": f"{SEQUENCE}, {{type: bidirectional, "
    "layer: {type: simple_rnn, units: 3, unroll: true}}",
    "attention": f"{SEQUENCE}, attention",
    "time_distributed": f"{SEQUENCE}, {{type: time_distributed, layer: {{type: dense, units: 3}}}}",
}


@pytest.mark.parametrize("name", CASES)
def test_tensorflow_counts_two_operations_for_each(name: str) -> None:
    loaded = load(f"[{CASES[name]}, flatten, {{type: dense, units: 10}}]")
    table = infer_shapes(loaded)
    assert table.multiply_adds is not None
    assert count_float_operations(build(loaded, table)) == 2 * table.multiply_adds


def test_multi_head_attention_counts_its_projections_and_its_pairs_of_steps() -> None:
    table = infer(
        f"[{SEQUENCE}, {{type: multi_head_attention, num_heads: 2, key_dim: 3, value_dim: 5}}, "
        "flatten, {type: dense, units: 10}]"
    )
    query_and_key = 2 * 16 * 4 * (2 * 3)
    value, output = 16 * 4 * (2 * 5), 16 * (2 * 5) * 4
    pairs = 2 * 16 * 16 * (3 + 5)
    assert table.layers[1].multiply_adds == query_and_key + value + output + pairs


def test_a_transposed_convolution_multiplies_each_place_by_the_whole_kernel() -> None:
    table = infer(
        "[{type: conv2d_transpose, filters: 3, kernel_size: [3, 2], strides: 2}, flatten, "
        "{type: dense, units: 10}]"
    )
    assert table.layers[0].output == (17, 16, 3)
    assert table.layers[0].multiply_adds == 8 * 8 * (3 * 2) * 1 * 3
