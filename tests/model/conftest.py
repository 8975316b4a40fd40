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


@pytest.fixture(scope="module", autouse=True)
def _fresh_session() -> Iterator[None]:
    import keras

    yield
    keras.backend.clear_session()  # a module, not a test: it collects garbage for a second


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    import keras

    keras.utils.set_random_seed(0)
