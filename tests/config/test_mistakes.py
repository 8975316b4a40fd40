"""Does every kind of mistake say where, what was expected, what was received, and what was meant?

The table of mistakes: a row is a config (or flags for a right one) with one mistake, and the whole
of what is said about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_runs import Result

from dltrain.errors import Problem

Cli = Callable[..., Result]

DATASET = "dataset: {name: digits}\n"
LAST = "    - {type: dense, units: 10}\n"
RIGHT = f"{DATASET}model:\n  layers:\n    - flatten\n{LAST}"


@dataclass(frozen=True)
class Mistake:
    """A wrong config, and the problem as people and as `--json` are told of it."""

    kind: str
    text: str
    place: str
    key: str
    message: str
    expected: str | None
    received: str | None
    suggestion: str | None = None
    hint: str = ""
    flags: tuple[str, ...] = ()
    base: str = ""


def graph(*layers: str) -> str:
    items = "".join(f"    - {layer}\n" for layer in ("flatten", *layers))
    return f"{DATASET}model:\n  layers:\n{items}{LAST}"


MISTAKES = [
    Mistake(
        "YAML syntax: a bracket that isn't closed",
        f"{RIGHT}training: {{epochs: 3\nseed: 1\n",
        "c.yaml:7:5",
        "",
        "not valid YAML: expected ',' or '}', received ':'.",
        "',' or '}'",
        "':'",
        hint="The mapping that opens at line 6, column 11 isn't closed.",
    ),
    Mistake(
        "YAML syntax: a tab",
        f"{RIGHT}training:\n\tepochs: 3\n",
        "c.yaml:7:1",
        "",
        "not valid YAML: expected spaces, received a tab.",
        "spaces",
        "a tab",
        hint="YAML is indented with spaces only.",
    ),
    Mistake(
        "YAML syntax: a line that is indented wrongly",
        f"{RIGHT}training:\n  epochs: 3\n   shuffle: true\n",
        "c.yaml:8:11",
        "",
        "not valid YAML: expected a line that goes on with the one above, received a key.",
        "a line that goes on with the one above",
        "a key",
        hint="A key is indented like the others of its section, and a space follows its ':'.",
    ),
    Mistake(
        "YAML syntax: a key without a colon",
        f"{RIGHT}seed\nloss: mse\n",
        "c.yaml:6:1",
        "",
        "not valid YAML: expected a ':' after the key, received none.",
        "a ':' after the key",
        "none",
        hint="Write `key: value`, with a space after the colon.",
    ),
    Mistake(
        "YAML syntax: a quote that isn't closed",
        f"{RIGHT}name: 'mine\nseed: 1\n",
        "c.yaml:6:7",
        "",
        "not valid YAML: the quote that opens here isn't closed.",
        "a closing quote",
        "the end of the text",
    ),
    Mistake(
        "duplicate key",
        f"{RIGHT}training:\n  epochs: 3\n  shuffle: true\n  epochs: 5\n",
        "c.yaml:9:3",
        "training.epochs",
        "the key 'epochs' stands twice (first: line 7).",
        "'epochs' once",
        "a second 'epochs'",
        hint="Delete one of the two.",
    ),
    Mistake(
        "unknown key at the top",
        f"{RIGHT}sed: 1\n",
        "c.yaml:6:1",
        "sed",
        "a config has no key 'sed'.",
        "a key of a config: name, seed, dataset, model, loss, regularization, optimizer, metrics, "
        "training, trackers, sweep",
        "'sed'",
        "seed",
    ),
    Mistake(
        "unknown key of a section of a section",
        f"{RIGHT}training:\n  checkpoint:\n    every_epoch: 2\n",
        "c.yaml:8:5",
        "training.checkpoint.every_epoch",
        "checkpoint has no key 'every_epoch'.",
        "a key of checkpoint: every_epochs, every_seconds, every_steps",
        "'every_epoch'",
        "every_epochs",
    ),
    Mistake(
        "unknown argument of a layer",
        graph("{type: relu, max_valu: 6}"),
        "c.yaml:5:20",
        "model.layers[1].max_valu",
        "relu has no argument 'max_valu'.",
        "an argument of relu: max_value, negative_slope, threshold, activity_regularizer, "
        "autocast, dtype, name, trainable",
        "'max_valu'",
        "max_value",
    ),
    Mistake(
        "unknown argument deep inside a layer",
        graph("{type: dense, units: 8, kernel_regularizer: {type: l2, l_2: 1e-4}}"),
        "c.yaml:5:62",
        "model.layers[1].kernel_regularizer.l_2",
        "l2 has no argument 'l_2'.",
        "an argument of l2: l2",
        "'l_2'",
        "l2",
    ),
    Mistake(
        "unknown key of a block",
        f"{DATASET}model:\n  blocks:\n    a: {{layer: [relu], layers: [relu]}}\n  layers:\n"
        f"    - flatten\n    - {{block: a}}\n{LAST}",
        "c.yaml:4:9",
        "model.blocks.a.layer",
        "a block has no key 'layer'.",
        "parameters or layers",
        "'layer'",
        "layers",
    ),
    Mistake(
        "unknown parameter of a block",
        f"{DATASET}model:\n  blocks:\n"
        "    a: {parameters: {units: 8}, layers: [{type: dense, units: $units}]}\n"
        f"  layers:\n    - flatten\n    - {{block: a, unit: 16}}\n{LAST}",
        "c.yaml:7:18",
        "model.layers[1].unit",
        "the block 'a' has no parameter 'unit'.",
        "a parameter of a: units",
        "'unit'",
        "units",
    ),
    Mistake(
        "unknown layer",
        graph("{type: droput, rate: 0.5}"),
        "c.yaml:5:14",
        "model.layers[1].type",
        "there is no layer 'droput'.",
        "the name of a layer",
        "'droput'",
        "dropout",
    ),
    Mistake(
        "unknown optimizer by its bare name",
        f"{RIGHT}optimizer: adm\n",
        "c.yaml:6:12",
        "optimizer",
        "there is no optimizer 'adm'.",
        "the name of an optimizer",
        "'adm'",
        "adam",
    ),
    Mistake(
        "unknown dataset",
        RIGHT.replace("digits", "minst"),
        "c.yaml:1:17",
        "dataset.name",
        "there is no dataset 'minst'.",
        "the name of a dataset",
        "'minst'",
        "mnist",
    ),
    Mistake(
        "wrong type of a section",
        f"{RIGHT}training: [10]\n",
        "c.yaml:6:11",
        "training",
        "expected a mapping, received a list of 1.",
        "a mapping",
        "a list of 1",
    ),
    Mistake(
        "wrong type of a key",
        f"{RIGHT}training: {{epochs: 2.5}}\n",
        "c.yaml:6:20",
        "training.epochs",
        "expected a whole number, received the number 2.5.",
        "a whole number",
        "the number 2.5",
    ),
    Mistake(
        "wrong type: a number in quotes",
        f"{RIGHT}seed: '7'\n",
        "c.yaml:6:7",
        "seed",
        "expected a whole number, received the text '7'.",
        "a whole number",
        "the text '7'",
        hint="Write it without quotes.",
    ),
    Mistake(
        "wrong type: a word that YAML 1.1 had for true",
        f"{RIGHT}training: {{shuffle: yes}}\n",
        "c.yaml:6:21",
        "training.shuffle",
        "expected true or false, received the text 'yes'.",
        "true or false",
        "the text 'yes'",
        "true",
    ),
    Mistake(
        "wrong type of an argument",
        graph("{type: dense, units: [8]}"),
        "c.yaml:5:28",
        "model.layers[1].units",
        "expected a whole number >= 1, received a list of 1.",
        "a whole number >= 1",
        "a list of 1",
    ),
    Mistake(
        "wrong type of what stands for a layer",
        graph("3"),
        "c.yaml:5:7",
        "model.layers[1]",
        "expected a layer by name or with type:, received the number 3.",
        "a layer by name or with type:",
        "the number 3",
    ),
    Mistake(
        "out of range in a section",
        f"{RIGHT}regularization: {{l2: -1e-4}}\n",
        "c.yaml:6:22",
        "regularization.l2",
        "expected a number >= 0, received the number -0.0001.",
        "a number >= 0",
        "the number -0.0001",
    ),
    Mistake(
        "out of range in a layer",
        graph("{type: dropout, rate: 1.5}"),
        "c.yaml:5:29",
        "model.layers[1].rate",
        "expected a number >= 0 and < 1, received the number 1.5.",
        "a number >= 0 and < 1",
        "the number 1.5",
    ),
    Mistake(
        "out of range: not a number",
        f"{RIGHT}optimizer: {{type: adam, learning_rate: .nan}}\n",
        "c.yaml:6:40",
        "optimizer.learning_rate",
        "expected a number > 0, or a schedule: a mapping with type, received the number nan.",
        "a number > 0, or a schedule: a mapping with type",
        "the number nan",
    ),
    Mistake(
        "wrong choice in a section",
        f"{RIGHT}training: {{precision: mixed_flot16}}\n",
        "c.yaml:6:23",
        "training.precision",
        "expected one of float32, mixed_float16, mixed_bfloat16, received the text 'mixed_flot16'.",
        "one of float32, mixed_float16, mixed_bfloat16",
        "the text 'mixed_flot16'",
        "mixed_float16",
    ),
    Mistake(
        "wrong choice in a layer",
        RIGHT.replace("flatten", "{type: conv2d, filters: 4, kernel_size: 3, padding: smae}"),
        "c.yaml:4:59",
        "model.layers[0].padding",
        "expected one of valid, same, received the text 'smae'.",
        "one of valid, same",
        "the text 'smae'",
        "same",
    ),
    Mistake(
        "missing section",
        f"{DATASET}seed: 1\n",
        "c.yaml:1:1",
        "model",
        "a config needs `model:`.",
        "model:",
        "none",
        hint="For example `model: {layers: [flatten, {type: dense, units: 10}]}`.",
    ),
    Mistake(
        "missing argument",
        graph("{type: dense, activation: relu}"),
        "c.yaml:5:7",
        "model.layers[1]",
        "dense needs 'units'.",
        "'units'",
        "none",
    ),
    Mistake(
        "missing type",
        graph("{tpye: relu}"),
        "c.yaml:5:7",
        "model.layers[1]",
        "a layer needs `type:`, the name of one; 'tpye' is there.",
        "type:",
        "'tpye'",
        "type",
    ),
    Mistake(
        "two arguments that exclude each other",
        f"{RIGHT}optimizer: {{type: sgd, clipnorm: 1, clipvalue: 0.5}}\n",
        "c.yaml:6:48",
        "optimizer.clipvalue",
        "expected only one of clipnorm, clipvalue, global_clipnorm, received clipnorm and "
        "clipvalue.",
        "only one of clipnorm, clipvalue, global_clipnorm",
        "clipnorm and clipvalue",
    ),
    Mistake(
        "two sections that exclude each other",
        f"{RIGHT}optimizer:\n  type: adam\n"
        "  learning_rate: {type: exponential_decay, initial_learning_rate: 0.1, decay_steps: 9, "
        "decay_rate: 0.9}\ntraining:\n  reduce_lr_on_plateau: {}\n",
        "c.yaml:10:3",
        "training.reduce_lr_on_plateau",
        "a learning rate that follows a schedule can't be lowered on a plateau as well.",
        "only one of a schedule and reduce_lr_on_plateau",
        "both",
        hint="Give optimizer.learning_rate a number, or leave this out.",
    ),
    Mistake(
        "a graph with a cycle",
        graph("{type: add, inputs: [flatten, b], name: a}", "{type: relu, name: b}").replace(
            "- flatten", "- {type: flatten, name: flatten}"
        ),
        "c.yaml:5:37",
        "model.layers[1].inputs[1]",
        "the layer 'b' comes later: an input must stand above the layer that takes it, so the "
        "graph has no cycle.",
        "the name of a layer above",
        "'b'",
    ),
    Mistake(
        "a block that contains itself",
        f"{DATASET}model:\n  blocks:\n    a:\n      layers:\n        - relu\n"
        f"        - {{block: a}}\n  layers:\n    - flatten\n    - {{block: a}}\n{LAST}",
        "c.yaml:7:19",
        "model.blocks.a.layers[1].block",
        "the block 'a' contains itself.",
        "another block",
        "'a'",
    ),
    Mistake(
        "a missing input",
        graph("{type: dense, units: 8, name: hidden}", "{type: add, inputs: [hiden, hidden]}"),
        "c.yaml:6:28",
        "model.layers[2].inputs[0]",
        "no layer above is named 'hiden'.",
        "the name of a layer above",
        "'hiden'",
        "hidden",
    ),
    Mistake(
        "a name used twice",
        graph("{type: relu, name: a}", "{type: relu, name: a}"),
        "c.yaml:6:26",
        "model.layers[2].name",
        "the name 'a' is used twice.",
        "a name of its own",
        "'a'",
        hint="Give one of the two layers another name.",
    ),
    Mistake(
        "a metric's name used twice",
        f"{RIGHT}metrics: [accuracy, accuracy]\n",
        "c.yaml:6:21",
        "metrics[1]",
        "the metric name 'accuracy' is used twice; add a name:.",
        "a name of its own",
        "'accuracy'",
    ),
    Mistake(
        "a monitor that nothing produces",
        f"{RIGHT}training: {{monitor: val_acuracy}}\n",
        "c.yaml:6:21",
        "training.monitor",
        "no epoch produces the text 'val_acuracy'; there are loss, accuracy, val_loss, "
        "val_accuracy.",
        "one of loss, accuracy, val_loss, val_accuracy",
        "the text 'val_acuracy'",
        "val_accuracy",
    ),
    Mistake(
        "units that don't match the classes",
        RIGHT.replace("units: 10", "units: 9"),
        "c.yaml:5:7",
        "model.layers[1]",
        "the data has 10 classes: expected 10 units in the last layer, received 9.",
        "10 units",
        "9 units",
        hint="End the model with {type: dense, units: 10}.",
    ),
    Mistake(
        "an alias bomb",
        RIGHT
        + "".join(
            f"a{number}: &a{number} [{', '.join([f'*a{number - 1}' if number else 'x'] * 10)}]\n"
            for number in range(9)
        ),
        "c.yaml:6:10",
        "a4[0][6][8][8][0]",
        "more than 20,000 values once aliases are expanded.",
        "at most 20,000 values",
        "more",
    ),
    Mistake(
        "a base file that isn't there",
        f"extends: bsae.yaml\n{RIGHT}",
        "c.yaml:1:10",
        "extends",
        "there is no file bsae.yaml.",
        "the path of a file",
        "'bsae.yaml'",
        "base.yaml",
        base=RIGHT,
    ),
    Mistake(
        "a mistake in the base file",
        "extends: base.yaml\nseed: 1\n",
        "base.yaml:6:20",
        "training.epochs",
        "expected a number >= 1, received the number 0.",
        "a number >= 1",
        "the number 0",
        base=f"{RIGHT}training: {{epochs: 0}}\n",
    ),
    Mistake(
        "a flag whose value is wrong",
        RIGHT,
        "--set training.epochs=0",
        "training.epochs",
        "expected a number >= 1, received the number 0.",
        "a number >= 1",
        "the number 0",
        flags=("--set", "training.epochs=0"),
    ),
    Mistake(
        "a flag whose section doesn't exist",
        RIGHT,
        "--set optimzer.learning_rate=0.1",
        "optimzer",
        "a config has no key 'optimzer'.",
        "a key of a config: name, seed, dataset, model, loss, regularization, optimizer, metrics, "
        "training, trackers, sweep",
        "'optimzer'",
        "optimizer",
        flags=("--set", "optimzer.learning_rate=0.1"),
    ),
    Mistake(
        "a flag whose key doesn't exist",
        f"{RIGHT}optimizer: adam\n",
        "--set optimizer.lr=0.1",
        "optimizer.lr",
        "adam has no argument 'lr'.",
        "an argument of adam: learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, "
        "clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, "
        "loss_scale_factor, gradient_accumulation_steps, name",
        "'lr'",
        "learning_rate",
        flags=("--set", "optimizer.lr=0.1"),
    ),
    Mistake(
        "a flag whose list doesn't exist",
        RIGHT,
        "--set model.layer[0].units=3",
        "model.layer[0].units",
        "model.layer is not in the config, so it has no [0].",
        "a list that the config has",
        "'model.layer'",
        "layers",
        flags=("--set", "model.layer[0].units=3"),
    ),
    Mistake(
        "a flag whose item doesn't exist",
        RIGHT,
        "--set model.layers[7].units=3",
        "model.layers[7].units",
        "model.layers has 2 items, [0] to [1]; received [7].",
        "an index from [0] to [1]",
        "[7]",
        flags=("--set", "model.layers[7].units=3"),
    ),
    Mistake(
        "a flag without a value",
        RIGHT,
        "--set seed",
        "seed",
        "expected KEY=VALUE, such as optimizer.learning_rate=0.01, received 'seed'.",
        "KEY=VALUE, such as optimizer.learning_rate=0.01",
        "'seed'",
        flags=("--set", "seed"),
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.kind)
def test_a_mistake_is_told_whole(dltrain: Cli, workplace: Path, mistake: Mistake) -> None:
    Path("c.yaml").write_text(mistake.text, encoding="utf-8")
    if mistake.base:
        Path("base.yaml").write_text(mistake.base, encoding="utf-8")
    result = dltrain("check", "c.yaml", *mistake.flags)
    hint = f"Did you mean '{mistake.suggestion}'?" if mistake.suggestion else mistake.hint
    head = f"{mistake.place}  {mistake.key}".rstrip()
    text = f"{mistake.message} {hint}".rstrip()
    assert result == Result(2, "", f"{head}\n  {text}\n1 problem in the config.\n")

    (problem,) = dltrain("check", "c.yaml", *mistake.flags, "--json").json["problems"]
    line, column = problem["line"] or 0, problem["column"] or 0
    located = Problem(problem["file"], line, column, problem["key"], "").location()
    assert located == mistake.place
    fields = ("key", "message", "hint", "expected", "received", "suggestion")
    assert {name: problem[name] for name in fields} == {
        "key": mistake.key,
        "message": mistake.message,
        "hint": hint,
        "expected": mistake.expected,
        "received": mistake.received,
        "suggestion": mistake.suggestion,
    }


def test_five_mistakes_of_five_kinds_are_told_at_once_with_their_lines(
    dltrain: Cli, workplace: Path
) -> None:
    Path("five.yaml").write_text(
        """\
