"""Start TensorFlow once, quietly and on the CPU, for the tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from dltrain.training.engine import start_engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        start_engine(device="cpu", precision="float32", seed=0)
        yield
