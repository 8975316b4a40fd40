"""What is a right `sweep:`, and what is told of a wrong one?"""

from __future__ import annotations

import pytest
from config_problems import Load, Refuse

from dltrain.config.sweep import Condition, Dimension, Objective
from dltrain.errors import ConfigError
from dltrain.sweep.corners import check_space

BASE = """\
dataset: {name: digits, validation_split: 0.2}
model: {layers: [flatten, {type: dense, units: 16}, {type: dense, units: 10}]}
optimizer: adam
training: {epochs: 3, monitor: val_accuracy}
"""


def write(*space: str, more: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in space)
    return f"{BASE}sweep:\n  {more}\n  space:\n{lines}"


def test_a_section_becomes_dimensions_and_objectives(load: Load) -> None:
    loaded = load(
        write(
            "optimizer: {choice: [adam, {type: sgd, momentum: 0.5}]}",
            "optimizer.momentum: {uniform: [0, 0.9], step: 0.3, when: {optimizer.type: sgd}}",
            "model.layers[1].units: {int: [8, 20], step: 5}",
            more="metric: [val_loss, val_accuracy]",
        )
    )
    assert loaded.config.sweep is None
    assert loaded.sweep is not None
    whole, momentum, units = loaded.sweep.dimensions
    assert whole.ends == ("adam", {"type": "sgd", "momentum": 0.5})
    assert momentum.when == (Condition(("optimizer", "type"), ("sgd",)),)
    assert momentum.points == (0, 0.3, 0.6, pytest.approx(0.9))
    assert units == Dimension(
        "model.layers[1].units", ("model", "layers", 1, "units"), "int", low=8, high=20, step=5
    )
    assert units.ends == (8, 18)  # 20 is no whole number of steps from 8
    assert loaded.sweep.objectives == (
        Objective("val_loss", "minimize"),
        Objective("val_accuracy", "maximize"),
    )
    assert (loaded.sweep.method, loaded.sweep.trials, loaded.sweep.seed) == ("bayesian", 20, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            BASE + "sweep: {space: {}}",
            "5:16 sweep.space: expected at least one item, received an empty mapping.",
        ),
        (BASE + "sweep: {trials: 3}", "5:1 sweep.space: sweep needs `space:`."),
        (
            write("seed: {choice: [1, 2]}", more="metod: grid"),
            "6:3 sweep.metod: sweep has no key 'metod'. Did you mean 'method'?",
        ),
        (
            write("seed: {range: [1, 2]}"),
            "8:12 sweep.space.seed.range: what may vary has no key 'range'. It takes one of "
            "choice, uniform, log_uniform, int, log_int, and step and when.",
        ),
        (
            write("seed: {int: [1, 2], choice: [3]}"),
            "8:11 sweep.space.seed: expected a mapping with one of choice, uniform, log_uniform, "
            "int, log_int, received choice and int. For example {uniform: [0.1, 0.5]} or {choice: "
            "[adam, sgd]}.",
        ),
        (
            write("seed: {int: [2, 1]}"),
            "8:17 sweep.space.seed.int: expected [low, high], two whole numbers, the first "
            "smaller, received [2, 1].",
        ),
        (
            write("optimizer.learning_rate: {log_uniform: [0, 1]}"),
            "8:44 sweep.space.optimizer.learning_rate.log_uniform: expected [low, high], two "
            "numbers > 0, the first smaller, received [0, 1].",
        ),
        (
            write("seed: {choice: [1, 2, 1]}"),
            "8:27 sweep.space.seed.choice[2]: the number 1 stands there twice.",
        ),
        (
            write("seed: {int: [1, 4], step: 7}"),
            "8:31 sweep.space.seed.step: expected a whole number > 0 and at most high - low, "
            "received the number 7.",
        ),
        (
            write("name: {choice: [a, b]}"),
            "8:5 sweep.space.name: name can't vary.",
        ),
        (
            write("optimizer.beta_1: {uniform: [0, 0.9]}", "optimizer: {choice: [adam, sgd]}"),
            "9:5 sweep.space.optimizer: it would overwrite 'optimizer.beta_1', which stands above "
            "it. Write 'optimizer' first.",
        ),
        (
            write("optimizer.beta_1: {uniform: [0, 0.9], when: {optimizer.type: adam}}"),
            "8:49 sweep.space.optimizer.beta_1.when: nothing above it in the space changes "
            "'optimizer.type'. A condition looks at what was chosen above.",
        ),
        (
            write("optimizer.learning_rate: {log_uniform: [0.1, 1]}", more="method: grid"),
            "8:30 sweep.space.optimizer.learning_rate: a grid can't count the values of "
            "log_uniform. Write choice, int, or uniform with a step; or take another method.",
        ),
        (
            write("seed: {choice: [1, 2]}", more="metric: val_acuracy"),
            "6:11 sweep.metric: no epoch produces 'val_acuracy' on the validation rows; there are "
            "val_loss, val_accuracy. Did you mean 'val_accuracy'?",
        ),
        (
            write("seed: {choice: [1, 2]}", more="metric: accuracy"),
            "6:11 sweep.metric: no epoch produces 'accuracy' on the validation rows; there are "
            "val_loss, val_accuracy. Did you mean 'val_accuracy'?",
        ),
        (
            write("seed: {choice: [1, 2]}", more="metric: test_accuracy"),
            "6:11 sweep.metric: the test rows choose nothing, so that they can judge. Take one of "
            "val_loss, val_accuracy.",
        ),
        (
            write(
                "seed: {choice: [1, 2]}", more="metric: [val_loss, val_accuracy]\n  pruner: median"
            ),
            "7:11 sweep.pruner: trials with several objectives can't be pruned: none of them "
            "decides alone. Write `pruner: none`, or one metric.",
        ),
        (
            write("seed: {choice: [1, 2]}", more="pruner: medain"),
            "6:11 sweep.pruner: expected one of none, median, percentile, hyperband, "
            "successive_halving, received the text 'medain'. Did you mean 'median'?",
        ),
        (
            write("seed: {choice: [1, 2]}", more="pruner: {type: median, n_warmup_epochs: 5}"),
            "6:26 sweep.pruner.n_warmup_epochs: median has no argument 'n_warmup_epochs'. "
            "Did you mean 'n_warmup_steps'?",
        ),
        (
            write("seed: {choice: [1, 2]}", more="pruner: {type: hyperband, reduction_factor: 1}"),
            "6:47 sweep.pruner.reduction_factor: expected a whole number >= 2, received the "
            "number 1.",
        ),
        (
            write("seed: {choice: [1, 2]}", more="pruner: {n_warmup_steps: 5}"),
            "6:11 sweep.pruner: expected type:, one of none, median, percentile, hyperband, "
            "successive_halving, received none.",
        ),
    ],
)
def test_a_wrong_section_is_told_where_it_stands(refuse: Refuse, text: str, problem: str) -> None:
    assert refuse(text) == [f"c.yaml:{problem}"]


