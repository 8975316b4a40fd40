"""Are graphs and blocks unfolded as they are written, and their mistakes told where they stand?"""

from __future__ import annotations

import time

import pytest
from config_problems import CONFIGS, Load, Refuse

from dltrain.config.layers import Layer
from dltrain.config.load import load_config

BASE = "dataset: digits\nmodel:\n  layers:\n"
END = "    - flatten\n    - {type: dense, units: 10}\n"


def _graph(*layers: str) -> str:
    return BASE + "".join(f"    - {layer}\n" for layer in layers) + END


def _blocks(blocks: str, *layers: str) -> str:
    lines = "".join(f"    - {layer}\n" for layer in layers)
    return f"dataset: digits\nmodel:\n  blocks:\n    {blocks}\n  layers:\n{lines}{END}"


def _edges(layers: tuple[Layer, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(layer.name, layer.inputs) for layer in layers]


def test_layers_follow_each_other(load: Load) -> None:
    layers = load(_graph("{type: dense, units: 3}", "{type: dense, units: 3, name: b}")).layers
    assert _edges(layers) == [
        ("dense", ("input",)),
        ("b", ("dense",)),
        ("flatten", ("b",)),
        ("dense_1", ("flatten",)),
    ]


def test_inputs_name_layers_above_and_the_input(load: Load) -> None:
    layers = load(
        _graph(
            "{type: dense, units: 3, name: a}",
            "{type: dense, units: 3, inputs: input, name: b}",
            "{type: add, inputs: [a, b]}",
            "{type: concatenate, inputs: [add, input]}".replace("add", "b"),
        )
    ).layers
    assert _edges(layers)[:4] == [
        ("a", ("input",)),
        ("b", ("input",)),
        ("add", ("a", "b")),
        ("concatenate", ("b", "input")),
    ]


def test_repeat_stacks_a_layer(load: Load) -> None:
    layers = load(_graph("{type: dense, units: 3, repeat: 3, name: d}", "{type: relu, inputs: d}"))
    assert _edges(layers.layers)[:4] == [
        ("d", ("input",)),
        ("d_1", ("d",)),
        ("d_2", ("d_1",)),
        ("relu", ("d_2",)),
    ]


@pytest.mark.parametrize(
    ("layers", "problems"),
    [
        (
            ["{type: add, inputs: [a, input]}"],
            ["4:28 model.layers[0].inputs[0]: no layer above is named 'a'. "
             "Give the layer a name:."],
        ),
        (
            ["{type: relu, name: first}", "{type: relu, inputs: frist}"],
            ["5:28 model.layers[1].inputs: no layer above is named 'frist'. "
             "Did you mean 'first'?"],
        ),
        (
            ["{type: relu, name: a, inputs: [b]}", "{type: relu, name: b}"],
            ["4:38 model.layers[0].inputs[0]: the layer 'b' comes later: an input must stand "
             "above the layer that takes it, so the graph has no cycle."],
        ),
        (
            ["{type: relu, name: a, inputs: [a]}"],
            ["4:38 model.layers[0].inputs[0]: the layer 'a' comes later: an input must stand "
             "above the layer that takes it, so the graph has no cycle."],
        ),
        (
            ["{type: relu, name: a}", "{type: relu, name: a}"],
            ["5:26 model.layers[1].name: the name 'a' is used twice."],
        ),
        (
            ["{type: relu, name: input}"],
            ["4:26 model.layers[0].name: 'input' means what comes in; expected another name."],
        ),
        (
            ["{type: relu, name: a/b}"],
            ["4:26 model.layers[0].name: expected letters, digits, _, - and . only, "
             "received the text 'a/b'."],
        ),
        (
            ["{type: relu, name: 3}"],
            ["4:26 model.layers[0].name: expected letters, digits, _, - and . only, "
             "received the number 3."],
        ),
        (
            ["{type: relu, inputs: []}"],
            ["4:28 model.layers[0].inputs: expected a list of layers' names, "
             "received an empty list."],
        ),
        (
            ["{type: relu, inputs: 3}"],
            ["4:28 model.layers[0].inputs: expected a list of layers' names, "
             "received the number 3."],
        ),
        (
            ["{type: relu, inputs: [[a], {b: 1}, 2]}", "{type: relu, name: z}"],
            ["4:29 model.layers[0].inputs[0]: expected a layer's name, received a list of 1.",
             "4:34 model.layers[0].inputs[1]: expected a layer's name, received a mapping.",
             "4:42 model.layers[0].inputs[2]: expected a layer's name, received the number 2."],
        ),
        (
            ["{type: relu, inputs: [x], name: a}", "{type: relu, inputs: [a]}"],
            ["4:29 model.layers[0].inputs[0]: no layer above is named 'x'. "
             "Give the layer a name:."],
        ),
        (
            ["{type: relu, repeat: 0}"],
            ["4:28 model.layers[0].repeat: expected a whole number from 1 to 2000, "
             "received the number 0."],
        ),
        (
            ["{type: relu, repeat: true}"],
            ["4:28 model.layers[0].repeat: expected a whole number from 1 to 2000, "
             "received true."],
        ),
        (
            ["{type: relu, repeat: 2000}"],
            ["5:7 model.layers[1]: the model has more than 2000 layers."],
        ),
        (
            ["{type: dense, units: $width}"],
            ["4:28 model.layers[0].units: there is no parameter '$width' here. "
             "A block's `parameters:` name them.",
             "4:28 model.layers[0].units: expected a whole number >= 1, "
             "received the text '$width'."],
        ),
        (
            ["{block: unit}"],
            ["4:15 model.layers[0].block: model.blocks has no 'unit'."],
        ),
    ],
)  # fmt: skip
def test_wrong_graph_is_refused(refuse: Refuse, layers: list[str], problems: list[str]) -> None:
    assert refuse(_graph(*layers)) == [f"c.yaml:{problem}" for problem in problems]


UNIT = (
    "unit: {parameters: {width: 4}, layers: [{type: dense, units: $width, name: d}, "
    "{type: dense, units: 1}, {type: add, inputs: [d, input]}]}"
)


def test_block_is_unfolded_with_its_parameters(load: Load) -> None:
    layers = load(_blocks(UNIT, "{type: relu, name: r}", "{block: unit, width: 7}")).layers
    assert _edges(layers)[:4] == [
        ("r", ("input",)),
        ("unit_d", ("r",)),
        ("unit_dense", ("unit_d",)),
        ("unit_add", ("unit_d", "r")),
    ]
    assert [layer.arguments.get("units") for layer in layers] == [None, 7, 1, None, None, 10]


def test_block_takes_its_defaults(load: Load) -> None:
    assert load(_blocks(UNIT, "{block: unit}")).layers[0].arguments == {"units": 4}


def test_repeated_blocks_stand_on_each_other(load: Load) -> None:
    layers = load(_blocks(UNIT, "{block: unit, repeat: 2, name: u}", "{type: relu, inputs: u}"))
    assert _edges(layers.layers)[:7] == [
        ("u_d", ("input",)),
        ("u_dense", ("u_d",)),
        ("u_add", ("u_d", "input")),
        ("u_1_d", ("u_add",)),
        ("u_1_dense", ("u_1_d",)),
        ("u_1_add", ("u_1_d", "u_add")),
        ("relu", ("u_1_add",)),
    ]


def test_block_inside_a_block_gets_its_parameters_from_it(load: Load) -> None:
    outer = (
        "outer: {parameters: {size: 5}, layers: [{block: inner, width: $size}]}\n"
        "    inner: {parameters: {width: 2}, layers: [{type: dense, units: $width}]}"
    )
    layers = load(_blocks(outer, "{block: outer, size: 9}", "{block: outer}", "{block: inner}"))
    assert [layer.arguments.get("units") for layer in layers.layers[:3]] == [9, 5, 2]
    assert [layer.name for layer in layers.layers[:3]] == [
        "outer_inner_dense",
        "outer_1_inner_dense",
        "inner_dense",
    ]


def test_parameter_fills_in_at_any_depth(load: Load) -> None:
    block = (
        "b: {parameters: {l2: 1e-3, shape: [8, 8]}, layers: [{type: reshape, target_shape: $shape},"
        " {type: dense, units: 3, kernel_regularizer: {type: l2, l2: $l2}}]}"
    )
    layers = load(_blocks(block, "{block: b}")).layers
    assert layers[0].arguments == {"target_shape": [8, 8]}
    assert layers[1].arguments["kernel_regularizer"] == {"type": "l2", "l2": 1e-3}


@pytest.mark.parametrize(
    ("blocks", "layer", "problems"),
    [
        (
            UNIT,
            "{block: unit, widht: 3}",
            ["6:21 model.layers[0].widht: the block 'unit' has no parameter 'widht'. "
             "Did you mean 'width'?"],
        ),
        (
            UNIT,
            "{block: unti}",
            ["6:15 model.layers[0].block: model.blocks has no 'unti'. Did you mean 'unit'?"],
        ),
        (
            UNIT,
            "{block: [unit]}",
            ["6:15 model.layers[0].block: expected the name of a block, received a list of 1."],
        ),
        (
            UNIT,
            "{block: unit, inputs: [input, input]}",
            ["6:29 model.layers[0].inputs: a block takes one input, received 2."],
        ),
        (
            UNIT,
            "{block: unit, width: wide}",
            ["4:66 model.blocks.unit.layers[0].units: expected a whole number >= 1, "
             "received the text 'wide'."],
        ),
        (
            UNIT,
            "{block: unit, name: a/b}",
            ["6:27 model.layers[0].name: expected letters, digits, _, - and . only, "
             "received the text 'a/b'."],
        ),
        (
            "a/b: {layers: [relu]}",
            "{block: a/b}",
            ["4:5 model.blocks.a/b: expected letters, digits, _, - and . only, "
             "received the text 'a/b'."],
        ),
        (
            "a: {layers: [{block: b}]}\n    b: {layers: [{block: a}]}",
            "{block: a}",
            ["5:26 model.blocks.b.layers[0].block: the block 'a' contains itself."],
        ),
        (
            "a: {layers: [{block: a}]}",
            "{block: a}",
            ["4:26 model.blocks.a.layers[0].block: the block 'a' contains itself."],
        ),
        (
            "a: {layers: []}",
            "relu",
            ["4:8 model.blocks.a: a block needs `layers:`, a list."],
        ),
        (
            "a: {layer: [relu]}",
            "relu",
            ["4:8 model.blocks.a: a block needs `layers:`, a list.",
             "4:9 model.blocks.a.layer: a block has no key 'layer'. Did you mean 'layers'?"],
        ),
        (
            "a: [relu]",
            "relu",
            ["4:8 model.blocks.a: expected layers:, received a list of 1."],
        ),
        (
            "a: {layers: [relu], parameters: [x]}",
            "relu",
            ["4:37 model.blocks.a.parameters: expected names with default values, "
             "received a list of 1."],
        ),
        (
            "a: {layers: [relu], parameters: {name: 1}}",
            "relu",
            ["4:44 model.blocks.a.parameters.name: 'name' can't be a parameter's name."],
        ),
        (
            "a: {layers: [{type: dense, units: $widht}], parameters: {width: 1}}",
            "{block: a}",
            ["4:39 model.blocks.a.layers[0].units: there is no parameter '$widht' here. "
             "Did you mean '$width'?",
             "4:39 model.blocks.a.layers[0].units: expected a whole number >= 1, "
             "received the text '$widht'."],
        ),
    ],
)  # fmt: skip
def test_wrong_block_is_refused(
    refuse: Refuse, blocks: str, layer: str, problems: list[str]
) -> None:
    assert refuse(_blocks(blocks, layer)) == [f"c.yaml:{problem}" for problem in problems]


@pytest.mark.parametrize("leaf", ["{type: dense, units: 3}", "{type: dense, unit: 3}", "7"])
def test_blocks_that_multiply_beyond_reason_are_refused_at_once(refuse: Refuse, leaf: str) -> None:
    blocks = [f"b{n}: {{layers: [{{block: b{n + 1}, repeat: 2000}}]}}" for n in range(8)]
    started = time.perf_counter()
    problems = refuse(_blocks("\n    ".join([*blocks, f"b8: {{layers: [{leaf}]}}"]), "{block: b0}"))
    assert time.perf_counter() - started < 5
    assert problems


def test_blocks_too_deep_inside_each_other_are_refused(refuse: Refuse) -> None:
    blocks = [f"b{n}: {{layers: [{{block: b{n + 1}}}]}}" for n in range(600)]
    assert refuse(_blocks("\n    ".join([*blocks, "b600: {layers: [relu]}"]), "{block: b0}")) == [
        "c.yaml:33:28 model.blocks.b29.layers[0].block: blocks inside blocks, more than 30 deep."
    ]


def test_resnet_that_ships_unfolds_into_its_layers() -> None:
    (path,) = (path for path in CONFIGS if path.stem == "cifar10_resnet20")
    layers = load_config(path).layers
    assert sum(layer.type == "conv2d" for layer in layers) == 1 + 2 * 9 + 2
    assert sum(layer.type == "add" for layer in layers) == 9
    assert len({layer.name for layer in layers}) == len(layers)
    above: set[str] = {"input"}
    for layer in layers:
        assert above.issuperset(layer.inputs)
        above.add(layer.name)
