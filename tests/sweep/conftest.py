"""Give the tests of sweeps a nursery, and a sweep that was never stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compared_sweeps import ONE, Reference, make_reference
from sweep_killing import SweepNursery


@pytest.fixture(scope="session")
def sweep_nursery() -> Iterator[SweepNursery]:
    """Return the process that forks sweeps; it lives as long as the tests."""
    nursery = SweepNursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def whole_sweep(sweep_nursery: SweepNursery, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Return a sweep of one worker that was never stopped. Don't change it."""
    folder = tmp_path_factory.mktemp("sweeps") / "whole"
    return make_reference(sweep_nursery, folder, ONE, workers=1)
