"""Does benchmarks/start.py run the real commands, and reckon their ratios right?"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).resolve().parent.parent / "benchmarks" / "start.py"


@pytest.fixture
def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start_benchmark", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_ratio_is_that_of_the_medians(start: ModuleType) -> None:
    summary = start.summarize({"imports": [0.1, 0.2, 0.9], "dltrain --help": [0.3, 0.1, 5.0]})
    assert summary == {
        "imports": {"median_seconds": 0.2, "ratio": 1.0},
        "dltrain --help": {"median_seconds": 0.3, "ratio": 1.5},
    }


@pytest.mark.parametrize("name", ["dltrain --help", "dltrain check configs/mnist_cnn.yaml"])
def test_what_is_measured_is_the_command_of_that_name(start: ModuleType, name: str) -> None:
    program, *arguments = start.COMMANDS[name]
    assert " ".join([Path(program).name, *arguments]) == name
    assert Path(program).parent == Path(sys.executable).parent


def test_a_command_that_fails_is_not_measured(start: ModuleType) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        start.measure_once([sys.executable, "-c", "raise SystemExit(2)"])
