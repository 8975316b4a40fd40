"""Which layers are computed in fewer operations while the model trains, and how are they put in?

An LSTM, by `dltrain.model.fused_lstm`, and an Embedding followed by GlobalAveragePooling1D. That
pair makes a vector for every word, `(batch, length, units)`, only to add them up, and its gradient
is as large: a slice for every word. Keras's Adam adds those up twice in each step, and takes the
sum of their squares for the square of their sum. Here the gradient comes added up.
docs/performance.md holds what that saves, and what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras  # noqa: TID253  (a layer of Keras can't be extended without it)

from dltrain.model.fused_lstm import FusedLSTM, can_fuse


class PooledEmbedding(keras.layers.Layer):  # type: ignore[misc]
    """Compute what `embedding` and average pooling over it compute, with the embedding's own table.

    Input `(batch, length)` int32 or int64 ids from 0, output `(batch, units)` float32. With
    `mask_zero` ids of 0 don't count; a row of nothing else is NaN, as in Keras. The gradient of the
    table is dense. Both equal Keras's within float32's rounding, and repeat to the bit on the CPU.
    """

    def __init__(self, embedding: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the average of each row's word vectors."""
        import tensorflow as tf

        ids = inputs if inputs.dtype in (tf.int32, tf.int64) else tf.cast(inputs, tf.int32)
        table = tf.convert_to_tensor(self.embedding.embeddings)
        return _average(table, ids, masked=self.embedding.mask_zero)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `(batch, units)`."""
        return (input_shape[0], self.embedding.output_dim)


def _average(table: Any, ids: Any, *, masked: bool) -> Any:
    """Return `(batch, units)`: the mean over each row of `ids` `(batch, length)` of `table`'s rows.

    Padding is half of a batch of texts. All of it is row 0 of the table, so it is counted instead
    of being added up word by word.
    """
    import tensorflow as tf

    known = tf.not_equal(ids, 0)
    places = tf.where(known)  # row by row, so the rows come in rising order, as the sum wants them
    words, rows = tf.gather_nd(ids, places), places[:, 0]
    counts = tf.reduce_sum(tf.cast(known, tf.float32), axis=1, keepdims=True)
    batch, length = tf.shape(ids)[0], tf.cast(tf.shape(ids)[1], tf.float32)
    padding = length - counts
    size = counts if masked else length

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def average(table: Any) -> Any:
        total = tf.raw_ops.SparseSegmentSumWithNumSegments(
            data=table, indices=words, segment_ids=rows, num_segments=batch
        )
        if not masked:
            total += padding * table[:1]

        def gradient(upstream: Any) -> Any:
            share = upstream / size
            summed = tf.raw_ops.SparseSegmentSumGrad(
                grad=share, indices=words, segment_ids=rows, output_dim0=tf.shape(table)[0]
            )
            if masked:
                return summed
            of_padding = tf.matmul(padding, share, transpose_a=True)
            return tf.tensor_scatter_nd_add(summed, [[0]], of_padding)

        return total / size, gradient

    return average(table)


def fuse(model: Any) -> Any:
    """Return a twin of a functional model with faster layers in the places of some.

    The twin shares all layers and variables, in the same order. The same model comes back where
    there is nothing to replace: each LSTM that `fused_lstm` can run, and each pair of an Embedding
    whose only consumer is a GlobalAveragePooling1D, both of float32. Subclasses, LoRA, quantized
    tables and layers used twice stay as they are. Meant for the CPU, and not for XLA, which has
    none of these operations.
    """
    pairs = dict(_find_pairs(model))
    recurrent = set(_find_recurrent(model))
    if not pairs and not recurrent:
        return model

    def replace(layer: Any) -> Any:
        # The embedding's place, not the pool's, so that the variables keep their order.
        if layer in pairs:
            return PooledEmbedding(layer, name=f"{layer.name}_pooled")
        return FusedLSTM(layer, name=f"{layer.name}_fused") if layer in recurrent else layer

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        if layer in pairs.values():
            # A step like the pooling was: Keras orders layers by their distance from the output.
            return keras.layers.Identity(name=layer.name)(arguments[0])
        if isinstance(layer, FusedLSTM):
            return layer(arguments[0])
        return layer(*arguments, **options)

    return keras.models.clone_model(model, clone_function=replace, call_function=call)


def _find_recurrent(model: Any) -> Iterable[Any]:
    """Yield each LSTM, or Bidirectional of them, that is called once, on one tensor alone."""
    for layer, own in _calls(model).items():
        if len(own) == 1 and isinstance(layer, (keras.layers.LSTM, keras.layers.Bidirectional)):
            tensors = own[0].input_tensors
            if len(tensors) == 1 and can_fuse(layer, tensors[0]):
                yield layer


def _find_pairs(model: Any) -> Iterable[tuple[Any, Any]]:
    """Yield each embedding of `model` that can be fused, with its pooling layer."""
    calls = _calls(model)
    results = {id(tensor) for tensor in model.outputs}
    for layer, own in calls.items():
        if not _is_plain_embedding(layer) or len(own) != 1:
            continue
        vectors = own[0].outputs[0]
        users = [
            operation
            for operation, nodes in calls.items()
            for node in nodes
            if any(tensor is vectors for tensor in node.input_tensors)
        ]
        if len(users) != 1 or id(vectors) in results:
            continue
        if _is_plain_pooling(users[0]) and len(calls[users[0]]) == 1:
            yield layer, users[0]


def _calls(model: Any) -> dict[Any, list[Any]]:
    """Return the calls of each layer that belong to `model`: other models may call it too."""
    calls: dict[Any, list[Any]] = {}
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            calls.setdefault(node.operation, []).append(node)
    return calls


def _is_plain_embedding(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Embedding
        and layer.dtype_policy.name == "float32"
        and layer.quantization_mode is None
        and not layer.lora_enabled
    )


def _is_plain_pooling(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.GlobalAveragePooling1D
        and layer.dtype_policy.name == "float32"
        and layer.data_format == "channels_last"
        and not layer.keepdims
    )