name: five
dataset: {name: digits, validation_split: 0.1}
model:
  layers:
    - flatten
    - {type: dense, unit: 64}
    - {type: dropout, rate: 1.5}
    - {type: add, inputs: [hidden]}
    - {type: dense, units: 9}
training:
  epochs: 3
  epochs: 5
""",
        encoding="utf-8",
    )
    assert dltrain("check", "five.yaml") == Result(
        2,
        "",
        "five.yaml:6:21  model.layers[1].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "five.yaml:7:29  model.layers[2].rate\n"
        "  expected a number >= 0 and < 1, received the number 1.5.\n"
        "five.yaml:8:28  model.layers[3].inputs[0]\n"
        "  no layer above is named 'hidden'. Give the layer a name:.\n"
        "five.yaml:9:7  model.layers[4]\n"
        "  the data has 10 classes: expected 10 units in the last layer, received 9. "
        "End the model with {type: dense, units: 10}.\n"
        "five.yaml:12:3  training.epochs\n"
        "  the key 'epochs' stands twice (first: line 11). Delete one of the two.\n"
        "5 problems in the config.\n",
    )


def test_one_mistake_hides_no_other_of_another_section(dltrain: Cli, workplace: Path) -> None:
    Path("base.yaml").write_text(
        "name: 12\noptimizer:\n  type: sgd\n"
        "  learning_rate: {type: one_cycle, max_learning_rate: 0.1}\n"
        "training: {reduce_lr_on_plateau: {}, monitor: val_acc}\n"
    )
    Path("c.yaml").write_text(
        "extends: base.yaml\ndataset: {name: digits, augment: [flatten]}\nmetrics: [mae, mae]\n"
        "model:\n  blocks: [a]\n  layers:\n    - {type: dens, inputs: [nowhere]}\n"
    )
    result = dltrain("check", "c.yaml", "--set", "seed=x", "--set", "training.shuffle=1")
    places = [line for line in result.err.splitlines() if not line.startswith("  ")]
    assert places == [
        "c.yaml:2:35  dataset.augment[0]",
        "c.yaml:3:16  metrics[1]",
        "c.yaml:5:11  model.blocks",
        "c.yaml:7:14  model.layers[0].type",
        "c.yaml:7:29  model.layers[0].inputs[0]",
        "base.yaml:1:7  name",
        "base.yaml:5:12  training.reduce_lr_on_plateau",
        "base.yaml:5:47  training.monitor",
        "--set seed=x  seed",
        "--set training.shuffle=1  training.shuffle",
        "10 problems in the config.",
    ]


def test_a_block_that_nothing_uses_is_checked_all_the_same(dltrain: Cli, workplace: Path) -> None:
    Path("c.yaml").write_text(
        f"{RIGHT}  blocks:\n"
        "    a: {parameters: {units: 8}, layers: [{type: dense, unit: $units}]}\n"
        "    b: {layers: [{block: a}, {block: c}]}\n"
        "    every: {parameters: {units: null}, layers: [{type: dense, units: $units}]}\n"
    )
    assert dltrain("check", "c.yaml").err == (
        "c.yaml:7:56  model.blocks.a.layers[0].unit\n"
        "  dense has no argument 'unit'. Did you mean 'units'?\n"
        "c.yaml:8:38  model.blocks.b.layers[1].block\n"
        "  model.blocks has no 'c'.\n"
        "2 problems in the config.\n"
    )
