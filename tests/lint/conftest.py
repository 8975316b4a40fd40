"""Lint configs that are written inside a test, on a machine with no GPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_files import write_lines

from dltrain.config.load import load_config
from dltrain.lint import machine
from dltrain.lint.check import find_lints

Lint = Callable[..., list[str]]


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no GPU be seen."""
    monkeypatch.setattr(machine, "sees_gpu", lambda: False)


@pytest.fixture
def lint(tmp_path: Path, without_gpu: None) -> Lint:
    """Return a function that lints a config, and returns `place code key: why fix` of each finding.

    Further arguments are `--set` flags; `info` are facts of the dataset to change.
    """

    def lint(text: str, *overrides: str, info: dict[str, Any] | None = None) -> list[str]:
        path = tmp_path / "c.yaml"
        rows = [f"{row},{row % 7},Peru,{row}.5" for row in range(50)]
        write_lines(tmp_path / "houses.csv", "id,rooms,country,price", *rows)
        path.write_text(text, encoding="utf-8")
        loaded = load_config(path, overrides=overrides)
        if info:
            loaded = dataclasses.replace(loaded, info=dataclasses.replace(loaded.info, **info))
        shown = []
        for finding in find_lints(loaded):
            place = finding.location().replace(f"{tmp_path}/", "").removeprefix("c.yaml:")
            about = f" {finding.key}" if finding.key else ""
            shown.append(f"{place} {finding.code}{about}: {finding.why} {finding.fix}")
        return shown

    return lint
