"""Give the tests of training a nursery: processes that are killed without waiting for imports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from killing import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Return the process that forks those that train; it lives as long as the tests."""
    nursery = Nursery()
    yield nursery
    nursery.close()
