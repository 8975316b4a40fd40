"""What is told of ranges, counts and names in a `sweep:` that can't be?"""

from __future__ import annotations

import pytest
from config_problems import Refuse

BASE = """\
dataset: {name: digits, validation_split: 0.2}
model: {layers: [flatten, {type: dense, units: 10}]}
optimizer: adam
"""


def write(space: str, more: str = "trials: 3") -> str:
    return f"{BASE}sweep:\n  {more}\n  space: {{{space}}}\n"


SEED = "seed: {choice: [1, 2]}"
RATE = "optimizer.learning_rate"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("trials: 0", "5:11 sweep.trials: expected a number >= 1, received the number 0."),
        ("trials: many", "5:11 sweep.trials: expected a whole number, received the text 'many'."),
        (
            "max_seconds: 0",
            "5:16 sweep.max_seconds: expected a number > 0, received the number 0.",
        ),
        (
            "method: annealing",
            "5:11 sweep.method: expected one of grid, random, bayesian, tpe, gp, cma_es, nsga2, "
            "received the text 'annealing'.",
        ),
        (
            "pruner: medain",
            "5:11 sweep.pruner: expected one of none, median, percentile, hyperband, "
            "successive_halving, received the text 'medain'. Did you mean 'median'?",
        ),
        (
            "direction: up",
            "5:14 sweep.direction: expected one of minimize, maximize or a list, received the text "
            "'up'.",
        ),
    ],
)
def test_a_key_that_cannot_be_is_told(refuse: Refuse, more: str, problem: str) -> None:
    assert refuse(write(SEED, more)) == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    ("bounds", "received"),
    [
        ("[.nan, 1]", "[nan, 1]"),
        ("[0, .inf]", "[0, inf]"),
        ("[1, 0]", "[1, 0]"),
        ("[1, 1]", "[1, 1]"),
        ("[1, 2, 3]", "[1, 2, 3]"),
        ("3", "the number 3"),
    ],
)
def test_bounds_that_hold_nothing_are_told(refuse: Refuse, bounds: str, received: str) -> None:
    assert refuse(write(f"{RATE}: {{uniform: {bounds}}}")) == [
        f"c.yaml:6:46 sweep.space.{RATE}.uniform: expected [low, high], two numbers, the first "
        f"smaller, received {received}."
    ]


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        (
            "seed: {log_int: [0, 8]}",
            "6:27 sweep.space.seed.log_int: expected [low, high], two whole numbers > 0, the first "
            "smaller, received [0, 8].",
        ),
        (
            "seed: {int: [1, 2.5]}",
            "6:23 sweep.space.seed.int: expected [low, high], two whole numbers, the first "
            "smaller, received [1, 2.5].",
        ),
        (
            f"{RATE}: {{uniform: [0, 1], step: 2}}",
            f"6:60 sweep.space.{RATE}.step: expected a number > 0 and at most high - low, received "
            "the number 2.",
        ),
        (
            f"{RATE}: {{uniform: [0, 1], step: .nan}}",
            f"6:60 sweep.space.{RATE}.step: expected a number > 0 and at most high - low, received "
            "the number nan.",
        ),
        (
            f"{RATE}: {{log_uniform: [1, 2], step: 1}}",
            f"6:58 sweep.space.{RATE}.step: a logarithmic range has no step.",
        ),
        (
            "seed: {choice: []}",
            "6:26 sweep.space.seed.choice: expected a list of values, received an empty list.",
        ),
        (
            "seed: {choice: [adam, sgd, adam]}",
            "6:38 sweep.space.seed.choice[2]: the text 'adam' stands there twice.",
        ),
        (
            "seed: 3",
            "6:17 sweep.space.seed: expected a mapping with one of choice, uniform, log_uniform, "
            "int, log_int, received the number 3. For example {uniform: [0.1, 0.5]} or {choice: "
            "[adam, sgd]}.",
        ),
    ],
)
def test_what_may_vary_is_told_where_it_cannot(refuse: Refuse, space: str, problem: str) -> None:
    assert refuse(write(space)) == [f"c.yaml:{problem}"]