def find_problems(load: Load, text: str) -> list[str]:
    loaded = load(text)
    try:
        check_space(loaded)
    except ConfigError as error:
        return [
            f"{each.line}:{each.column} {each.key}: {each.message} {each.hint}".rstrip()
            for each in error.problems
        ]
    return []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            write("optimizer.learning_rat: {log_uniform: [0.1, 1]}"),
            "8:5 optimizer.learning_rat: adam has no argument 'learning_rat'. Did you mean "
            "'learning_rate'?",
        ),
        (
            write("optimzer.learning_rate: {log_uniform: [0.1, 1]}"),
            "8:5 optimzer: a config has no key 'optimzer'. Did you mean 'optimizer'?",
        ),
        (
            write("model.layers[7].units: {choice: [8, 16]}"),
            "8:5 model.layers[7].units: model.layers has 3 items, [0] to [2]; received [7].",
        ),
        (
            write("optimizer: {choice: [adam, {type: sgd, momentm: 0.9}]}"),
            "8:44 optimizer.momentm: sgd has no argument 'momentm'. Did you mean 'momentum'?",
        ),
        (
            write("model.layers[1].units: {int: [0, 8]}"),
            "8:34 model.layers[1].units: expected a whole number >= 1, received the number 0.",
        ),
        (
            write("optimizer.beta_1: {uniform: [0.5, 1.5]}"),
            "8:33 optimizer.beta_1: expected a number >= 0 and < 1, received the number 1.5.",
        ),
        (
            # The mistake shows at the last layer, where nothing varies.
            write("model.layers[0]: {choice: [flatten, relu]}"),
            "2:53 model.layers[2]: the model's output must be (units,), but dense_1 (dense) gives "
            "(8, 8, 10). End the model with flatten or pooling, then dense. So it is in the sweep "
            "with model.layers[0]=relu.",
        ),
        (
            write("metrics: {choice: [[accuracy], [f1]]}", more="metric: val_accuracy").replace(
                ", monitor: val_accuracy", ""
            ),
            "6:11 sweep.metric: no epoch produces 'val_accuracy' on the validation rows; there are "
            'val_loss, val_f1. Add it to metrics:. So it is in the sweep with metrics=["f1"].',
        ),
    ],
)
def test_a_corner_that_does_not_build_is_told_with_its_line(
    load: Load, text: str, problem: str
) -> None:
    assert problem in find_problems(load, text)


