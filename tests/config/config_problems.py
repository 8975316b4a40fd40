"""How do the tests write down a problem? And the types of their fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dltrain.config.load import LoadedConfig
from dltrain.errors import Problem

Write = Callable[..., Path]
Load = Callable[..., LoadedConfig]
Refuse = Callable[..., list[str]]

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
"""The configs that ship."""


def show(problem: Problem, folder: Path) -> str:
    """Return `file:line:column key: message hint`, without the folder of the test."""
    head = f"{problem.location()} {problem.key}".rstrip()
    text = f"{head}: {problem.message} {problem.hint}".rstrip()
    return text.replace(f"{folder}/", "")
