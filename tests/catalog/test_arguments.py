"""Is a wrong value refused with the phrase that says what was expected?"""

from __future__ import annotations

import math
from typing import Any

import pytest

from dltrain.catalog import argument_rules
from dltrain.catalog.arguments import (
    activation_layer,
    check_value,
    keras_value,
    nested_kind,
    takes_list,
)
from dltrain.catalog.components import KINDS, Component, Kind, components, find


def _component(kind: Kind, name: str) -> Component:
    component = find(kind, name)
    assert component is not None
    return component


REFUSED: list[tuple[Kind, str, str, Any, str]] = [
    ("layers", "dense", "units", 0, "a whole number >= 1"),
    ("layers", "dense", "units", 2.5, "a whole number >= 1"),
    ("layers", "dense", "units", True, "a whole number >= 1"),
    ("layers", "dense", "units", "10", "a whole number >= 1"),
    ("layers", "dense", "units", None, "a whole number >= 1"),
    ("layers", "dense", "use_bias", 1, "true or false"),
    ("layers", "dense", "name", "a/b", "a text without /, or null"),
    ("layers", "dropout", "rate", 1, "a number >= 0 and < 1"),
    ("layers", "dropout", "rate", -0.1, "a number >= 0 and < 1"),
    ("layers", "dropout", "rate", math.nan, "a number >= 0 and < 1"),
    ("layers", "conv2d", "padding", "causal", "one of valid, same"),
    ("layers", "conv1d", "padding", "full", "one of valid, same, causal"),
    ("layers", "conv2d", "kernel_size", [3, 3, 3], "a whole number >= 1, or a list of 2 of them"),
    ("layers", "conv2d", "kernel_size", 0, "a whole number >= 1, or a list of 2 of them"),
    ("layers", "conv1d", "strides", [1, 2], "a whole number >= 1, or a list of 1 of them"),
    (
        "layers",
        "max_pooling2d",
        "strides",
        0,
        "a whole number >= 1, or a list of 2 of them, or null",
    ),
    (
        "layers",
        "zero_padding2d",
        "padding",
        [1, 2, 3],
        "a whole number >= 0, or a list of 2 of them or of 2 pairs [before, after]",
    ),
    ("layers", "dense", "kernel_regularizer", 0.01, "a regularizer: its name, or a mapping with "
     "type"),
    ("layers", "bidirectional", "merge_mode", "max", "one of concat, sum, mul, ave, or null"),
    ("layers", "reshape", "target_shape", 4,
     "a list of whole numbers >= 1, or -1 for what is left"),
    ("layers", "pipeline", "layers", [], "a list of layers, each a name or a mapping with type"),
    ("layers", "random_flip", "mode", "diagonal",
     "one of horizontal, vertical, horizontal_and_vertical"),
    ("layers", "lstm", "recurrent_dropout", 1.0, "a number >= 0 and < 1"),
    ("layers", "layer_normalization", "epsilon", 0, "a number > 0"),
    ("layers", "layer_normalization", "axis", "last", "a whole number, or a list of them"),
    ("optimizers", "adam", "learning_rate", 0, "a number > 0, or a schedule: a mapping with type"),
    ("optimizers", "adam", "learning_rate", math.inf,
     "a number > 0, or a schedule: a mapping with type"),
    ("optimizers", "adam", "beta_1", 1.0, "a number >= 0 and < 1"),
    ("optimizers", "adam", "clipnorm", 0, "a number > 0, or null"),
    ("optimizers", "adam", "weight_decay", -1e-4, "a number >= 0, or null"),
    ("optimizers", "sgd", "momentum", 1.5, "a number >= 0 and <= 1"),
    ("optimizers", "sgd", "nesterov", "yes", "true or false"),
    ("optimizers", "adam", "gradient_accumulation_steps", 1, "a whole number >= 2, or null"),
    ("losses", "categorical_crossentropy", "label_smoothing", 2, "a number >= 0 and <= 1"),
    ("losses", "huber", "delta", 0, "a number > 0"),
    ("losses", "huber", "reduction", "average",
     "one of sum_over_batch_size, sum, mean, mean_with_sample_weight, none, or null"),
    ("metrics", "auc", "curve", "roc", "one of ROC, PR, PRGAIN"),
    ("metrics", "f1_score", "average", "binary", "one of micro, macro, weighted, or null"),
    ("metrics", "top_k_categorical_accuracy", "k", 0, "a whole number >= 1"),
    ("regularizers", "l2", "l2", -0.1, "a number >= 0"),
    ("initializers", "variance_scaling", "mode", "fan", "one of fan_in, fan_out, fan_avg"),
    ("callbacks", "early_stopping", "mode", "mx", "one of auto, min, max"),
    ("callbacks", "early_stopping", "patience", -1, "a whole number >= 0"),
    ("callbacks", "reduce_lr_on_plateau", "factor", 1, "a number > 0 and < 1"),
    ("callbacks", "model_checkpoint", "filepath", "best.h5",
     "a path that ends in .keras or .weights.h5"),
    ("schedules", "cosine_decay", "decay_steps", 0,
     "a whole number >= 1, or {epochs: N} with N > 0"),
    ("schedules", "cosine_decay", "decay_steps", {"epochs": 0},
     "a whole number >= 1, or {epochs: N} with N > 0"),
    ("schedules", "cosine_decay", "decay_steps", {"epoch": 3},
     "a whole number >= 1, or {epochs: N} with N > 0"),
    ("schedules", "piecewise_constant_decay", "boundaries", [20, 10],
     "a list of increasing step counts, each a whole number >= 1, or {epochs: N} with N > 0"),
    ("schedules", "one_cycle", "warmup_fraction", 1, "a number >= 0 and < 1"),
    ("schedules", "one_cycle", "max_learning_rate", 0, "a number > 0"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "argument", "value", "expected"), REFUSED)
