"""Give the tests of shared sweeps a PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from postgresql import Server, find_binaries, running_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Run a server for all tests of the session; without one they skip, and fail in CI."""
    binaries = find_binaries()
    if binaries is None:
        reason = "needs PostgreSQL's server: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(binaries) as server:
        yield server
