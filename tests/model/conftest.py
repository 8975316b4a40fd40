"""Start TensorFlow once, quietly and on the CPU, with the same seed before every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dltrain.training.engine import start_engine


@pytest.fixture(scope="session", autouse=True)
def _engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        start_engine(device="cpu", precision="float32", seed=0)
        yield


@pytest.fixture(autouse=True)
def _fixed_seed() -> Iterator[None]:
    import keras

    keras.utils.set_random_seed(0)
    yield
    keras.backend.clear_session()
