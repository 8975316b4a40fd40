"""Is every kind of mistake in a section told, with its place, all at once and in file order?"""

from __future__ import annotations

import pytest
from config_problems import CONFIGS, Load, Refuse, Write

from dltrain.config.load import load_config
from dltrain.errors import ConfigError

MODEL = "model: {layers: [flatten, {type: dense, units: 10}]}\n"
BASE = f"dataset: {{name: digits}}\n{MODEL}"
TABLE = "dataset: {name: synthetic_regression}\nmodel: {layers: [{type: dense, units: 1}]}\n"


def test_problem_is_shown_as_the_design_shows_it(write: Write) -> None:
    path = write(f"{BASE}training:\n  epoch: 3\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == (
        f"{path}:4:3  training.epoch\n  training has no key 'epoch'. Did you mean 'epochs'?"
    )


def test_name_defaults_to_the_name_of_the_file(write: Write) -> None:
    assert load_config(write(BASE, "my-net.yaml")).config.name == "my-net"


def test_file_whose_name_is_no_name_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(BASE, "my net.yaml"))
    assert caught.value.problems[0].message == (
        "expected letters, digits, _, - and . only, the first a letter or digit, "
        "received the text 'my net'."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sed: 1", "3:1 sed: a config has no key 'sed'. Did you mean 'seed'?"),
        (
            "banana: 1",
            "3:1 banana: a config has no key 'banana'. It takes name, seed, dataset, model, loss, "
            "regularization, optimizer, metrics, training, trackers, sweep.",
        ),
        (
            "training: {batchsize: 1}",
            "3:12 training.batchsize: training has no key 'batchsize'. Did you mean 'batch_size'?",
        ),
        (
            "training:\n  early_stopping: {patienc: 1}",
            "4:20 training.early_stopping.patienc: early_stopping has no key 'patienc'. "
            "Did you mean 'patience'?",
        ),
        (
            "training: {reduce_lr_on_plateau: {minlr: 1}}",
            "3:35 training.reduce_lr_on_plateau.minlr: reduce_lr_on_plateau has no key 'minlr'. "
            "Did you mean 'min_lr'?",
        ),
        (
            "regularization: {l3: 1}",
            "3:18 regularization.l3: regularization has no key 'l3'. It takes l1, l2.",
        ),
    ],
)
def test_unknown_key_at_any_depth_suggests_the_nearest(
    refuse: Refuse, text: str, problem: str
) -> None:
    assert refuse(f"{BASE}{text}\n") == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dataset: {name: digits, splt: 1}\n" + MODEL, "1:25 dataset.splt: dataset has no key "),
        ("dataset: digits\nmodel: {layer: [flatten], layers: [flatten]}\n", "2:9 model.layer: "),
    ],
)
def test_unknown_key_of_dataset_and_model_is_refused(
    refuse: Refuse, text: str, problem: str
) -> None:
    assert refuse(text)[0].startswith(f"c.yaml:{problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: 12", "3:7 name: expected a text, received the number 12."),
        (
            "name: a/b",
            "3:7 name: expected letters, digits, _, - and . only, the first a letter or digit, "
            "received the text 'a/b'.",
        ),
        (
            f"name: {'n' * 101}",
            f"3:7 name: expected at most 100 characters, received the text '{'n' * 37}...'.",
        ),
        ("seed: 1.5", "3:7 seed: expected a whole number, received the number 1.5."),
        ("seed: 1.0", "3:7 seed: expected a whole number, received the number 1.0."),
        (
            "seed: '1'",
            "3:7 seed: expected a whole number, received the text '1'. Write it without quotes.",
        ),
        ("seed: true", "3:7 seed: expected a whole number, received true."),
        ("seed:", "3:6 seed: expected a whole number, received nothing (null)."),
        ("seed: -1", "3:7 seed: expected a number >= 0, received the number -1."),
        (
            "seed: 2147483648",
            "3:7 seed: expected a number < 2147483648, received the number 2147483648.",
        ),
        ("training: 3", "3:11 training: expected a mapping, received the number 3."),
        ("training:", "3:10 training: expected a mapping, received nothing (null)."),
        (
            "training: {epochs: 0}",
            "3:20 training.epochs: expected a number >= 1, received the number 0.",
        ),
        (
            "training: {epochs: ten}",
            "3:20 training.epochs: expected a whole number, received the text 'ten'.",
        ),
        (
            "training: {shuffle: on}",
            "3:21 training.shuffle: expected true or false, received the text 'on'. "
            "Did you mean 'true'?",
        ),
        (
            "training: {shuffle: 1}",
            "3:21 training.shuffle: expected true or false, received the number 1.",
        ),
        (
            "training: {batch_size: half}",
            "3:24 training.batch_size: expected a whole number or "
            "one of full, received the text 'half'.",
        ),
        (
            "training: {batch_size: 0}",
            "3:24 training.batch_size: expected a number >= 1 or "
            "one of full, received the number 0.",
        ),
        (
            "training: {precision: float64}",
            "3:23 training.precision: expected one of float32, "
            "mixed_float16, mixed_bfloat16, received the text 'float64'. Did you mean 'float32'?",
        ),
        (
            "training: {callbacks: csv_logger}",
            "3:23 training.callbacks: expected a list, received the text 'csv_logger'.",
        ),
        (
            "training: {early_stopping: true}",
            "3:28 training.early_stopping: expected a mapping, received true.",
        ),
        (
            "training: {early_stopping: {patience: -1}}",
            "3:39 training.early_stopping.patience: "
            "expected a number >= 0, received the number -1.",
        ),
        (
            "training: {early_stopping: {mode: up}}",
            "3:35 training.early_stopping.mode: "
            "expected one of auto, min, max, received the text 'up'.",
        ),
        (
            "training: {early_stopping: {baseline: .nan}}",
            "3:39 training.early_stopping.baseline: "
            "expected a finite number, received the number nan.",
        ),
        (
            "training: {early_stopping: {min_delta: .inf}}",
            "3:40 training.early_stopping.min_delta:"
            " expected a finite number, received the number inf.",
        ),
        (
            "training: {reduce_lr_on_plateau: {factor: 1}}",
            "3:43 "
            "training.reduce_lr_on_plateau.factor: expected a number < 1, received the number 1.",
        ),
        (
            "training: {reduce_lr_on_plateau: {factor: 0}}",
            "3:43 "
            "training.reduce_lr_on_plateau.factor: expected a number > 0, received the number 0.",
        ),
        (
            "regularization: 1e-4",
            "3:17 regularization: expected a mapping, received the number 0.0001.",
        ),
        (
            "regularization: {l2: -1e-4}",
            "3:22 regularization.l2: expected a number >= 0, received the number -0.0001.",
        ),
        (
            "regularization: {l2: 1e-4 }\nmetrics: accuracy",
            "4:10 metrics: expected a list, received the text 'accuracy'.",
        ),
    ],
)
def test_wrong_value_is_refused(refuse: Refuse, text: str, problem: str) -> None:
    assert refuse(f"{BASE}{text}\n") == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        (
            "{name: digits, validation_split: 1}",
            "1:43 dataset.validation_split: expected a number < 1, received the number 1.",
        ),
        (
            "{name: digits, validation_split: -0.1}",
            "1:43 dataset.validation_split: expected a number >= 0, received the number -0.1.",
        ),
        (
            "{name: digits, validation_split: .nan}",
            "1:43 dataset.validation_split: expected a number < 1, received the number nan.",
        ),
        (
            "{name: digits, validation_split: 10%}",
            "1:43 dataset.validation_split: expected a number, received the text '10%'.",
        ),
        (
            "{name: digits, test_split: 0}",
            "1:37 dataset.test_split: expected a number > 0, received the number 0.",
        ),
        (
            "{name: digits, normalize: minmax}",
            "1:36 dataset.normalize: "
            "expected one of unit, standard, none, received the text 'minmax'.",
        ),
        (
            "{name: digits, augment: random_flip}",
            "1:34 dataset.augment: expected a list, received the text 'random_flip'.",
        ),
        ("{name: digit}", "1:17 dataset.name: there is no dataset 'digit'. Did you mean 'digits'?"),
        (
            "{name: banana}",
            "1:17 dataset.name: there is no dataset 'banana'. `dltrain data list` shows all.",
        ),
        ("{name: 3}", "1:17 dataset.name: expected a text, received the number 3."),
        (
            "{validation_split: 0.1}",
            "1:1 dataset.name: dataset needs `name:`, or `type:` for data of your own. "
            "`dltrain data list` shows the datasets.",
        ),
        ("[digits]", "1:10 dataset: expected a mapping, received a list of 1."),
        ("", "1:9 dataset: expected a mapping, received nothing (null)."),
    ],
)
def test_wrong_dataset_is_refused(refuse: Refuse, dataset: str, problem: str) -> None:
    assert refuse(f"dataset: {dataset}\n{MODEL}") == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "name: x\n",
            [
                "1:1 dataset: a config needs `dataset:`. For example `dataset: {name: digits}`.",
                "1:1 model: a config needs `model:`. "
                "For example `model: {layers: [flatten, {type: dense, units: 10}]}`.",
            ],
        ),
        (
            "dataset: digits\nmodel: {}\n",
            ["2:1 model.layers: model needs `layers:`. A list of Keras layers."],
        ),
        (
            "dataset: digits\nmodel: {layers: []}\n",
            ["2:17 model.layers: expected at least one item, received an empty list."],
        ),
        (
            "dataset: digits\nmodel: {layers: flatten}\n",
            ["2:17 model.layers: expected a list, received the text 'flatten'."],
        ),
        (
            "dataset: digits\nmodel: [flatten]\n",
            ["2:8 model: expected a mapping, received a list of 1."],
        ),
        (
            "dataset: digits\nmodel: {layers: [flatten], blocks: [a]}\n",
            ["2:36 model.blocks: expected a mapping, received a list of 1."],
        ),
    ],
)
def test_missing_section_is_refused(refuse: Refuse, text: str, problems: list[str]) -> None:
    assert refuse(text) == [f"c.yaml:{problem}" for problem in problems]


