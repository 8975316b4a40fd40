"""Load configs that are written inside a test, and list their problems a line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import ConfigError, Problem

Write = Callable[..., Path]
Load = Callable[..., LoadedConfig]
Refuse = Callable[..., list[str]]


def show(problem: Problem, folder: Path) -> str:
    """Return `file:line:column key: message hint`, without the folder of the test."""
    head = f"{problem.location()} {problem.key}".rstrip()
    text = f"{head}: {problem.message} {problem.hint}".rstrip()
    return text.replace(f"{folder}/", "")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config into the folder of the test."""

    def write(text: str | bytes, name: str = "c.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def load(write: Write) -> Load:
    """Load a config that must be right; further arguments are `--set` flags."""

    def load(text: str, *overrides: str) -> LoadedConfig:
        return load_config(write(text), overrides=overrides)

    return load


@pytest.fixture
def refuse(write: Write, tmp_path: Path) -> Refuse:
    """Load a config that must be wrong, and return its problems as `show` writes them."""

    def refuse(text: str | bytes, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_config(write(text), overrides=overrides)
        return [show(problem, tmp_path) for problem in caught.value.problems]

    return refuse
