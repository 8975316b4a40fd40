"""Does the same seed give the same run, to the bit, and another seed another one?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import CONFIG, Result, change

from dltrain.data.batches import order_rows
from dltrain.evaluation.saved_model import load_saved_model

Fit = Callable[..., Result]
WriteConfig = Callable[..., Path]

# Everything that draws random numbers: initial weights, order, dropout, augmentation.
RANDOM: dict[str, Any] = change(
    CONFIG,
    dataset__augment=[
        {"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1},
        {"type": "random_rotation", "factor": 0.05},
    ],
    training={"batch_size": 256, "epochs": 2},
)


def read_weights(run: str) -> list[np.ndarray]:
    """Return the weights of the model that the run kept."""
    return load_saved_model(Path(run, "model.keras")).get_weights()


def are_equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether two models have the same weights, to the bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(RANDOM)
    for run, seed in (("one", 5), ("two", 5), ("three", 6)):
        result = dltrain("fit", config, "--seed", seed, "--run-dir", run, "--quiet")
        assert result.code == 0, result.err
    assert are_equal(read_weights("one"), read_weights("two"))
    assert Path("one/metrics.json").read_bytes() == Path("two/metrics.json").read_bytes()
    assert Path("one/config.yaml").read_bytes() == Path("two/config.yaml").read_bytes()
    assert not are_equal(read_weights("one"), read_weights("three"))


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone(epoch: int) -> None:
    order = order_rows(50, seed=3, epoch=epoch, shuffle=True)
    assert np.array_equal(order, order_rows(50, seed=3, epoch=epoch, shuffle=True))
    assert not np.array_equal(order, order_rows(50, seed=4, epoch=epoch, shuffle=True))
    assert not np.array_equal(order, order_rows(50, seed=3, epoch=epoch + 1, shuffle=True))