def test_all_mistakes_of_a_file_are_told_at_once_and_in_file_order(refuse: Refuse) -> None:
    text = """\
name: a b
sed: 1
dataset:
  name: mnis
  validation_split: 2
  augment:
    - {type: random_flip, mode: sideways}
model:
  layers:
    - {type: conv2d, filter: 8, kernel_size: 3}
    - dens
    - {type: dropout, rate: 1.5}
    - {type: dense}
regularization: {l2: much}
loss: cross_entropi
optimizer: {type: adam, learning_rate: -1}
metrics: [accuracy, acuracy]
training:
  epochs: 0
  early_stopping: {patience: no}
  precision: half
"""
    problems = refuse(text)
    assert [problem.split(": ")[0] for problem in problems] == [
        "c.yaml:1:7 name",
        "c.yaml:2:1 sed",
        "c.yaml:4:9 dataset.name",
        "c.yaml:5:21 dataset.validation_split",
        "c.yaml:7:33 dataset.augment[0].mode",
        "c.yaml:10:22 model.layers[0].filter",
        "c.yaml:11:7 model.layers[1]",
        "c.yaml:12:29 model.layers[2].rate",
        "c.yaml:13:7 model.layers[3]",
        "c.yaml:14:22 regularization.l2",
        "c.yaml:15:7 loss",
        "c.yaml:16:40 optimizer.learning_rate",
        "c.yaml:17:21 metrics[1]",
        "c.yaml:19:11 training.epochs",
        "c.yaml:20:30 training.early_stopping.patience",
        "c.yaml:21:14 training.precision",
    ]


