"""Are multiply-adds counted as TensorFlow's own profiler counts them?"""

from __future__ import annotations

from typing import Any

import pytest
from shape_tables import build, load

from dltrain.shapes.infer import infer_shapes

END = "flatten, {type: dense, units: 10, use_bias: false}"

pytestmark = pytest.mark.usefixtures("engine")


def count_products(model: Any) -> int:
    """Return half of the float operations of all matrix products and convolutions for one row.

    TensorFlow counts a product and an addition apart. Its numbers are of the graph's nodes.
    """
    import tensorflow as tf
    from tensorflow.python.framework import graph_util  # noqa: F401  (registers the statistics)
    from tensorflow.python.profiler import option_builder
    from tensorflow.python.profiler.model_analyzer import profile

    row = tf.TensorSpec((1, *model.input.shape[1:]), model.input.dtype)
    graph = tf.function(model, autograph=False).get_concrete_function(row).graph
    options = option_builder.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    kinds = ["MatMul", "BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative"]
    options["account_type_regexes"] = kinds
    total = 0
    with graph.as_default():
        run_meta = tf.compat.v1.RunMetadata()
        found = profile(graph, run_meta=run_meta, cmd="op", options=options)
        total = sum(child.total_float_ops if child.name in kinds else 0 for child in _walk(found))
    return int(total)


def _walk(node: Any) -> list[Any]:
    return [node, *(found for child in node.children for found in _walk(child))]


CASES = {
    "dense": "{type: dense, units: 7, use_bias: false}",
    "conv2d": "{type: conv2d, filters: 4, kernel_size: [3, 2], strides: 2, use_bias: false}",
    "conv2d same": "{type: conv2d, filters: 4, kernel_size: 3, padding: same, use_bias: false}",
}


@pytest.mark.parametrize("name", CASES)
def test_the_profiler_counts_twice_as_many_float_operations(name: str) -> None:
    loaded = load(f"[{CASES[name]}, {END}]")
    table = infer_shapes(loaded)
    print(count_products(build(loaded, table)), table.multiply_adds)
