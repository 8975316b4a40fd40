"""Do odd values, each of them valid, ever make a rule fail?"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lint_cases import digits, reviews, table

from dltrain.config.load import load_config
from dltrain.errors import ConfigError
from dltrain.lint.check import find_lints

NUMBERS = [
    *("0", "0.0", "1", "2", "0.5", "1e-3", "0.9999999999999999", "1e-300", "5e-324", "1e308"),
    *("9223372036854775807", "3", "100", "-1"),
]
COUNTS = ["1", "2", "20", "9223372036854775807"]
STEPS = [*NUMBERS, *(f"{{epochs: {number}}}" for number in NUMBERS)]
ARGUMENTS = {
    "cosine_decay": {
        "initial_learning_rate": NUMBERS, "decay_steps": STEPS, "alpha": NUMBERS,
        "warmup_target": NUMBERS, "warmup_steps": STEPS,
    },
    "cosine_decay_restarts": {"initial_learning_rate": NUMBERS, "first_decay_steps": STEPS},
    "exponential_decay": {
        "initial_learning_rate": NUMBERS, "decay_steps": STEPS, "decay_rate": NUMBERS,
        "staircase": ["true", "false"],
    },
    "inverse_time_decay": {
        "initial_learning_rate": NUMBERS, "decay_steps": STEPS, "decay_rate": NUMBERS,
        "staircase": ["true", "false"],
    },
    "one_cycle": {"max_learning_rate": NUMBERS},
    "piecewise_constant_decay": {
        "boundaries": [f"[{step}]" for step in STEPS], "values": [f"[{n}, 0.1]" for n in NUMBERS],
    },
    "polynomial_decay": {
        "initial_learning_rate": NUMBERS, "decay_steps": STEPS, "end_learning_rate": NUMBERS,
        "cycle": ["true", "false"],
    },
}  # fmt: skip
OPTIMIZERS = ["sgd", "adamw", "adadelta", "muon"]


def write_schedule(rng: random.Random, kind: str) -> str:
    arguments = ", ".join(f"{name}: {rng.choice(of)}" for name, of in ARGUMENTS[kind].items())
    optimizer = rng.choice(OPTIMIZERS)
    more = rng.choice(["", ", weight_decay: 1e308", ", gradient_accumulation_steps: 999999"])
    return f"{{type: {optimizer}{more}, learning_rate: {{type: {kind}, {arguments}}}}}"


def write_config(rng: random.Random, optimizer: str) -> str:
    epochs, batch = rng.choice(COUNTS), rng.choice(["full", "1", "7", "999"])
    rest = (
        f"optimizer: {optimizer}\nregularization: {{l2: {rng.choice(NUMBERS)}}}\n"
        f"training:\n  epochs: {epochs}\n  batch_size: {batch}\n"
        f"  reduce_lr_on_plateau: {{patience: {rng.choice(COUNTS)}}}\n"
    )
    if rng.random() < 0.9:
        rest = rest[: rest.index("  reduce_lr")]
    made = table(rest=rest).replace(
        "{name: diabetes}",
        "{name: synthetic_regression, rows: 10, test_split: 0.9, validation_split: 0.9}",
    )
    return rng.choice([digits(rest=rest), reviews(rest=rest), made])


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_odd_schedule_ends_in_findings_or_none(kind: str, tmp_path: Path) -> None:
    rng = random.Random(kind)
    path = tmp_path / "c.yaml"
    valid = 0
    for _ in range(200):
        text = write_config(rng, write_schedule(rng, kind))
        path.write_text(text)
        try:
            loaded = load_config(path)
        except ConfigError:
            continue
        valid += 1
        try:
            shown = [str(finding) for finding in find_lints(loaded)]
        except Exception as error:
            raise AssertionError(text) from error
        assert all("nan" not in line for line in shown), (text, shown)
    assert valid > 10