def test_defaults_are_written_out(load: Load) -> None:
    config = load(BASE).config
    assert config.loss == {"type": "cross_entropy"}
    assert config.optimizer == {"type": "adam"}
    assert config.metrics == [{"type": "accuracy", "name": "accuracy"}]
    assert (config.dataset.normalize, config.dataset.test_split) == ("unit", 0.2)
    assert config.training.monitor == "val_loss"
    table = load(TABLE).config
    assert table.loss == {"type": "mean_squared_error"}
    assert table.dataset.normalize == "standard"
    assert (table.dataset.rows, table.dataset.features) == (1000, 100)


def test_monitors_follow_early_stopping_and_each_other(load: Load) -> None:
    config = load(
        f"{BASE}training: {{early_stopping: {{monitor: val_accuracy}}, reduce_lr_on_plateau: {{}}}}"
    ).config
    assert config.training.monitor == "val_accuracy"
    assert config.training.reduce_lr_on_plateau is not None
    assert config.training.reduce_lr_on_plateau.monitor == "val_accuracy"
    without = BASE.replace("digits}", "digits, validation_split: 0}")
    assert load(without).config.training.monitor == "loss"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_that_ships_is_right(path: object) -> None:
    loaded = load_config(path)  # type: ignore[arg-type]
    assert loaded.config.name.replace("-", "_") == path.stem  # type: ignore[attr-defined]
