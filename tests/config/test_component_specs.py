"""Are layers, losses, metrics and the like checked by name, argument and value, at any depth?"""

from __future__ import annotations

import pytest
from config_problems import Load, Refuse

BASE = "dataset: {name: digits}\n"
MODEL = "model: {layers: [flatten, {type: dense, units: 10}]}\n"


def _model(layer: str) -> str:
    return (
        f"{BASE}model:\n  layers:\n    - {layer}\n    - flatten\n    - {{type: dense, units: 10}}\n"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("optimizer: adm", "3:12 optimizer: there is no optimizer 'adm'. Did you mean 'adam'?"),
        ("optimizer: banana", "3:12 optimizer: there is no optimizer 'banana'."),
        (
            "optimizer: 3",
            "3:12 optimizer: expected an optimizer by name or a mapping with type:, "
            "received the number 3.",
        ),
        (
            "optimizer: {type: adm}",
            "3:19 optimizer.type: there is no optimizer 'adm'. Did you mean 'adam'?",
        ),
        (
            "optimizer: {type: [adam]}",
            "3:19 optimizer.type: expected a name, received a list of 1.",
        ),
        (
            "optimizer: {learning_rate: 1}",
            "3:12 optimizer: an optimizer needs `type:`, the name of one.",
        ),
        (
            "optimizer: {typ: adam}",
            "3:12 optimizer: an optimizer needs `type:`, "
            "the name of one; 'typ' is there. Did you mean 'type'?",
        ),
        (
            "optimizer: {type: adam, lr: 0.1}",
            "3:25 optimizer.lr: adam has no argument 'lr'. Did you mean 'learning_rate'?",
        ),
        (
            "optimizer: {type: adam, learning_rate: '1e-3'}",
            "3:40 optimizer.learning_rate: "
            "expected a number > 0 or a schedule with type:, received the text '1e-3'. "
            "Write it without quotes.",
        ),
        (
            "optimizer: {type: adam, learning_rate: fast}",
            "3:40 optimizer.learning_rate: "
            "expected a number > 0 or a schedule with type:, received the text 'fast'.",
        ),
        (
            "optimizer: {type: adam, learning_rate: 0}",
            "3:40 optimizer.learning_rate: expected "
            "a number > 0, or a schedule: a mapping with type, received the number 0.",
        ),
        (
            "optimizer: {type: adam, learning_rate: {type: cosine_decai}}",
            "3:47 optimizer.learning_rate.type: there is no learning-rate schedule 'cosine_decai'. "
            "Did you mean 'cosine_decay'?",
        ),
        (
            "optimizer: {type: adam, learning_rate: {type: cosine_decay, "
            "initial_learning_rate: 0.1}}",
            "3:40 optimizer.learning_rate: cosine_decay needs 'decay_steps'.",
        ),
        (
            "optimizer: {type: adam, learning_rate: {type: exponential_decay, "
            "initial_learning_rate: 0.1, decay_steps: 0, decay_rate: 0.9}}",
            "3:107 optimizer.learning_rate.decay_steps: expected a whole number >= 1, "
            "or {epochs: N} with N > 0, received the number 0.",
        ),
        (
            "optimizer: {type: sgd, clipnorm: 1, clipvalue: 1}",
            "3:48 optimizer.clipvalue: expected only one of clipnorm, clipvalue, global_clipnorm, "
            "received clipnorm and clipvalue.",
        ),
        (
            "loss: mean_square_error",
            "3:7 loss: there is no loss 'mean_square_error'. Did you mean 'mean_squared_error'?",
        ),
        (
            "loss: {type: cross_entropy, smoothing: 0.1}",
            "3:29 loss.smoothing: cross_entropy has "
            "no argument 'smoothing'. Did you mean 'label_smoothing'?",
        ),
        (
            "loss: {type: cross_entropy, from_logits: true}",
            "3:29 loss.from_logits: cross_entropy "
            "has no argument 'from_logits'. It takes label_smoothing.",
        ),
        (
            "loss: {type: cross_entropy, label_smoothing: 1}",
            "3:46 loss.label_smoothing: expected a number >= 0 and < 1, received the number 1.",
        ),
        ("metrics: [acc, f2]", "3:16 metrics[1]: there is no metric 'f2'."),
        (
            "metrics: [acuracy]",
            "3:11 metrics[0]: there is no metric 'acuracy'. Did you mean 'accuracy'?",
        ),
        (
            "metrics: [{type: f1, treshold: 0.5}]",
            "3:22 metrics[0].treshold: f1_score has no "
            "argument 'treshold'. Did you mean 'threshold'?",
        ),
        (
            "metrics: [mean]",
            "3:11 metrics[0]: Mean averages a stream of values and doesn't "
            "compare predictions with labels.",
        ),
        (
            "training: {callbacks: [csv_loger]}",
            "3:24 training.callbacks[0]: there is no callback "
            "'csv_loger'. Did you mean 'csv_logger'?",
        ),
        (
            "training: {callbacks: [{type: csv_logger}]}",
            "3:24 training.callbacks[0]: csv_logger needs 'filename'.",
        ),
        (
            "training: {callbacks: [lambda_callback]}",
            "3:24 training.callbacks[0]: LambdaCallback "
            "runs Python code and has no place in a YAML.",
        ),
    ],
)
def test_wrong_component_is_refused(refuse: Refuse, text: str, problem: str) -> None:
    assert refuse(f"{BASE}{MODEL}{text}\n") == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        ("con2d", "4:7 model.layers[0]: there is no layer 'con2d'. Did you mean 'conv2d'?"),
        (
            "{type: con2d}",
            "4:14 model.layers[0].type: there is no layer 'con2d'. Did you mean 'conv2d'?",
        ),
        (
            "7",
            "4:7 model.layers[0]: expected a layer by name or with type:, received the number 7.",
        ),
        (
            "",
            "4:6 model.layers[0]: expected a layer by name or with type:, received nothing (null).",
        ),
        ("lambda", "4:7 model.layers[0]: Lambda runs Python code and has no place in a YAML."),
        (
            "{type: Lambda, function: x}",
            "4:14 model.layers[0].type: Lambda runs Python code and has no place in a YAML.",
        ),
        (
            "{type: input, shape: [8]}",
            "4:14 model.layers[0].type: Input is not needed: "
            "the input's shape comes from the dataset.",
        ),
        ("dense", "4:7 model.layers[0]: dense needs 'units'."),
        ("{type: conv2d}", "4:7 model.layers[0]: conv2d needs 'filters' and 'kernel_size'."),
        (
            "{type: conv2d, filter: 8, kernel_size: 3}",
            "4:22 model.layers[0].filter: conv2d has no argument 'filter'. Did you mean 'filters'?",
        ),
        (
            "{type: dense, units: 0}",
            "4:28 model.layers[0].units: expected a whole number >= 1, received the number 0.",
        ),
        (
            "{type: dense, units: 1.5}",
            "4:28 model.layers[0].units: expected a whole number >= 1, received the number 1.5.",
        ),
        (
            "{type: dense, units: }",
            "4:27 model.layers[0].units: expected a whole number >= 1, received nothing (null).",
        ),
        (
            "{type: dense, units: 3, use_bias: no}",
            "4:41 model.layers[0].use_bias: expected true or false, received the text 'no'. "
            "Did you mean 'false'?",
        ),
        (
            "{type: dropout, rate: 1}",
            "4:29 model.layers[0].rate: expected a number >= 0 and < 1, received the number 1.",
        ),
        (
            "{type: dropout, rate: .nan}",
            "4:29 model.layers[0].rate: expected a number >= 0 and < 1, received the number nan.",
        ),
        (
            "{type: conv2d, filters: 2, kernel_size: [3, 3, 3]}",
            "4:47 model.layers[0].kernel_size: "
            "expected a whole number >= 1, or a list of 2 of them, received a list of 3.",
        ),
        (
            "{type: conv2d, filters: 2, kernel_size: 3, padding: full}",
            "4:59 model.layers[0].padding: expected one of valid, same, received the text 'full'.",
        ),
        (
            "{type: conv2d, filters: 2, kernel_size: 3, strides: 2, dilation_rate: 2}",
            "4:77 model.layers[0].dilation_rate: expected only one of strides and dilation_rate "
            "greater than 1, received strides 2 and dilation_rate 2.",
        ),
        (
            "{type: dense, units: 3, activation: relo}",
            "4:43 model.layers[0].activation: there is no activation 'relo'. Did you mean 'relu'?",
        ),
        (
            "{type: dense, units: 3, activation: 3}",
            "4:43 model.layers[0].activation: expected an "
            "activation: its name, or a mapping with type, received the number 3.",
        ),
        (
            "{type: dense, units: 3, activation: {type: tanh, x: 1}}",
            "4:56 model.layers[0].activation.x: tanh has no argument 'x'. It takes none.",
        ),
        (
            "{type: dense, units: 3, activation: {type: celu, alpha: 1}}",
            "4:43 model.layers[0].activation: the activation celu takes no arguments here; "
            "write its bare name.",
        ),
        (
            "{type: dense, units: 3, kernel_regularizer: {type: l2, l2: -1}}",
            "4:66 model.layers[0].kernel_regularizer.l2: expected a number >= 0, "
            "received the number -1.",
        ),
        (
            "{type: dense, units: 3, kernel_regularizer: {type: l22}}",
            "4:58 model.layers[0].kernel_regularizer.type: there is no regularizer 'l22'. "
            "Did you mean 'l2'?",
        ),
        (
            "{type: dense, units: 3, kernel_regularizer: 0.1}",
            "4:51 model.layers[0].kernel_regularizer: expected a regularizer: its name, or a "
            "mapping with type, received the number 0.1.",
        ),
        (
            "{type: dense, units: 3, kernel_initializer: he_norml}",
            "4:51 model.layers[0].kernel_initializer: there is no initializer 'he_norml'. "
            "Did you mean 'he_normal'?",
        ),
        (
            "{type: dense, units: 3, kernel_constraint: {type: max_norm, max_val: 1}}",
            "4:67 model.layers[0].kernel_constraint.max_val: max_norm has no argument 'max_val'. "
            "Did you mean 'max_value'?",
        ),
        (
            "{type: bidirectional, layer: {type: lstm, unit: 3}}",
            "4:49 model.layers[0].layer.unit: lstm has no argument 'unit'. Did you mean 'units'?",
        ),
        (
            "{type: bidirectional, layer: {type: lstn, units: 3}}",
            "4:43 model.layers[0].layer.type: there is no layer 'lstn'. Did you mean 'lstm'?",
        ),
        ("{type: bidirectional}", "4:7 model.layers[0]: bidirectional needs 'layer'."),
        (
            "{type: time_distributed, layer: {type: lambda}}",
            "4:46 model.layers[0].layer.type: Lambda runs Python code and has no place in a YAML.",
        ),
        (
            "{type: rnn, cell: [{type: lstm_cell, units: 0}]}",
            "4:51 model.layers[0].cell[0].units: expected a whole number >= 1, "
            "received the number 0.",
        ),
    ],
)
def test_wrong_layer_is_refused(refuse: Refuse, layer: str, problem: str) -> None:
    assert refuse(_model(layer)) == [f"c.yaml:{problem}"]


