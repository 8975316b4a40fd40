"""Keep trackers in tests from the machine's settings and accounts, and from the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracked_runs import clean_environment


@pytest.fixture(autouse=True, scope="session")
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give this process a home of its own, where no tracker's key or setting lies."""
    home: Path = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(clean_environment(before, home))
    yield
    os.environ.clear()
    os.environ.update(before)
