"""Is a schedule held against the phase that it runs in, where there are phases?"""

from __future__ import annotations

from collections.abc import Callable

Lint = Callable[..., list[str]]

TEXT = """dataset: {name: digits}
model: {layers: [flatten, {type: dense, units: 10}]}
optimizer:
  type: adam
  learning_rate: {type: cosine_decay, initial_learning_rate: 1e-3, decay_steps: {epochs: EPOCHS}}
training: {phases: [{epochs: 3, learning_rate: 1e-3}, {epochs: 7}]}
"""


def codes(found: list[str]) -> list[str]:
    return [finding.split()[1] for finding in found]


def test_a_schedule_that_spans_its_phase_is_right(lint: Lint) -> None:
    assert codes(lint(TEXT.replace("EPOCHS", "7"))) == []


def test_a_schedule_that_ends_early_in_its_phase_is_told(lint: Lint) -> None:
    found = lint(TEXT.replace("EPOCHS", "3"))
    assert len(found) == 1
    assert "optimizer.learning_rate.decay_steps" in found[0]


def test_a_schedule_that_no_phase_follows_is_left_alone(lint: Lint) -> None:
    text = TEXT.replace("EPOCHS", "3").replace("{epochs: 7}", "{epochs: 7, learning_rate: 1e-4}")
    assert codes(lint(text)) == []