def test_all_mistakes_of_one_layer_are_told(refuse: Refuse) -> None:
    assert refuse(_model("{type: conv2d, filters: 0, paddin: same, activation: relo}")) == [
        "c.yaml:4:7 model.layers[0]: conv2d needs 'kernel_size'.",
        "c.yaml:4:31 model.layers[0].filters: expected a whole number >= 1, received the number 0.",
        "c.yaml:4:34 model.layers[0].paddin: conv2d has no argument 'paddin'. "
        "Did you mean 'padding'?",
        "c.yaml:4:60 model.layers[0].activation: there is no activation 'relo'. "
        "Did you mean 'relu'?",
    ]


def test_names_of_keras_and_short_names_become_snake_case(load: Load) -> None:
    loaded = load(
        f"{BASE}model:\n  layers:\n    - Flatten\n    - {{type: Dense, units: 10}}\n"
        "optimizer: SGD\nmetrics: [acc, f1, {type: AUC, name: area}]\n"
    )
    assert [layer.type for layer in loaded.layers] == ["flatten", "dense"]
    assert loaded.config.optimizer == {"type": "sgd"}
    assert [(spec["type"], spec["name"]) for spec in loaded.config.metrics or []] == [
        ("accuracy", "acc"),
        ("f1_score", "f1"),
        ("auc", "area"),
    ]


def test_bare_name_is_the_same_as_a_mapping_without_arguments(load: Load) -> None:
    short = load(f"{BASE}{MODEL}optimizer: adam\nloss: cross_entropy\nmetrics: [accuracy]\n")
    long = load(
        f"{BASE}{MODEL}optimizer: {{type: adam}}\nloss: {{type: cross_entropy}}\n"
        "metrics: [{type: accuracy}]\n"
    )
    assert short.config == long.config


def test_nested_components_are_read_at_any_depth(load: Load) -> None:
    layer = (
        "{type: bidirectional, merge_mode: null, layer: {type: lstm, units: 3, "
        "kernel_regularizer: {type: l2, l2: 1e-4}, activation: {type: relu, max_value: 6}}}"
    )
    loaded = load(
        f"{BASE}model:\n  layers:\n    - {{type: reshape, target_shape: [8, 8]}}\n    - {layer}\n"
        "    - {type: dense, units: 10}\n"
    )
    assert loaded.layers[1].arguments == {
        "merge_mode": None,
        "layer": {
            "type": "lstm",
            "units": 3,
            "kernel_regularizer": {"type": "l2", "l2": 1e-4},
            "activation": {"type": "relu", "max_value": 6},
        },
    }
