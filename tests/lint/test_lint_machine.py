"""Is a GPU seen where there is one, without asking TensorFlow?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lint_cases import digits

from dltrain.config.load import load_config
from dltrain.lint import machine
from dltrain.lint.check import find_lints


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Hide the machine's own driver; return a function that puts one of its traces there."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_DRIVER_FILES", (str(tmp_path / "nvidia0"),))

    def put(name: str) -> Path:
        path = tmp_path / name
        path.touch(mode=0o755)
        return path

    return put


def test_machine_without_a_driver_has_no_gpu(bare: Callable[[str], Path]) -> None:
    assert not machine.sees_gpu()


@pytest.mark.parametrize("name", ["nvidia0", "nvidia-smi"])
def test_driver_is_seen_by_its_file_or_its_program(
    bare: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare(name)
    assert machine.sees_gpu()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert machine.sees_gpu()
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not machine.sees_gpu()


def test_half_precision_is_left_alone_where_a_gpu_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(digits(rest="training: {precision: mixed_float16}\n"))
    monkeypatch.setattr(machine, "sees_gpu", lambda: True)
    assert find_lints(load_config(path)) == ()
    monkeypatch.setattr(machine, "sees_gpu", lambda: False)
    assert [finding.code for finding in find_lints(load_config(path))] == ["DL601"]


def test_looking_for_a_gpu_imports_nothing() -> None:
    before = set(sys.modules)
    machine.sees_gpu()
    assert set(sys.modules) == before
