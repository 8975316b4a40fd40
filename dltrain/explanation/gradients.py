"""How does a class's score change with the input? Gradients, a chunk of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dltrain.explanation.scores import Scorer

Floats = NDArray[np.float32]

# Numbers that go through the model at once: 16 MB of float32, and some tens of times that within.
_NUMBERS_AT_ONCE = 4_000_000
_ROWS_AT_ONCE = 64

Differentiate = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Takes rows `(n, …)` and weights `(n, units)`; returns scores `(n,)`, gradients `(n, …)`."""


def count_rows_at_once(row_shape: tuple[int, ...]) -> int:
    """Return how many rows of that shape go through a model at once."""
    return max(1, min(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // max(1, int(np.prod(row_shape)))))


def differentiate_inputs(scorer: Scorer) -> Differentiate:
    """Return what computes scores and their gradients by the model's own input, as float32."""
    import tensorflow as tf

    def run(rows: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(rows)
            scores = scorer.score(tf.cast(rows, scorer.model.inputs[0].dtype), weights)
        return scores, tape.gradient(scores, rows, unconnected_gradients="zero")

    return in_chunks(tf.function(run, autograph=False, reduce_retracing=True))


def in_chunks(run: Callable[[Any, Any], tuple[Any, Any]]) -> Differentiate:
    """Return `run` for any number of rows: it gets a chunk of them at a time, as tensors."""
    import tensorflow as tf

    def whole(rows: Floats, weights: Floats) -> tuple[Floats, Floats]:
        size = count_rows_at_once(rows.shape[1:])
        parts = [
            run(tf.constant(rows[at : at + size]), tf.constant(weights[at : at + size]))
            for at in range(0, len(rows), size)
        ]
        scores = np.concatenate([part[0].numpy() for part in parts])
        return scores, np.concatenate([part[1].numpy() for part in parts])

    return whole


def score_inputs(scorer: Scorer) -> Callable[[Floats, Floats], Floats]:
    """Return what takes rows `(n, …)` and weights `(n, units)`, and returns the scores `(n,)`."""
    import tensorflow as tf

    def run(rows: Any, weights: Any) -> tuple[Any, Any]:
        scores = scorer.score(tf.cast(rows, scorer.model.inputs[0].dtype), weights)
        return scores, scores

    whole = in_chunks(tf.function(run, autograph=False, reduce_retracing=True))
    return lambda rows, weights: whole(rows, weights)[0]