def test_a_grid_larger_than_its_trials_is_refused(load: Load) -> None:
    space = ("seed: {int: [1, 4]}", "training.batch_size: {choice: [16, 32]}")
    assert find_problems(load, write(*space, more="method: grid")) == []
    text = write(*space, more="method: grid\n  trials: 7")
    assert find_problems(load, text) == [
        "7:11 sweep.trials: the grid has 8 points, and trials are 7: some would never be tried. "
        "Write 8, leave trials out, or take method: random."
    ]


def test_conditions_leave_out_points_that_would_come_twice(load: Load) -> None:
    loaded = load(
        write(
            "optimizer: {choice: [adam, sgd]}",
            "optimizer.momentum: {choice: [0.0, 0.5, 0.9], when: {optimizer.type: sgd}}",
            more="method: grid",
        )
    )
    assert check_space(loaded).points == 4


def test_a_block_can_be_stacked_by_a_sweep(load: Load) -> None:
    text = """\
dataset: digits
model:
  blocks: {hidden: {parameters: {units: 8}, layers: [{type: dense, units: $units}, relu]}}
  layers: [flatten, {block: hidden}, {type: dense, units: 10}]
sweep:
  space:
    model.layers[1].repeat: {int: [1, 3]}
    model.blocks.hidden.parameters.units: {log_int: [4, 64]}
"""
    loaded = load(text)
    checked = check_space(loaded)
    assert (checked.tried, checked.corners) == (4, 4)
    assert find_problems(load, text.replace("[1, 3]", "[0, 3]")) == [
        "7:35 model.layers[1].repeat: expected a whole number from 1 to 2000, received the "
        "number 0."
    ]


def test_a_large_space_is_tried_in_part_and_says_so(load: Load) -> None:
    space = [f"optimizer.{name}: {{uniform: [0.1, 0.9]}}" for name in ("beta_1", "beta_2")]
    space += [
        f"model.layers[{i}].{n}: {{choice: [zeros, ones, he_normal]}}"
        for i in (1, 2)
        for n in ("kernel_initializer", "bias_initializer")
    ]
    space += ["model.layers[1].units: {int: [4, 16]}"]
    loaded = load(write(*space))
    assert loaded.sweep is not None
    checked = check_space(loaded)
    assert (checked.tried, checked.corners) == (256, 648)
    assert checked.describe(loaded.sweep) == (
        "Sweep: 7 values vary, 20 trials by bayesian; 256 of 648 corners were tried, and build."
    )


def test_a_wrong_metric_beside_a_sweep_is_all_that_is_told(refuse: Refuse) -> None:
    text = write("seed: {choice: [1, 2]}", more="metric: val_acc") + "metrics: [acuracy]\n"

    assert refuse(text) == [
        "c.yaml:9:11 metrics[0]: there is no metric 'acuracy'. Did you mean 'accuracy'?"
    ]


@pytest.mark.parametrize("step", ["l2", "[1]", "{a: 1}", "null"])
def test_a_step_that_is_no_number_is_told(refuse: Refuse, step: str) -> None:
    (told,) = refuse(write(f"optimizer.momentum: {{uniform: [0, 0.9], step: {step}}}"))

    assert told.startswith(
        "c.yaml:8:51 sweep.space.optimizer.momentum.step: expected a number > 0 and at most high "
        "- low, received "
    )
