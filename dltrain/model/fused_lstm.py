"""Can an LSTM run all its time steps in one operation, instead of a loop of small ones?

Keras on TensorFlow runs an LSTM on a CPU as a loop: some twenty operations for each time step and
direction, and thrice as many backwards. TensorFlow's BlockLSTM does all time steps in one, and its
gradient in another. docs/performance.md holds what that saves.
"""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253  (a layer of Keras can't be extended without it)


class FusedLSTM(keras.layers.Layer):  # type: ignore[misc]
    """Compute what `layer` computes, an LSTM or a Bidirectional of two, with its own variables.

    Input `(batch, steps, features)` float32; the output is the layer's own. It and the gradients
    equal Keras's within float32's rounding, and repeat to the bit on the CPU.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the last output `(batch, units)`, or `(batch, steps, units)` of sequences."""
        import tensorflow as tf

        layer = self.layer
        if not isinstance(layer, keras.layers.Bidirectional):
            return _run(layer, inputs)
        forward, backward = _run(layer.forward_layer, inputs), _run(layer.backward_layer, inputs)
        if layer.return_sequences:
            backward = tf.reverse(backward, [1])
        merges = {
            "concat": lambda: tf.concat([forward, backward], axis=-1),
            "sum": lambda: forward + backward,
            "ave": lambda: (forward + backward) / 2,
            "mul": lambda: forward * backward,
        }
        return merges[layer.merge_mode]()

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the layer's own."""
        return self.layer.compute_output_shape(input_shape)


def can_fuse(layer: Any, inputs: Any) -> bool:
    """Tell whether FusedLSTM computes `layer` on the Keras tensor `inputs`.

    Only what BlockLSTM knows: tanh and sigmoid, a bias, no dropout inside, no mask, no state that
    is given or returned. Subclasses may compute something else.
    """
    if getattr(inputs, "_keras_mask", None) is not None or layer.activity_regularizer is not None:
        return False
    if type(layer) is keras.layers.Bidirectional:
        halves = (layer.forward_layer, layer.backward_layer)
        return layer.merge_mode is not None and all(_is_plain_lstm(half) for half in halves)
    return _is_plain_lstm(layer)


def _is_plain_lstm(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.LSTM
        and layer.dtype_policy.name == "float32"
        and layer.cell.dtype_policy.name == "float32"
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and not (layer.dropout or layer.recurrent_dropout)
        and not (layer.stateful or layer.return_state or layer.unroll)
        and layer.activity_regularizer is None
    )


def _run(layer: Any, inputs: Any) -> Any:
    """Return the outputs of one LSTM. With `go_backwards` they come in the order it goes."""
    import tensorflow as tf

    cell = layer.cell
    # V1, not V2: TensorFlow 2.21 registers V1's gradient for both, and that one is wrong for V2,
    # whose gates stand in another order.
    order = (
        0,
        2,
        1,
        3,
    )  # Keras: input, forget, cell, output; BlockLSTM: input, cell, forget, output
    kernel = tf.concat([tf.convert_to_tensor(cell.kernel), cell.recurrent_kernel], axis=0)
    steps = tf.transpose(inputs, [1, 0, 2])
    if layer.go_backwards:
        steps = tf.reverse(steps, [0])
    zeros = tf.zeros((tf.shape(inputs)[0], layer.units))
    peephole = tf.zeros((layer.units,))
    outputs = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(steps, out_type=tf.int64)[0],
        x=steps,
        cs_prev=zeros,
        h_prev=zeros,
        w=_reorder(kernel, order),
        wci=peephole,
        wcf=peephole,
        wco=peephole,
        b=_reorder(tf.convert_to_tensor(cell.bias), order),
        forget_bias=0.0,  # Keras's unit_forget_bias is in the bias's initial values
        cell_clip=-1.0,  # none
        use_peephole=False,
    ).h
    return tf.transpose(outputs, [1, 0, 2]) if layer.return_sequences else outputs[-1]


def _reorder(weights: Any, order: tuple[int, ...]) -> Any:
    import tensorflow as tf

    gates = tf.split(weights, 4, axis=-1)
    return tf.concat([gates[place] for place in order], axis=-1)
