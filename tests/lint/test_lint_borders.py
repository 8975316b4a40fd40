"""Where exactly does each rule begin to find something?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lint_cases import digits, mnist, reviews, scheduled

Lint = Callable[..., list[str]]

_START = "initial_learning_rate: 0.1"
_WIDE = "    - {type: dense, units: UNITS, activation: relu}\n"
_NORMALIZED = "- batch_normalization\n    - {type: dense, units: 10}"


def _flattened(filters: int, units: int) -> str:
    convolution = f"    - {{type: conv2d, filters: {filters}, kernel_size: 3, activation: relu}}\n"
    return mnist(f"{convolution}    - flatten\n{_WIDE.replace('UNITS', str(units))}")


@pytest.mark.parametrize(
    ("code", "inside", "outside"),
    [
        (
            "DL201",
            digits(rest="optimizer: {type: adam, learning_rate: 0.03}\n"),
            digits(rest="optimizer: {type: adam, learning_rate: 0.031}\n"),
        ),
        (
            "DL201",
            digits(rest="optimizer: {type: sgd, learning_rate: 1e-5}\n"),
            digits(rest="optimizer: {type: sgd, learning_rate: 9e-6}\n"),
        ),
        (
            "DL202",
            scheduled(f"cosine_decay, {_START}, decay_steps: {{epochs: 16}}"),
            scheduled(f"cosine_decay, {_START}, decay_steps: {{epochs: 15}}"),
        ),
        (
            "DL202",
            scheduled(f"cosine_decay, {_START}, alpha: 0.02, decay_steps: {{epochs: 10}}"),
            scheduled(f"cosine_decay, {_START}, alpha: 0.02, decay_steps: {{epochs: 9}}"),
        ),
        (
            "DL203",
            scheduled(f"cosine_decay, {_START}, decay_steps: {{epochs: 25}}"),
            scheduled(f"cosine_decay, {_START}, decay_steps: {{epochs: 26}}"),
        ),
        (
            "DL203",
            scheduled("piecewise_constant_decay, boundaries: [{epochs: 19}], values: [0.1, 0.01]"),
            scheduled("piecewise_constant_decay, boundaries: [{epochs: 20}], values: [0.1, 0.01]"),
        ),
        (
            "DL203",
            scheduled(
                f"exponential_decay, {_START}, decay_rate: 0.5, staircase: true, "
                "decay_steps: {epochs: 20}"
            ),
            scheduled(
                f"exponential_decay, {_START}, decay_rate: 0.5, staircase: true, "
                "decay_steps: {epochs: 21}"
            ),
        ),
        (
            "DL304",
            digits(_NORMALIZED, "training: {batch_size: 8}\n"),
            digits(_NORMALIZED, "training: {batch_size: 7}\n"),
        ),
        ("DL307", _flattened(14, 400), _flattened(15, 400)),  # 9,464 and 10,140 features
        ("DL307", _flattened(15, 197), _flattened(15, 198)),  # 1,997,580 and 2,007,720 weights
        (
            "DL404",
            digits(rest="training: {epochs: 9, early_stopping: {patience: 8}}\n"),
            digits(rest="training: {epochs: 9, early_stopping: {patience: 9}}\n"),
        ),
        (
            "DL404",
            digits(rest="training: {epochs: 9, early_stopping: {start_from_epoch: 3}}\n"),
            digits(rest="training: {epochs: 9, early_stopping: {start_from_epoch: 4}}\n"),
        ),
        (
            "DL501",
            mnist("    - flatten\n").replace(
                "mnist\n", "mnist\n  augment: [{type: random_rotation, factor: 0.125}]\n"
            ),
            mnist("    - flatten\n").replace(
                "mnist\n", "mnist\n  augment: [{type: random_rotation, factor: 0.126}]\n"
            ),
        ),
        ("DL503", reviews(data="  max_length: 176\n"), reviews(data="  max_length: 175\n")),
    ],
)
def test_rule_begins_at_its_border(lint: Lint, code: str, inside: str, outside: str) -> None:
    assert lint(inside) == []
    assert [found.split(" ")[1] for found in lint(outside)] == [code]
