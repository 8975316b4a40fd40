"""Do Keras's own schedules rise and come to rest where the lint says?"""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.lint.schedule_ends import Training, find_course, peak_rate
from dltrain.model.components import Steps, build_schedule

TRAINING = Training(steps=21, epochs=20)


def make(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"type": kind, "initial_learning_rate": 0.1, **arguments}


@pytest.mark.parametrize(
    "spec",
    [
        make("cosine_decay", decay_steps={"epochs": 5}),
        make("cosine_decay", decay_steps=100, alpha=0.2, warmup_steps=50),
        make("cosine_decay", decay_steps=100, warmup_target=0.4, warmup_steps={"epochs": 2}),
        make("polynomial_decay", decay_steps={"epochs": 3}, power=2.0),
        make("polynomial_decay", decay_steps=77, end_learning_rate=0.03),
        make("exponential_decay", decay_steps=21, decay_rate=0.5),
    ],
    ids=lambda spec: spec["type"],
)
def test_schedule_rests_from_the_end_of_its_course_on(spec: dict[str, Any]) -> None:
    course = find_course(spec, TRAINING)
    assert course is not None
    schedule = build_schedule(spec, Steps(per_epoch=21, total=420))
    rates = [float(schedule(step)) for step in range(round(course.end) + 200)]
    assert max(rates) == pytest.approx(course.peak) == pytest.approx(peak_rate(spec))
    end = round(course.end)
    assert rates[end] == pytest.approx(course.rest, rel=0.05, abs=1e-7)
    assert rates[end - 15] > rates[end]
    if spec["type"] != "exponential_decay":
        assert rates[-1] == pytest.approx(rates[end])


def test_one_cycle_and_restarts_have_no_end_before_the_training() -> None:
    one_cycle = {"type": "one_cycle", "max_learning_rate": 0.3}
    assert (find_course(one_cycle, TRAINING), peak_rate(one_cycle)) == (None, 0.3)
    assert find_course(make("cosine_decay_restarts", first_decay_steps=9), TRAINING) is None
    assert find_course(make("polynomial_decay", decay_steps=9, cycle=True), TRAINING) is None