def test_a_wrong_value_says_what_was_expected(
    kind: Kind, name: str, argument: str, value: object, expected: str
) -> None:
    assert check_value(_component(kind, name), argument, value) == expected


ACCEPTED: list[tuple[Kind, str, str, Any]] = [
    ("layers", "dense", "units", 1),
    ("layers", "dense", "activation", "relu"),
    ("layers", "dense", "activation", {"type": "leaky_relu", "negative_slope": 0.1}),
    ("layers", "dense", "activation", None),
    ("layers", "dense", "kernel_regularizer", {"type": "l2", "l2": 1e-4}),
    ("layers", "dropout", "rate", 0),
    ("layers", "conv2d", "kernel_size", [3, 5]),
    ("layers", "conv1d", "padding", "causal"),
    ("layers", "max_pooling2d", "strides", None),
    ("layers", "zero_padding2d", "padding", [[1, 2], [0, 0]]),
    ("layers", "cropping1d", "cropping", 2),
    ("layers", "reshape", "target_shape", [-1, 4]),
    ("layers", "batch_normalization", "momentum", 0.9),
    ("layers", "random_translation", "height_factor", [-0.1, 0.2]),
    ("layers", "rnn", "cell", ["lstm_cell", {"type": "gru_cell", "units": 3}]),
    ("layers", "group_normalization", "groups", -1),
    ("optimizers", "adam", "learning_rate", 1),
    ("optimizers", "adam", "learning_rate", {"type": "cosine_decay", "decay_steps": 9}),
    ("optimizers", "adamw", "weight_decay", 0),
    ("schedules", "cosine_decay", "initial_learning_rate", 0),
    ("schedules", "cosine_decay", "decay_steps", {"epochs": 2.5}),
    ("schedules", "cosine_decay", "warmup_steps", 0),
    ("schedules", "piecewise_constant_decay", "boundaries", [{"epochs": 1}, {"epochs": 2}]),
    ("schedules", "piecewise_constant_decay", "boundaries", [100, {"epochs": 2}]),
    ("losses", "huber", "reduction", None),
    ("callbacks", "model_checkpoint", "save_freq", 100),
]


