"""How do integrated gradients reach the words of a text? Through what its embedding gives.

A word's number has no gradient; the vector that the embedding makes of it has one. The baseline is
the vector of zeros (Sundararajan et al. 2017, arXiv:1703.01365, section 4 on text models), and a
word's attribution is the sum over its vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras  # noqa: TID253  (a layer of Keras can't be extended without it)
import numpy as np
from numpy.typing import NDArray

from dltrain.errors import UsageError
from dltrain.explanation.gradients import Differentiate, Floats, in_chunks
from dltrain.explanation.integrated_gradients import Completeness, integrate_gradients
from dltrain.explanation.scores import Scorer


class Tap(keras.layers.Layer):  # type: ignore[misc]
    """Pass on what comes in, with its mask, or `replacement` in its place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self.replacement: Any = None

    def call(self, inputs: Any) -> Any:
        """Return the tensor that the layers after this one get."""
        return inputs if self.replacement is None else self.replacement


@dataclass(frozen=True)
class TappedModel:
    """Hold a scorer with a tap after each embedding of its input, and these embeddings."""

    scorer: Scorer
    embeddings: tuple[Any, ...]
    taps: tuple[Tap, ...]

    def embed(self, ids: NDArray[np.int32]) -> Floats:
        """Return what the embeddings give for one row of ids `(length,)`.

        As `(length, units)` float32, the units of all embeddings beside each other.
        """
        parts = [np.asarray(layer(ids[None])[0]) for layer in self.embeddings]
        return np.concatenate(parts, axis=-1).astype(np.float32)

    def differentiate(self, ids: NDArray[np.int32]) -> Differentiate:
        """Return what computes scores and gradients by such vectors, `(n, length, units)`.

        Padding is masked as it is for `ids` `(length,)`.
        """
        import tensorflow as tf

        sizes = [layer.output_dim for layer in self.embeddings]

        def run(vectors: Any, weights: Any) -> tuple[Any, Any]:
            rows = tf.repeat(tf.constant(ids)[None], tf.shape(vectors)[0], axis=0)
            rows = tf.ensure_shape(rows, (None, len(ids)))
            with tf.GradientTape() as tape:
                tape.watch(vectors)
                for tap, part in zip(self.taps, tf.split(vectors, sizes, axis=-1), strict=True):
                    tap.replacement = tf.cast(part, tap.compute_dtype)
                try:
                    scores = self.scorer.score(rows, weights)
                finally:
                    for tap in self.taps:
                        tap.replacement = None
            return scores, tape.gradient(scores, vectors, unconnected_gradients="zero")

        return in_chunks(tf.function(run, autograph=False, reduce_retracing=True))


def tap_embeddings(scorer: Scorer) -> TappedModel:
    """Return the scorer's model, its weights shared, with taps after the embeddings of its input.

    Raises UsageError if there are none.
    """
    model = scorer.model
    start = model.inputs[0]
    found = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Embedding)
        and any(tensor is start for node in layer._inbound_nodes for tensor in node.input_tensors)
    ]
    if not found:
        raise UsageError(
            "--method integrated_gradients: the model has no embedding of its words, through which "
            "their gradients could be taken.",
            hint="Begin model.layers with an embedding, and train again.",
        )
    taps = {layer: Tap(name=f"{layer.name}_tap", dtype=layer.dtype_policy) for layer in found}

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        outputs = layer(*arguments, **options)
        return taps[layer](outputs) if layer in taps else outputs

    tapped = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return TappedModel(Scorer(tapped, scorer.kind), tuple(found), tuple(taps.values()))


def explain_words(
    tapped: TappedModel, ids: NDArray[np.int32], weights: Floats
) -> tuple[Floats, Completeness]:
    """Return what each of `ids` `(length,)` brings to the score, `(length,)`.

    Padding is among them: where the model doesn't mask it, it has a share.
    """
    vectors = tapped.embed(ids)
    found, completeness = integrate_gradients(
        tapped.differentiate(ids), vectors, np.zeros_like(vectors), weights
    )
    return found.sum(axis=-1), completeness


def share_pairs(attributions: Floats, length: int) -> Floats:
    """Return `(length,)`: the words' attributions, with half of each pair's for each of its words.

    `attributions` `(2 * length - 1,)` are those of a row as `append_bigrams` makes it: the words,
    then the pairs of neighbours. One without pairs `(length,)` comes back as it is.
    """
    if len(attributions) == length:
        return attributions
    words, pairs = attributions[:length].copy(), attributions[length:]
    words[:-1] += pairs / 2
    words[1:] += pairs / 2
    return words
