"""Whose weights are validated and kept? With `use_ema` their averages, which the optimizer holds.

Exponential moving averages of the weights: Polyak and Juditsky 1992, doi:10.1137/0330046. Keras
puts them into the model at the end of its `fit` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def averaged_weights(trained: Any) -> Iterator[None]:
    """Let the model have the averages for the block, and what is trained again afterwards.

    Nothing is done without `use_ema`, or before the first update. Weights that no optimizer
    averages (a batch normalization's moving statistics) stay as they are.
    """
    optimizer = getattr(trained.optimizer, "inner_optimizer", trained.optimizer)
    if not optimizer.use_ema or not int(optimizer.iterations):
        yield
        return
    pairs = [
        (variable, average)
        for variable, average in zip(
            trained.trainable_variables, optimizer._model_variables_moving_average, strict=True
        )
        if average is not None
    ]
    values = [np.array(variable.value.numpy()) for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        for (variable, _), value in zip(pairs, values, strict=True):
            variable.assign(value)
