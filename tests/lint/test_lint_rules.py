"""Does every rule find what it is for, with the whole message, and leave the right line alone?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lint_cases import CASES, Case, digits, mnist, reviews, scheduled, table

from dltrain.config.load import load_config
from dltrain.lint.check import find_lints
from dltrain.lint.rules import RULES

Lint = Callable[..., list[str]]

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted([*ROOT.glob("configs/*.yaml"), *ROOT.glob("benchmarks/*.yaml")])

# No dataset that ships has imbalanced classes.
INFO = {"DL502": {"class_counts": (20_000, 5_000)}}


def test_every_rule_has_a_case_and_a_code_of_its_own() -> None:
    codes = [rule.code for rule in RULES]
    assert [case.code for case in CASES] == codes == sorted(set(codes))
    assert len({rule.title for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_wrong_line_is_found_and_nothing_else(lint: Lint, case: Case) -> None:
    place, about = case.found.split(" ", 1)
    found = lint(case.text.replace("@", case.wrong), info=INFO.get(case.code))
    assert found == [f"{place} {case.code} {about}"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_right_line_is_left_alone(lint: Lint, case: Case) -> None:
    assert lint(case.text.replace("@", case.right), info=INFO.get(case.code)) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_config_has_nothing_to_find(path: Path) -> None:
    assert find_lints(load_config(path)) == ()


STOPPING = "training: {epochs: 20, early_stopping: {"


@pytest.mark.parametrize(
    "text",
    [
        digits("- {type: dense, units: 10, activation: log_softmax}"),
        digits("- {type: dense, units: 10, activation: leaky_relu}"),
        digits(
            "- {type: dense, units: 10, activation: sigmoid}",
            "loss: {type: sparse_categorical_crossentropy, from_logits: true}\n",
        ).replace("sigmoid", "linear"),
        digits("- {type: dense, units: 10, activation: softmax}", "loss: kl_divergence\n"),
        digits("- {type: dense, units: 10}", "loss: categorical_hinge\n"),
        digits("- {type: dense, units: 10}\n    - softmax", "loss: categorical_crossentropy\n"),
        mnist(
            "    - {type: conv2d, filters: 10, kernel_size: 3, activation: softmax}\n"
            "    - global_average_pooling2d\n",
            "loss: sparse_categorical_crossentropy\n",
        ).replace("    - {type: dense, units: 10}\n", ""),
        table("- {type: dense, units: 1, activation: softplus}"),
        table("- {type: dense, units: 1, activation: relu}", "loss: poisson\n"),
        digits(rest="optimizer: {type: sgd, learning_rate: 0.5}\n"),
        scheduled("one_cycle, max_learning_rate: 0.5"),
        scheduled(
            "cosine_decay, initial_learning_rate: 0.0, warmup_target: 0.1, "
            "warmup_steps: {epochs: 2}, decay_steps: {epochs: 18}"
        ),
        scheduled(
            "polynomial_decay, initial_learning_rate: 0.1, "
            "end_learning_rate: 0.01, decay_steps: {epochs: 12}"
        ),
        scheduled(
            "polynomial_decay, initial_learning_rate: 0.1, cycle: true, decay_steps: {epochs: 5}"
        ),
        scheduled(
            "piecewise_constant_decay, boundaries: [{epochs: 2}, {epochs: 19}], "
            "values: [0.1, 0.05, 0.01]"
        ),
        scheduled(
            "exponential_decay, initial_learning_rate: 0.1, decay_rate: 0.9, "
            "decay_steps: {epochs: 1}"
        ),
        scheduled(
            "cosine_decay_restarts, initial_learning_rate: 0.1, first_decay_steps: {epochs: 5}"
        ),
        digits(
            rest="optimizer: {type: sgd, gradient_accumulation_steps: 3, learning_rate: {type: "
            "cosine_decay, initial_learning_rate: 0.1, decay_steps: 140}}\n"
            "training: {batch_size: 64, epochs: 20}\n"
        ),
        digits(rest="training: {shuffle: false, batch_size: full}\n"),
        digits("- {type: dropout, rate: 0.5}\n    - {type: dense, units: 10}"),
        digits(
            "- {type: dropout, rate: 0.5}\n    - {type: dense, units: 8}\n"
            "    - batch_normalization\n    - relu\n    - {type: dense, units: 10}"
        ),
        digits(rest="regularization: {l1: 1e-4}\noptimizer: adamw\n"),
        digits(rest="regularization: {l2: 1e-4}\noptimizer: {type: adamw, weight_decay: 0.0}\n"),
        digits(rest="optimizer: adamw\n").replace(
            "activation: relu", "activation: relu, activity_regularizer: l2"
        ),
        digits(rest="training: {batch_size: 4}\n"),
        digits(
            "- {type: dense, units: 8}\n    - batch_normalization\n    - relu\n"
            "    - {type: dense, units: 10}"
        ),
        digits("- {type: dense, units: 8}\n    - leaky_relu\n    - {type: dense, units: 10}"),
        mnist(
            "    - {type: conv2d, filters: 8, kernel_size: 1}\n"
            "    - {type: conv2d, filters: 16, kernel_size: 3, activation: relu}\n"
            "    - global_average_pooling2d\n"
        ),
        mnist("    - flatten\n    - {type: dense, units: 4096, activation: relu}\n"),
        digits(rest=f"{STOPPING}monitor: val_loss, mode: min}}}}\n"),
        digits(
            rest=f"metrics: [{{type: mse, name: gap}}]\n{STOPPING}monitor: val_gap, mode: min}}}}\n"
        ),
        digits(rest=f"{STOPPING}patience: 9, start_from_epoch: 10}}}}\n"),
        digits(rest="training: {epochs: 11, reduce_lr_on_plateau: {}}\n"),
        digits(rest="training: {reduce_lr_on_plateau: {monitor: loss, patience: 3}}\n"),
        mnist("    - flatten\n").replace(
            "mnist\n", "mnist\n  augment: [{type: random_rotation, factor: [-0.125, 0.1]}]\n"
        ),
        mnist("    - flatten\n").replace(
            "mnist\n",
            "fashion_mnist\n  augment: [{type: random_flip, mode: horizontal}]\n",
        ),
        mnist("    - flatten\n").replace(
            "mnist\n", "cifar10\n  augment: [{type: random_flip, mode: horizontal}]\n"
        ),
        reviews(data="  max_length: 176\n"),
        digits(rest="training: {precision: mixed_bfloat16}\n"),
    ],
)
def test_near_miss_is_left_alone(lint: Lint, text: str) -> None:
    assert lint(text) == []


def test_imbalance_that_is_mild_or_unknown_is_left_alone(lint: Lint) -> None:
    text = reviews(rest="metrics: [accuracy]\n")
    assert lint(text, info={"class_counts": (14_999, 5_000)}) == []
    assert lint(text, info={"class_counts": ()}) == []
    assert len(lint(text, info={"class_counts": (15_000, 5_000)})) == 1
