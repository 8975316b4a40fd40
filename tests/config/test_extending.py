"""Do `extends:` and `--set` change what they name, and do problems name where it came from?"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import Load, Refuse, Write

from dltrain.config.load import load_config
from dltrain.config.paths import format_path, parse_path
from dltrain.errors import ConfigError

BASE = """\
name: base
seed: 1
dataset: {name: digits, validation_split: 0.2}
model:
  layers:
    - flatten
    - {type: dense, units: 10}
optimizer: {type: sgd, momentum: 0.9, learning_rate: 0.1}
training:
  epochs: 3
  batch_size: 16
"""


def test_mappings_merge_with_the_base_and_lists_replace(write: Write) -> None:
    write(BASE, "base.yaml")
    config = load_config(
        write(
            "extends: base.yaml\ntraining: {epochs: 5}\n"
            "model: {layers: [flatten, {type: dense, units: 10}, softmax]}\n"
        )
    ).config
    assert (config.training.epochs, config.training.batch_size) == (5, 16)
    assert (config.name, config.seed, config.dataset.validation_split) == ("base", 1, 0.2)
    assert len(config.model.layers) == 3


def test_another_type_replaces_the_mapping_of_the_base_whole(write: Write) -> None:
    write(BASE, "base.yaml")
    config = load_config(write("extends: base.yaml\noptimizer: {type: adam}\n")).config
    assert config.optimizer == {"type": "adam"}


def test_same_type_merges_with_the_base(write: Write) -> None:
    write(BASE, "base.yaml")
    config = load_config(
        write("extends: base.yaml\noptimizer: {type: sgd, momentum: 0.5}\n")
    ).config
    assert config.optimizer == {"type": "sgd", "momentum": 0.5, "learning_rate": 0.1}


def test_bare_name_of_the_base_is_short_for_a_mapping(write: Write) -> None:
    write("dataset: digits\noptimizer: sgd\nloss: cross_entropy\n", "base.yaml")
    config = load_config(
        write(
            "extends: base.yaml\ndataset: {validation_split: 0.3}\noptimizer: {momentum: 0.5}\n"
            "loss: {label_smoothing: 0.1}\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
        )
    ).config
    assert (config.dataset.name, config.dataset.validation_split) == ("digits", 0.3)
    assert config.optimizer == {"type": "sgd", "momentum": 0.5}
    assert config.loss == {"type": "cross_entropy", "label_smoothing": 0.1}


def test_another_type_over_a_bare_name_of_the_base_replaces_it(write: Write) -> None:
    write(BASE.replace("{type: sgd, momentum: 0.9, learning_rate: 0.1}", "sgd"), "base.yaml")
    config = load_config(write("extends: base.yaml\noptimizer: {type: adam, beta_1: 0.8}\n")).config
    assert config.optimizer == {"type": "adam", "beta_1": 0.8}


def test_what_replaced_a_value_of_the_base_has_none_of_its_places(
    write: Write, refuse: Refuse
) -> None:
    write(BASE.replace("- flatten", "- {type: flatten}"), "base.yaml")
    assert refuse("extends: base.yaml\nmodel: {layers: [flaten, {type: dense, units: 10}]}\n") == [
        "c.yaml:2:18 model.layers[0]: there is no layer 'flaten'. Did you mean 'flatten'?"
    ]


def test_another_dataset_replaces_the_dataset_of_the_base_whole(write: Write) -> None:
    write(BASE, "base.yaml")
    config = load_config(write("extends: base.yaml\ndataset: {name: mnist}\n")).config
    assert config.dataset.validation_split == 0.1


def test_bases_of_bases_are_read_from_their_own_folders(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(BASE, "base.yaml")
    write("extends: ../../base.yaml\nseed: 2\n", "a/b/middle.yaml")
    config = load_config(write("extends: b/middle.yaml\nname: top\n", "a/top.yaml")).config
    assert (config.name, config.seed, config.training.epochs) == ("top", 2, 3)


def test_problem_in_the_base_names_the_base_after_those_of_the_file(
    write: Write, refuse: Refuse
) -> None:
    write(BASE.replace("epochs: 3", "epochs: 0"), "base.yaml")
    assert refuse("extends: base.yaml\n\ntraining: {batch_size: -1}\n") == [
        "c.yaml:3:24 training.batch_size: expected a number >= 1 or one of full, "
        "received the number -1.",
        "base.yaml:10:11 training.epochs: expected a number >= 1, received the number 0.",
    ]


def test_missing_base_is_refused(refuse: Refuse) -> None:
    assert refuse("name: x\nextends: absent.yaml\n") == [
        "c.yaml:2:10 extends: there is no file absent.yaml. "
        "The path is taken from the folder of this file."
    ]


@pytest.mark.parametrize("name", ["''", ".", "a" * 5000])
def test_base_that_is_no_file_is_refused(refuse: Refuse, tmp_path: Path, name: str) -> None:
    (problem,) = refuse(f"extends: {name}\n")
    assert problem.startswith("c.yaml:1:10 extends: there is no file ")


def test_files_that_extend_each_other_are_refused(write: Write, refuse: Refuse) -> None:
    write("extends: c.yaml\n", "other.yaml")
    assert refuse("extends: other.yaml\n") == [
        "other.yaml:1:10 extends: c.yaml extends this file in turn: a circle."
    ]


def test_more_files_than_anyone_writes_are_refused(write: Write, refuse: Refuse) -> None:
    for number in range(1, 1200):
        write(f"extends: {number + 1}.yaml\n", f"{number}.yaml")
    assert refuse("extends: 1.yaml\n") == [
        "30.yaml:1:10 extends: more than 30 files extend each other."
    ]


def test_file_that_extends_itself_is_refused(refuse: Refuse) -> None:
    assert refuse("name: x\nextends: c.yaml\n") == [
        "c.yaml:2:10 extends: c.yaml extends this file in turn: a circle."
    ]


def test_base_that_is_no_path_is_refused(refuse: Refuse) -> None:
    assert refuse("extends: [base.yaml]\n") == [
        "c.yaml:1:10 extends: expected the path of a file, received a list of 1."
    ]


def test_base_that_is_no_yaml_is_refused_by_its_own_name(write: Write, refuse: Refuse) -> None:
    write("a: [1\n", "base.yaml")
    assert refuse("extends: base.yaml\nseed: 1\nseed: 2\n") == [
        "c.yaml:3:1 seed: the key 'seed' stands twice (first: line 2). Delete one of the two.",
        "base.yaml:2:1: not valid YAML: expected ',' or ']', received the end of the text. "
        "The list that opens at line 1, column 4 isn't closed.",
    ]


def test_mistakes_of_text_and_of_meaning_are_told_together_in_both_files(
    write: Write, refuse: Refuse
) -> None:
    write(BASE.replace("epochs: 3", "epoch: 3\n  epoch: 4"), "base.yaml")
    assert refuse("extends: base.yaml\nseed: !!int 1\noptimizer: {type: sdg}\n", "loss=mse2") == [
        "c.yaml:2:7 seed: the tag !!int is not allowed. Write the value without it.",
        "c.yaml:3:19 optimizer.type: there is no optimizer 'sdg'. Did you mean 'sgd'?",
        "base.yaml:10:3 training.epoch: training has no key 'epoch'. Did you mean 'epochs'?",
        "base.yaml:11:3 training.epoch: the key 'epoch' stands twice (first: line 10). "
        "Delete one of the two.",
        "--set loss=mse2 loss: there is no loss 'mse2'. Did you mean 'mse'?",
    ]


def test_set_makes_keys_and_reads_its_values_as_yaml(load: Load) -> None:
    config = load(
        BASE,
        "training.early_stopping.patience=2",
        "optimizer.learning_rate=1e-3",
        "training.shuffle=false",
        "metrics=[accuracy, f1]",
        "name='012'",
        "loss=",
    ).config
    assert config.training.early_stopping is not None
    assert config.training.early_stopping.patience == 2
    assert config.optimizer["learning_rate"] == 0.001
    assert config.training.shuffle is False
    assert [spec["type"] for spec in config.metrics or []] == ["accuracy", "f1_score"]
    assert config.name == "012"
    assert config.loss == {"type": "cross_entropy"}


def test_set_reaches_into_lists(load: Load) -> None:
    loaded = load(
        BASE, "model.layers[0]={type: flatten, name: flat}", "model.layers.1.use_bias=false"
    )
    assert loaded.layers[0].name == "flat"
    assert loaded.layers[1].arguments == {"units": 10, "use_bias": False}


def test_set_turns_a_bare_name_into_a_mapping(load: Load) -> None:
    text = BASE.replace("dataset: {name: digits, validation_split: 0.2}", "dataset: digits")
    config = load(
        text + "loss: cross_entropy\n",
        "loss.label_smoothing=0.1",
        "dataset.validation_split=0.3",
        "model.layers[0].name=flat",
    ).config
    assert config.loss == {"type": "cross_entropy", "label_smoothing": 0.1}
    assert (config.dataset.name, config.dataset.validation_split) == ("digits", 0.3)
    assert config.model.layers[0] == {"type": "flatten", "name": "flat"}


def test_the_last_of_two_flags_wins(load: Load) -> None:
    assert load(BASE, "seed=5", "seed=6").config.seed == 6


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        (
            "seed",
            "seed: expected KEY=VALUE, such as optimizer.learning_rate=0.01, received 'seed'.",
        ),
        ("=1", ": '' is not a dotted path such as optimizer.learning_rate."),
        ("a..b=1", "a..b: 'a..b' is not a dotted path such as optimizer.learning_rate."),
        ("[0]=1", "[0]: '[0]' is not a dotted path such as optimizer.learning_rate."),
        ("a[x]=1", "a[x]: 'a[x]' is not a dotted path such as optimizer.learning_rate."),
        (
            "model.layers[2].units=1",
            "model.layers[2].units: model.layers has 2 items, [0] to [1]; received [2].",
        ),
        (
            "model.layers[7]=dense",
            "model.layers[7]: model.layers has 2 items, [0] to [1]; received [7].",
        ),
        (
            "model.layers.first=dense",
            "model.layers.first: model.layers is a list of 2; expected an index such as "
            "model.layers[0], received 'first'.",
        ),
        (
            "training[0]=1",
            "training[0]: training is no list; expected a key, received [0].",
        ),
        (
            "metrics[0]=f1",
            "metrics[0]: metrics is not in the config, so it has no [0].",
        ),
        ("seed.x=1", "seed.x: seed is the number 1; nothing can be set inside it."),
        (
            "seed=[1",
            "seed: not valid YAML: expected ',' or ']', received the end of the text. "
            "The list that opens at line 1, column 1 isn't closed.",
        ),
        ("seed=!!int 1", "seed: the tag !!int is not allowed. Write the value without it."),
        (
            "seed=\0",
            "seed: not valid YAML: the character U+0000 is not allowed. Is this a YAML file?",
        ),
        ("seed=-1", "seed: expected a number >= 0, received the number -1."),
        ("sede=1", "sede: a config has no key 'sede'. Did you mean 'seed'?"),
        (
            "optimizer.lr=1",
            "optimizer.lr: sgd has no argument 'lr'. Did you mean 'learning_rate'?",
        ),
        (
            "dataset={name: digit}",
            "dataset.name: there is no dataset 'digit'. Did you mean 'digits'?",
        ),
        (
            "extends=base.yaml",
            "extends: a config has no key 'extends'. It takes name, seed, "
            "dataset, model, loss, regularization, optimizer, metrics, training, trackers, sweep.",
        ),
    ],
)
def test_problem_of_a_flag_names_the_flag(refuse: Refuse, flag: str, problem: str) -> None:
    assert refuse(BASE, flag) == [f"--set {flag} {problem}".replace(" : ", ": ")]


def test_path_as_deep_as_no_config_is_refused(refuse: Refuse) -> None:
    key = ".".join("a" * 5000)
    assert refuse(BASE, f"{key}=1") == [
        f"--set {key}=1 {key}: a path of 5000 keys; a config is never nested that deep."
    ]


def test_all_flags_that_are_wrong_are_told_at_once(refuse: Refuse) -> None:
    assert refuse(BASE, "seed", "training[0]=1") == [
        "--set seed seed: expected KEY=VALUE, such as optimizer.learning_rate=0.01, "
        "received 'seed'.",
        "--set training[0]=1 training[0]: training is no list; expected a key, received [0].",
    ]


def test_problems_of_flags_come_after_those_of_the_file(refuse: Refuse) -> None:
    assert refuse(BASE.replace("epochs: 3", "epochs: 0"), "seed=-1") == [
        "c.yaml:10:11 training.epochs: expected a number >= 1, received the number 0.",
        "--set seed=-1 seed: expected a number >= 0, received the number -1.",
    ]


def test_seed_and_epochs_flags_name_themselves(write: Write) -> None:
    path = write(BASE)
    config = load_config(path, seed=9, epochs=7).config
    assert (config.seed, config.training.epochs) == (9, 7)
    with pytest.raises(ConfigError) as caught:
        load_config(path, seed=-1, epochs=0)
    assert [str(problem) for problem in caught.value.problems] == [
        "--seed -1  seed\n  expected a number >= 0, received the number -1.",
        "--epochs 0  training.epochs\n  expected a number >= 1, received the number 0.",
    ]


@pytest.mark.parametrize("text", ["a", "a.b", "a[0]", "a.b[0].c", "a[0][1]"])
def test_path_is_written_as_it_is_read(text: str) -> None:
    assert format_path(parse_path(text)) == text


def test_the_last_of_repeated_overrides_counts(load: Load) -> None:
    text = "dataset: {name: digits}\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
    assert load(text, "seed=1", "seed=2", "seed=1").config.seed == 1


def test_a_flag_that_can_not_be_applied_is_named_as_it_was_written(write: Write) -> None:
    config = write("dataset: {name: digits}\ntraining: 5\n")
    with pytest.raises(ConfigError) as caught:
        load_config(config, epochs=3)
    assert [(problem.location(), problem.message) for problem in caught.value.problems] == [
        (f"{config}:1:1", "a config needs `model:`."),
        (f"{config}:2:11", "expected a mapping, received the number 5."),
        ("--epochs 3", "training is the number 5; nothing can be set inside it."),
    ]
