"""Does an impossible shape name the layer, its place, what it expects, and what to change?"""

from __future__ import annotations

import pytest
from shape_tables import TEXTS, infer

from dltrain.shapes.table import ShapeTable

END = "flatten, {type: dense, units: 10}"
SEQUENCE = "{type: reshape, target_shape: [8, 8]}"


def message(table: ShapeTable) -> str:
    (problem,) = table.problems
    return str(problem)


BEFORE = "model: {blocks: {}, layers: ["

# What is wrong -> the layers before the end, with ^ where the problem points, and the message.
WRONG = {
    "kernel larger than the input": (
        "{type: max_pooling2d, pool_size: 4}, {type: conv2d, filters: 2, kernel_size: ^[3, 2]}",
        "model.layers[1].kernel_size\n"
        "  conv2d expects height >= 3 for its kernel, received (2, 2, 1). Use padding: same, a "
        "smaller kernel_size, or less pooling and fewer strides before it.",
    ),
    "dilated kernel": (
        "{type: conv2d, filters: 2, kernel_size: ^5, dilation_rate: 2}",
        "model.layers[0].kernel_size\n"
        "  conv2d expects height >= 9 and width >= 9 for its kernel, received (8, 8, 1). Use "
        "padding: same, a smaller kernel_size, or less pooling and fewer strides before it.",
    ),
    "window larger than the input": (
        "{type: average_pooling2d, pool_size: ^9}",
        "model.layers[0].pool_size\n"
        "  average_pooling2d expects height >= 9 and width >= 9 for its window, received (8, 8, "
        "1). Use padding: same, a smaller pool_size, or less pooling and fewer strides before it.",
    ),
    "convolution after flatten": (
        "flatten, ^{type: conv2d, filters: 2, kernel_size: 3, name: late}",
        "model.layers[1]\n"
        "  late (conv2d) expects an image (height, width, channels), received (64,). Put it before "
        "flatten, pooling over everything and dense, or reshape first.",
    ),
    "convolution of another rank": (
        "^{type: conv1d, filters: 2, kernel_size: 3}",
        "model.layers[0]\n"
        "  conv1d expects a sequence (steps, channels), received (8, 8, 1). Take the layer for 2 "
        "spatial axes, or reshape or flatten first.",
    ),
    "groups that don't divide": (
        "{type: conv2d, filters: 3, kernel_size: 1}, "
        "{type: conv2d, filters: 4, kernel_size: 1, groups: ^2}",
        "model.layers[1].groups\n"
        "  conv2d_1 (conv2d) expects channels that 2 groups divide, received (8, 8, 3). Choose "
        "groups that divide 3.",
    ),
    "groups of a normalization": (
        "^group_normalization",
        "model.layers[0]\n"
        "  group_normalization expects channels that 32 groups divide, received (8, 8, 1). Choose "
        "groups that divide 1.",
    ),
    "reshape to another number": (
        "{type: reshape, target_shape: ^[9, 7]}",
        "model.layers[0].target_shape\n"
        "  reshape expects 63 numbers for target_shape (9, 7), received (8, 8, 1). The input has "
        "64 numbers: choose sizes whose product that is, or let one be -1.",
    ),
    "reshape with a rest": (
        "{type: reshape, target_shape: ^[-1, 7]}",
        "model.layers[0].target_shape\n"
        "  reshape expects a multiple of 7 numbers for target_shape (-1, 7), received (8, 8, 1). "
        "The input has 64 numbers: choose sizes whose product that is, or let one be -1.",
    ),
    "permute of another rank": (
        "{type: permute, dims: ^[2, 1]}",
        "model.layers[0].dims\n"
        "  permute expects an input of 2 axes for its dims, received (8, 8, 1). Give dims an order "
        "of 1 to 3.",
    ),
    "everything cut off": (
        "{type: cropping2d, cropping: ^4}",
        "model.layers[0].cropping\n"
        "  cropping2d expects an input larger than the 8 × 8 cells that it cuts off, received (8, "
        "8, 1). Use a smaller cropping.",
    ),
    "sum of other shapes": (
        "{type: dense, units: 3, name: wide}, {type: dense, units: 2, name: slim}, "
        "^{type: add, inputs: [wide, slim]}",
        "model.layers[2]\n"
        "  add expects inputs of the same shape (1 goes with any size), received (8, 8, 3) and (8, "
        "8, 2). Give the layers before it the same units, filters, strides and padding.",
    ),
    "merge of one": (
        "^multiply",
        "model.layers[0].inputs\n"
        "  multiply expects two inputs or more, received (8, 8, 1). Name them under inputs: [a, "
        "b], and give those layers a name:.",
    ),
    "concatenation of other ranks": (
        "{type: flatten, name: flat}, ^{type: concatenate, inputs: [flat, input]}",
        "model.layers[1]\n"
        "  concatenate expects inputs with the same number of axes, received (64,) and (8, 8, 1). "
        "Flatten or reshape them first.",
    ),
    "concatenation of other sizes": (
        "{type: max_pooling2d, name: half}, ^{type: concatenate, inputs: [half, input]}",
        "model.layers[1]\n"
        "  concatenate expects inputs that differ along axis -1 alone, received (4, 4, 1) and (8, "
        "8, 1). Give the layers before it the same sizes, or flatten both.",
    ),
    "product of other sizes": (
        "{type: dense, units: 3, name: a}, {type: flatten, name: b, inputs: [input]}, "
        "{type: dot, axes: ^1, inputs: [a, b]}",
        "model.layers[2].axes\n"
        "  dot expects the same size along axes, received (8, 8, 3) and (64,). Choose axes of the "
        "same size.",
    ),
    "recurrent on an image": (
        "^{type: lstm, units: 4}",
        "model.layers[0]\n"
        "  lstm expects a sequence (steps, features), received (8, 8, 1). Give a recurrent layer "
        "before it return_sequences: true, or reshape to (steps, features).",
    ),
    "recurrent after the last step": (
        f"{SEQUENCE}, {{type: gru, units: 4}}, ^{{type: gru, units: 2}}",
        "model.layers[2]\n"
        "  gru_1 (gru) expects a sequence (steps, features), received (4,). Give a recurrent layer "
        "before it return_sequences: true, or reshape to (steps, features).",
    ),
    "several outputs": (
        f"{SEQUENCE}, {{type: gru, units: 4, return_state: ^true}}",
        "model.layers[1].return_state\n"
        "  gru expects return_state: false, since a layer of a model gives one output, received "
        "(8, 8).",
    ),
    "attention over other ranks": (
        f"{SEQUENCE}, {{type: dense, units: 4, name: a}}, "
        "^{type: multi_head_attention, num_heads: 2, key_dim: 2, inputs: [a, input]}",
        "model.layers[2]\n"
        "  multi_head_attention expects sequences (steps, features), received (8, 4) and (8, 8, "
        "1).",
    ),
    "a missing axis": (
        "{type: batch_normalization, axis: ^4}",
        "model.layers[0].axis\n"
        "  batch_normalization expects an input with an axis 4, received (8, 8, 1). The batch is "
        "axis 0; the last of this input is 3, or -1.",
    ),
    "repeat of an image": (
        "^{type: repeat_vector, n: 2}",
        "model.layers[0]\n"
        "  repeat_vector expects a vector (features,), received (8, 8, 1). Put flatten before it.",
    ),
    "two inputs for one": (
        "{type: flatten, name: a}, {type: dense, units: 3, inputs: ^[a, a]}",
        "model.layers[1].inputs\n"
        "  dense expects one input, received (64,) and (64,). Merge them first: add, concatenate, "
        "….",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_impossible_shape_is_a_problem_of_its_layer(name: str) -> None:
    marked, expected = WRONG[name]
    column = len(BEFORE) + marked.index("^") + 1
    table = infer(f"[{marked.replace('^', '')}, {END}]")
    assert message(table) == f"tiny.yaml:3:{column}  {expected}"


def test_what_comes_after_an_impossible_layer_is_unknown_and_other_branches_are_judged() -> None:
    table = infer(
        "[{type: conv2d, filters: 2, kernel_size: 9, name: a}, {type: flatten, name: b}, "
        "{type: conv2d, filters: 2, kernel_size: 11, inputs: [input]}, "
        "{type: flatten, name: c}, {type: concatenate, inputs: [b, c]}, {type: dense, units: 10}]"
    )
    assert [problem.key for problem in table.problems] == [
        "model.layers[0].kernel_size",
        "model.layers[2].kernel_size",
    ]
    assert [row.output for row in table.layers] == [None] * 6


def test_an_output_that_is_not_one_row_of_units_is_a_problem() -> None:
    assert message(infer(f"[{SEQUENCE}, {{type: dense, units: 10}}]")) == (
        "tiny.yaml:3:69  model.layers[1]\n"
        "  the model's output must be (units,), but dense gives (8, 10). "
        "End the model with flatten or pooling, then dense."
    )


def test_units_that_show_only_by_the_shape_are_held_against_the_classes() -> None:
    assert message(infer("[{type: reshape, target_shape: [64]}]")) == (
        "tiny.yaml:3:30  model.layers[0]\n"
        "  the data has 10 classes: expected 10 units in the last layer, received 64. "
        "End the model with {type: dense, units: 10}."
    )


def test_a_block_that_is_repeated_has_one_problem_at_its_own_line() -> None:
    table = infer(
        f"[{{block: shrink, repeat: 4}}, {END}]",
        blocks="{shrink: {layers: [{type: conv2d, filters: 2, kernel_size: 4}]}}",
    )
    (problem,) = table.problems
    assert problem.key == "model.blocks.shrink.layers[0].kernel_size"
    assert problem.message == (
        "shrink_2_conv2d (conv2d) expects height >= 4 and width >= 4 for its kernel, "
        "received (2, 2, 2)."
    )


def test_text_has_no_image_for_a_convolution() -> None:
    table = infer(
        "[{type: conv2d, filters: 2, kernel_size: 3}, {type: dense, units: 1}]", dataset=TEXTS
    )
    assert message(table).endswith(
        "conv2d expects an image (height, width, channels), received (6,). Put it before flatten, "
        "pooling over everything and dense, or reshape first."
    )
