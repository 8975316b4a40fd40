"""How much memory does a step of training take, about?"""

from __future__ import annotations

import math
from typing import Any

_GIB = 2**30


def estimate_step_bytes(model: Any, trained: Any, *, batch_size: int) -> int:
    """Return what the variables, and every layer's output and its gradient, take in bytes.

    What a layer needs inside itself (a convolution's columns, an LSTM's steps) comes on top, so it
    is a lower bound; outputs are counted twice, once for their gradients.
    """
    variables = [*trained.variables, *trained.optimizer.variables]
    held = sum(math.prod(variable.shape) * 4 for variable in variables)
    gradients = sum(math.prod(weight.shape) * 4 for weight in trained.trainable_weights)
    outputs = sum(
        math.prod(size or 1 for size in tensor.shape[1:]) * 4
        for layer in model.layers
        for tensor in _as_list(layer.output)
    )
    return int(held + gradients + 2 * batch_size * outputs)


def format_bytes(size: int) -> str:
    """Return a size for people: `3.2 GiB`."""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB / 10 else f"{size / 2**20:.1f} MiB"


def _as_list(output: Any) -> list[Any]:
    return list(output) if isinstance(output, (list, tuple)) else [output]
