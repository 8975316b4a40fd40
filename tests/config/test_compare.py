"""Are two configs compared by what they mean, and are inserted layers told as inserted?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from config_problems import CONFIGS, Write

from dltrain.config.compare import Difference, compare_configs
from dltrain.config.dump import dump_config
from dltrain.config.load import load_config

Compare = Callable[[str, str], list[Difference]]

HEAD = "name: x\ndataset: {name: cifar10}\n"


def model(*layers: str, blocks: str = "") -> str:
    items = "".join(f"    - {layer}\n" for layer in layers)
    return f"{HEAD}model:\n{blocks}  layers:\n{items}"


CONV = "{type: conv2d, filters: 8, kernel_size: 3}"
LAST = ("flatten", "{type: dense, units: 10}")


@pytest.fixture
def compare(write: Write) -> Compare:
    def compare(one: str, two: str) -> list[Difference]:
        first, second = write(one, "one.yaml"), write(two, "two.yaml")
        return compare_configs(load_config(first), load_config(second))

    return compare


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("optimizer: {type: adam, learning_rate: 1e-3}", "optimizer: adam"),
        (
            "optimizer: {type: sgd, learning_rate: 1e-3}",
            "optimizer: {type: SGD, learning_rate: 0.001, momentum: 0}",
        ),
        ("loss: cross_entropy", "loss: {type: cross_entropy}"),
        ("", "loss: {type: sparse_categorical_crossentropy, from_logits: true}"),
        ("", "training: {epochs: 10, batch_size: 32}\nseed: 0"),
        ("metrics: [accuracy, f1]", "metrics: [{type: f1_score, name: f1}, accuracy]"),
        (
            "training: {early_stopping: {}}",
            "training: {early_stopping: {monitor: val_loss, patience: 5}}",
        ),
        ("regularization: {l2: 1}", "regularization: {l1: 0, l2: 1.0}"),
        (
            "dataset: {name: cifar10, augment: [{type: random_flip}]}",
            "dataset: {name: cifar10, augment: [RandomFlip]}",
        ),
    ],
)
def test_the_same_in_other_words_is_no_difference(compare: Compare, one: str, two: str) -> None:
    layers = model(*LAST)
    if "dataset" in one:
        layers = layers.replace("dataset: {name: cifar10}\n", "")
    assert compare(f"{layers}{one}\n", f"{layers}{two}\n") == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("relu", "{type: relu}"),
        (CONV, "{type: Conv2D, filters: 8, kernel_size: [3, 3], padding: valid}"),
        (CONV, "{type: conv2d, filters: 8, kernel_size: 3, activation: linear, name: first}"),
        (
            "{type: conv2d, filters: 8, kernel_size: 3, activation: relu, kernel_regularizer: l2}",
            "{type: convolution2d, filters: 8, kernel_size: 3, strides: 1, "
            "activation: {type: relu}, kernel_regularizer: {type: L2, l2: 0.01}}",
        ),
        (
            "{type: time_distributed, layer: {type: dense, units: 3}}",
            "{type: time_distributed, layer: {type: dense, units: 3, use_bias: true}}",
        ),
    ],
)
def test_the_same_layer_in_other_words_is_no_difference(
    compare: Compare, one: str, two: str
) -> None:
    assert compare(model(one, *LAST), model(two, *LAST)) == []


def test_a_block_is_the_same_as_its_layers_written_out(compare: Compare) -> None:
    block = (
        "  blocks:\n    unit:\n      parameters: {filters: 8}\n      layers:\n"
        "        - {type: conv2d, filters: $filters, kernel_size: 3, padding: same, name: conv2d}\n"
        "        - {type: add, inputs: [conv2d, input]}\n"
    )
    same = "padding: same"
    written = [
        f"{{type: conv2d, filters: 8, kernel_size: 3, {same}, name: a}}",
        f"{{type: conv2d, filters: 8, kernel_size: 3, {same}, name: b}}",
        "{type: add, inputs: [b, a], name: add}",
        f"{{type: conv2d, filters: 8, kernel_size: 3, {same}, name: c}}",
        "{type: add, inputs: [c, add], name: d}",
    ]
    assert (
        compare(
            model(written[0], "{block: unit, repeat: 2}", *LAST, blocks=block),
            model(*written, *LAST),
        )
        == []
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_means_what_its_resolved_form_means(path: Path, write: Write) -> None:
    loaded = load_config(path)
    resolved = load_config(write(dump_config(loaded.config)))
    assert compare_configs(loaded, resolved) == []


def test_an_inserted_layer_is_one_difference(compare: Compare) -> None:
    one = model(CONV, "relu", CONV, "relu", *LAST)
    two = model(CONV, "relu", "{type: dropout, rate: 0.2}", CONV, "relu", *LAST)
    added = Difference("added", None, "model.layers[2]", None, {"type": "dropout", "rate": 0.2})
    assert compare(one, two) == [added]
    removed = Difference("removed", "model.layers[2]", None, {"type": "dropout", "rate": 0.2}, None)
    assert compare(two, one) == [removed]


def test_a_changed_layer_behind_an_inserted_one_has_both_its_keys(compare: Compare) -> None:
    one = model(CONV, "flatten", "{type: dense, units: 32}", "{type: dense, units: 10}")
    two = model(
        CONV,
        "{type: max_pooling2d, pool_size: 2}",
        "flatten",
        "{type: dense, units: 64, activation: relu}",
        "{type: dense, units: 10}",
    )
    assert compare(one, two) == [
        Difference("added", None, "model.layers[1]", None, "max_pooling2d"),
        Difference("changed", "model.layers[2].units", "model.layers[3].units", 32, 64),
        Difference(
            "changed",
            "model.layers[2].activation",
            "model.layers[3].activation",
            "linear",
            "relu",
        ),
    ]


def test_a_changed_parameter_of_a_block_is_told_once(compare: Compare) -> None:
    def text(rate: str) -> str:
        block = f"  blocks:\n    unit: {{layers: [relu, {{type: dropout, rate: {rate}}}]}}\n"
        return model(CONV, "{block: unit, repeat: 3}", *LAST, blocks=block)

    key = "model.blocks.unit.layers[1].rate"
    assert compare(text("0.1"), text("0.3")) == [Difference("changed", key, key, 0.1, 0.3)]


def test_another_input_is_a_difference_and_a_moved_one_is_not(compare: Compare) -> None:
    dense = "{type: dense, units: 10, name: %s}"
    plain = ["flatten", dense % "a", dense % "b", dense % "c", "{type: add, inputs: [c, a]}"]
    other = [*plain[:4], "{type: add, inputs: [c, b]}"]
    key = "model.layers[4].inputs"
    assert compare(model(*plain), model(*other)) == [
        Difference("changed", key, key, ["c", "a"], ["c", "b"])
    ]
    longer = [*plain[:2], "{type: batch_normalization}", *plain[2:]]
    assert compare(model(*plain), model(*longer)) == [
        Difference("added", None, "model.layers[2]", None, "batch_normalization")
    ]


def test_sections_are_compared_key_by_key(compare: Compare) -> None:
    one = f"{model(*LAST)}optimizer: {{type: adam, learning_rate: 0.01}}\nmetrics: [accuracy, f1]\n"
    two = (
        f"{model(*LAST)}seed: 1\noptimizer: {{type: adam, learning_rate: {{type: cosine_decay, "
        "initial_learning_rate: 0.1, decay_steps: {epochs: 3}}}\nmetrics: [accuracy, auc]\n"
        "training: {callbacks: [{type: csv_logger, filename: log.csv}, "
        "{type: tensorboard, log_dir: tb}], "
        "early_stopping: {patience: 3}}\nloss: {type: cross_entropy, label_smoothing: 0.1}\n"
    )
    one = one.replace("metrics", "training: {callbacks: [{type: tensorboard}]}\nmetrics")
    found = compare(one, two)
    assert [(each.change, each.first_key, each.second_key) for each in found] == [
        ("changed", "seed", "seed"),
        ("changed", "loss", "loss"),
        ("changed", "optimizer.learning_rate", "optimizer.learning_rate"),
        ("removed", "metrics[1]", None),
        ("added", None, "metrics[1]"),
        ("changed", "training.early_stopping", "training.early_stopping"),
        ("added", None, "training.callbacks[0]"),
        ("changed", "training.callbacks[0].log_dir", "training.callbacks[1].log_dir"),
    ]
    assert (found[0].first, found[0].second) == (0, 1)
    assert found[2].first == 0.01
    assert found[2].second == {
        "type": "cosine_decay",
        "initial_learning_rate": 0.1,
        "decay_steps": {"epochs": 3},
    }
    assert found[6].second == {"type": "csv_logger", "filename": "log.csv"}


def test_true_is_not_one(compare: Compare) -> None:
    one = f"{model(*LAST)}training: {{jit_compile: true}}\n"
    two = f"{model(*LAST)}training: {{jit_compile: auto}}\n"
    key = "training.jit_compile"
    assert compare(one, two) == [Difference("changed", key, key, True, "auto")]


def test_a_name_that_is_only_the_files_is_no_difference(write: Write) -> None:
    text = model(*LAST)
    unnamed = text.removeprefix("name: x\n")
    one, two = (load_config(write(unnamed, name)) for name in ("one.yaml", "two.yaml"))
    assert compare_configs(one, two) == []
    named = load_config(write(text.replace("name: x", "name: y"), "three.yaml"))
    assert compare_configs(load_config(write(text, "four.yaml")), named) == [
        Difference("changed", "name", "name", "x", "y")
    ]
