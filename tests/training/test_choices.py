"""Is the way of training chosen by size and device, and never by what is slower?"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from dltrain.training import choices
from dltrain.training.choices import choose_input_path, choose_xla, free_memory_bytes


def test_rows_lie_on_the_device_if_they_are_a_small_part_of_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choices, "free_memory_bytes", lambda: 4_000)
    assert choose_input_path("auto", data_bytes=1_000, device="cpu") == "device"
    assert choose_input_path("auto", data_bytes=1_001, device="cpu") == "stream"


@pytest.mark.parametrize("asked", ["device", "stream"])
def test_a_path_that_is_asked_for_is_taken(asked: Any) -> None:
    assert choose_input_path(asked, data_bytes=2**60, device="cpu") == asked
    assert choose_input_path(asked, data_bytes=1, device="cpu") == asked


@pytest.mark.parametrize(
    ("asked", "steps", "device", "chosen"),
    [
        ("auto", 100, "cpu", "update"),
        ("auto", 99, "cpu", "nothing"),
        ("auto", 100_000, "gpu", "nothing"),
        (True, 1, "cpu", "step"),
        (True, 1, "gpu", "step"),
        (False, 100_000, "cpu", "nothing"),
    ],
)
def test_xla_compiles_whole_steps_only_when_it_is_asked_to(
    asked: Any, steps: int, device: str, chosen: str
) -> None:
    assert choose_xla(asked, steps_per_epoch=steps, device=device) == chosen


def test_free_memory_is_that_of_the_machine_or_of_a_limit() -> None:
    assert 2**20 < free_memory_bytes() < 2**50
    program = (
        "import resource\n"
        "from dltrain.training.choices import free_memory_bytes\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))\n"
        "print(free_memory_bytes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 2**28 < int(done.stdout) < 2**30
