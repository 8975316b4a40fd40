"""How much memory does a step of training take, about, and can it be had at all?"""

from __future__ import annotations

import math
from typing import Any

from dltrain.errors import TrainingError

_GIB = 2**30

HINT = "Lower training.batch_size, or make the model smaller."

# What these give is their input under another shape, or may be written over it.
_WITHOUT_MEMORY = {
    *("InputLayer", "Flatten", "Reshape", "Identity", "Activation", "ReLU", "LeakyReLU", "ELU"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Rescaling"),
    *("Normalization", "ActivityRegularization", "Permute", "Softmax", "BatchNormalization"),
}


def estimate_step_bytes(trained: Any, *, batch_size: int) -> int:
    """Return what the variables, and every layer's output and its gradient, take in bytes.

    What a layer needs inside itself (a convolution's columns, an LSTM's steps) comes on top, so it
    is a lower bound; outputs are counted twice, once for their gradients.
    """
    variables = [*trained.variables, *trained.optimizer.variables]
    held = sum(math.prod(variable.shape) * 4 for variable in variables)
    gradients = sum(math.prod(weight.shape) * 4 for weight in trained.trainable_weights)
    outputs = sum(_row_bytes(layer.output) for layer in trained.layers)
    return int(held + gradients + 2 * batch_size * outputs)


def refuse_too_large(model: Any, *, batch_size: int, free_bytes: int, described: str) -> None:
    """Raise TrainingError if a single layer needs more memory than can be had.

    While a layer computes, its input and its output are held, whatever else is: a step can't take
    less. Asked before the first step on a CPU, where the system would otherwise kill the process,
    or a kernel of TensorFlow crash, without a word. `described` ends the message.
    """
    for layer in model.layers:
        if type(layer).__name__ in _WITHOUT_MEMORY:
            continue
        size = (_row_bytes(layer.input) + _row_bytes(layer.output)) * batch_size
        if size > free_bytes:
            raise TrainingError(
                f"Memory would run out{described}. The layer {layer.name} alone takes "
                f"{format_bytes(size)}.",
                hint=HINT,
            )


def format_bytes(size: int) -> str:
    """Return a size for people: `3.2 GiB`."""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB / 10 else f"{size / 2**20:.1f} MiB"


def _row_bytes(tensors: Any) -> int:
    """Return what a row of a layer's inputs or outputs takes."""
    listed = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    return sum(math.prod(size or 1 for size in tensor.shape[1:]) * 4 for tensor in listed)
