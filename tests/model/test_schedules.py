"""Is the learning rate of each step the one that the schedule in the config means?"""

from __future__ import annotations

import numpy as np
import pytest
from tiny_networks import NUMBERS, build, train_a_step

from dltrain.catalog.components import components
from dltrain.model.components import Steps, build_schedule

STEPS = Steps(per_epoch=10, total=100)
EXAMPLES = {
    "cosine_decay": "initial_learning_rate: 0.1, decay_steps: {epochs: 2}",
    "cosine_decay_restarts": "initial_learning_rate: 0.1, first_decay_steps: {epochs: 1}",
    "exponential_decay": "initial_learning_rate: 0.1, decay_steps: 5, decay_rate: 0.5",
    "inverse_time_decay": "initial_learning_rate: 0.1, decay_steps: 5, decay_rate: 0.5",
    "one_cycle": "max_learning_rate: 0.1",
    "piecewise_constant_decay": "boundaries: [{epochs: 1}, {epochs: 2}], values: [0.1, 0.01, 1e-3]",
    "polynomial_decay": "initial_learning_rate: 0.1, decay_steps: 5, power: 2",
}


def rate(spec: dict[str, object], step: int) -> float:
    """Return the learning rate of step `step`, from 0."""
    return float(build_schedule(spec, STEPS)(step))


@pytest.mark.parametrize("name", components("schedules"))
def test_a_schedule_trains_a_step_and_sets_the_rate_of_the_optimizer(name: str) -> None:
    rest = f"optimizer: {{type: sgd, learning_rate: {{type: {name}, {EXAMPLES[name]}}}}}"
    network = build("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest, eager=True)
    schedule = build_schedule(
        network.loaded.config.optimizer["learning_rate"], Steps(per_epoch=5, total=50)
    )
    for step in range(3):
        used = float(network.trained.optimizer.learning_rate)
        assert used == pytest.approx(float(schedule(step)), rel=1e-6)
        train_a_step(network)


def test_the_rate_of_a_schedule_is_what_moves_the_weights() -> None:
    schedule = "{type: piecewise_constant_decay, boundaries: [1], values: [0.1, 0.001]}"
    rest = f"loss: mae\noptimizer: {{type: sgd, learning_rate: {schedule}}}"
    network = build("[{type: dense, units: 1}]", dataset=NUMBERS, rest=rest, eager=True)
    moves = []
    for _ in range(4):
        before = network.model.get_layer("dense").kernel.numpy()
        network.step()
        moves.append(np.abs(network.model.get_layer("dense").kernel.numpy() - before).max())
    assert moves[1] > 20 * moves[2]  # step 0 and 1 at 0.1: the boundary belongs to the step before


def test_one_cycle_starts_low_peaks_after_the_warm_up_and_ends_at_almost_nothing() -> None:
    spec = {"type": "one_cycle", "max_learning_rate": 0.5}
    rates = [rate(spec, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[29] == pytest.approx(0.5)  # warmup_fraction 0.3 of 100 steps: the 30th
    assert max(rates) == rates[29]
    assert rates[99] == pytest.approx(0.5 / 25 / 1e4, rel=1e-2)
    assert rates[:30] == sorted(rates[:30])
    assert rates[29:] == sorted(rates[29:], reverse=True)


def test_one_cycle_follows_cosines_and_its_arguments() -> None:
    spec = {
        "type": "one_cycle",
        "max_learning_rate": 1.0,
        "warmup_fraction": 0.51,
        "initial_divisor": 10,
        "final_divisor": 2,
    }
    assert rate(spec, 0) == pytest.approx(0.1)
    assert rate(spec, 25) == pytest.approx((0.1 + 1) / 2)  # half-way up: 50 steps to the peak
    assert rate(spec, 50) == pytest.approx(1.0)
    assert rate(spec, 99) == pytest.approx(0.05)
    assert rate(spec, 5_000) == pytest.approx(0.05)


def test_piecewise_boundaries_are_counted_in_epochs() -> None:
    spec = {
        "type": "piecewise_constant_decay",
        "boundaries": [{"epochs": 3}, {"epochs": 5.5}],
        "values": [0.1, 0.01, 0.001],
    }
    assert [rate(spec, step) for step in (0, 30, 31, 55, 56)] == pytest.approx(
        [0.1, 0.1, 0.01, 0.01, 0.001]
    )


def test_exponential_decay_multiplies_by_the_rate_every_decay_steps() -> None:
    spec = {
        "type": "exponential_decay",
        "initial_learning_rate": 0.2,
        "decay_steps": {"epochs": 1},
        "decay_rate": 0.5,
        "staircase": True,
    }
    assert [rate(spec, step) for step in (0, 9, 10, 29)] == pytest.approx([0.2, 0.2, 0.1, 0.05])
    smooth = {**spec, "staircase": False}
    assert rate(smooth, 5) == pytest.approx(0.2 * 0.5**0.5)


def test_cosine_decay_warms_up_in_a_line_and_falls_along_half_a_cosine() -> None:
    spec = {
        "type": "cosine_decay",
        "initial_learning_rate": 0.0,
        "warmup_target": 0.4,
        "warmup_steps": {"epochs": 1},
        "decay_steps": {"epochs": 4},
        "alpha": 0.1,
    }
    assert [rate(spec, step) for step in (0, 5, 10, 30, 50, 99)] == pytest.approx(
        [0.0, 0.2, 0.4, 0.22, 0.04, 0.04], abs=1e-6
    )