@pytest.mark.parametrize(("kind", "name", "argument", "value"), ACCEPTED)
def test_a_right_value_passes(kind: Kind, name: str, argument: str, value: object) -> None:
    assert check_value(_component(kind, name), argument, value) is None


def _every_argument() -> list[tuple[Component, str]]:
    return [
        (component, argument)
        for kind in KINDS
        for component in components(kind).values()
        for argument in component.arguments
    ]


def test_every_default_of_keras_passes_its_own_rule() -> None:
    wrong = [
        f"{component.kind}.{component.name}.{name}: {expected}"
        for component, name in _every_argument()
        if not component.arguments[name].required
        and (expected := check_value(component, name, component.arguments[name].default))
    ]
    assert wrong == []


def test_every_argument_has_a_rule() -> None:
    class Junk:
        """Stand for a value that no argument can take."""

    loose = [
        f"{component.kind}.{component.name}.{name}"
        for component, name in _every_argument()
        if check_value(component, name, Junk()) is None
    ]
    assert loose == []


def test_no_argument_takes_nan() -> None:
    loose = [
        f"{component.kind}.{component.name}.{name}"
        for component, name in _every_argument()
        if check_value(component, name, math.nan) is None
    ]
    assert loose == []


def test_no_rule_is_left_for_an_argument_that_is_gone() -> None:
    known = {(c.kind, c.name, argument) for c, argument in _every_argument()}
    assert set(argument_rules.BY_COMPONENT) <= known
    assert set(argument_rules.BY_KIND) <= {(kind, argument) for kind, _, argument in known}
    assert set(argument_rules.BY_NAME) <= {argument for _, _, argument in known}


def test_an_argument_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="unitz"):
        check_value(_component("layers", "dense"), "unitz", 3)


@pytest.mark.parametrize(
    ("kind", "name", "argument", "nested"),
    [
        ("layers", "dense", "kernel_regularizer", "regularizers"),
        ("layers", "dense", "activity_regularizer", "regularizers"),
        ("layers", "dense", "bias_initializer", "initializers"),
        ("layers", "embedding", "embeddings_constraint", "constraints"),
        ("layers", "lstm", "recurrent_activation", "activations"),
        ("layers", "activation", "activation", "activations"),
        ("layers", "bidirectional", "backward_layer", "layers"),
        ("layers", "rnn", "cell", "layers"),
        ("optimizers", "adam", "learning_rate", "schedules"),
        ("optimizers", "loss_scale_optimizer", "inner_optimizer", "optimizers"),
        ("layers", "dense", "units", None),
        ("optimizers", "adam", "epsilon", None),
    ],
)
def test_arguments_that_hold_components_say_of_which_kind(
    kind: Kind, name: str, argument: str, nested: Kind | None
) -> None:
    assert nested_kind(_component(kind, name), argument) == nested


def test_only_groups_of_layers_take_lists_of_components() -> None:
    lists = {f"{c.name}.{name}" for c, name in _every_argument() if takes_list(c, name)}
    assert lists == {"pipeline.layers", "stacked_rnn_cells.cells", "rnn.cell"}


def test_activations_with_arguments_become_layers_that_take_them() -> None:
    for name in components("activations"):
        layer = activation_layer(name)
        if layer is not None:
            arguments = components("activations")[name].arguments
            assert set(arguments) <= set(_component("layers", layer).arguments)
    assert activation_layer("leaky_relu") == "LeakyReLU"
    assert activation_layer("tanh") is None


def test_whole_numbers_become_floats_where_keras_insists() -> None:
    sgd = _component("optimizers", "sgd")
    assert isinstance(keras_value(sgd, "momentum", 0), float)
    assert isinstance(keras_value(sgd, "learning_rate", 1), float)
    assert isinstance(keras_value(_component("metrics", "f1_score"), "threshold", 1), float)
    assert isinstance(keras_value(_component("layers", "dense"), "units", 3), int)
    assert keras_value(sgd, "nesterov", True) is True
    assert keras_value(_component("layers", "text_vectorization"), "ngrams", [1, 2]) == (1, 2)
