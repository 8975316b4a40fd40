"""Load configs that are written inside a test, and list their problems a line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import Load, Refuse, Write, show

from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import ConfigError


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
