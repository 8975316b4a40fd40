"""Which number of a model is explained? The score of one class, before softmax or sigmoid.

Simonyan et al. 2013 ("Deep Inside Convolutional Networks", arXiv:1312.6034, section 3) and
Selvaraju et al. 2017 ("Grad-CAM", arXiv:1610.02391, section 3) take the score before softmax: a
probability also rises because other classes' scores fall, and near 1 its gradient vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dltrain.config.targets import Targets

Kind = Literal["logit", "score", "value"]
"""logit: before softmax or sigmoid. score: an output trained without either. value: a
regression's."""


@dataclass(frozen=True)
class Scorer:
    """Hold a Keras model whose output `(batch, units)` are scores, and what these mean.

    `units` is 1 for a regression and for two classes that share a unit: the score of the second
    class is then the unit's, and that of the first is the same with the other sign, as one is the
    log-odds of the other.
    """

    model: Any
    kind: Kind

    @property
    def units(self) -> int:
        """Return how many columns the output has."""
        return int(self.model.output_shape[-1])

    def weigh(self, classes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return `(n, units)` float32: the outputs' weights in the score of each row's class."""
        if self.kind == "value":
            return np.ones((len(classes), 1), dtype=np.float32)
        if self.units == 1:
            return np.where(classes == 1, 1.0, -1.0).astype(np.float32).reshape(-1, 1)
        return np.eye(self.units, dtype=np.float32)[classes]

    def score(self, inputs: Any, weights: Any) -> Any:
        """Return the scores `(n,)` of float rows, as a tensor that can be differentiated."""
        import tensorflow as tf

        outputs = self.model(inputs, training=False)
        return tf.reduce_sum(tf.cast(outputs, tf.float32) * weights, axis=-1)


def make_scorer(model: Any, targets: Targets) -> Scorer:
    """Return the scorer of a functional Keras model; it shares the model's layers.

    A last softmax or sigmoid is taken off, whether it is a layer or the activation of one; layers
    that change no number (a linear activation, dropout, reshape, flatten) may follow it.
    """
    import keras

    kind: Kind = "value" if targets.task == "regression" else "logit"
    if kind == "value" or targets.output == "scores":
        return Scorer(model, kind if kind == "value" else "score")
    tensor, found = _peel(model.outputs[0])
    if found:
        return Scorer(keras.Model(model.inputs, tensor), "logit")
    # from_logits: what comes out are logits already. Other probabilities stay as they are.
    return Scorer(model, "logit" if targets.output == "logits" else "score")


def _peel(tensor: Any) -> tuple[Any, bool]:
    """Return the tensor before a last softmax or sigmoid, and whether there was one."""
    import keras

    layer = tensor._keras_history.operation
    squashing = (keras.activations.softmax, keras.activations.sigmoid)
    if isinstance(layer, keras.layers.Softmax):
        return layer.input, True
    activation = getattr(layer, "activation", None)
    if isinstance(layer, keras.layers.Activation) and activation in squashing:
        return layer.input, True
    if activation in squashing and isinstance(layer, keras.layers.Dense):
        return _call_without_activation(layer), True
    changes_nothing = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape)
    is_linear = isinstance(layer, keras.layers.Activation) and (
        activation is keras.activations.linear
    )
    if is_linear or isinstance(layer, changes_nothing):
        inner, found = _peel(layer.input)
        if found and len(inner.shape) == 2:
            return inner, True
    return tensor, False


def _call_without_activation(dense: Any) -> Any:
    """Return the output of a twin of `dense` that has the same weights and no activation."""
    import keras

    config = dense.get_config() | {
        "activation": "linear",
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "activity_regularizer": None,
    }
    twin = keras.layers.Dense.from_config(config)
    outputs = twin(dense.input)
    twin.set_weights(dense.get_weights())
    return outputs
