"""Where in the image does the last convolution see what speaks for the class? Grad-CAM.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", arXiv:1610.02391, equations 1 and 2.
"""

from __future__ import annotations

from typing import Any

from dltrain.errors import UsageError
from dltrain.explanation.gradients import Floats, in_chunks
from dltrain.explanation.scores import Scorer


def compute_grad_cam(scorer: Scorer, images: Floats, weights: Floats) -> Floats:
    """Return `(n, height, width)` from 0: the last feature maps, weighted, in the image's size.

    A map's weight is the mean gradient of the score by it; what speaks against the class is cut
    off at 0. Raises UsageError if the model has no convolution.
    """
    import keras
    import tensorflow as tf

    maps = find_feature_maps(scorer.model)
    if maps is None:
        raise UsageError(
            "--method grad_cam: the model has no convolution of two dimensions, and so no maps to "
            "look at.",
            hint="Take --method saliency, integrated_gradients or occlusion, which need none.",
        )
    both = keras.Model(scorer.model.inputs, [maps, scorer.model.outputs[0]])

    def run(rows: Any, own_weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(rows)  # without it, a model of frozen weights would record nothing
            found, outputs = both(tf.cast(rows, both.inputs[0].dtype), training=False)
            scores = tf.reduce_sum(tf.cast(outputs, tf.float32) * own_weights, axis=-1)
        gradients = tf.cast(tape.gradient(scores, found), tf.float32)
        shares = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(tf.cast(found, tf.float32) * shares, axis=-1))
        size = tf.shape(rows)[1:3]
        return scores, tf.image.resize(heat[..., None], size)[..., 0]

    return in_chunks(tf.function(run, autograph=False, reduce_retracing=True))(images, weights)[1]


def find_feature_maps(model: Any) -> Any | None:
    """Return the tensor `(batch, height, width, maps)` of the last convolution; None without one.

    Normalization, activation and sums right after it belong to it, as long as the shape stays. A
    model within the model (a backbone) that ends in maps counts as a convolution.
    """
    layers = [layer for layer in model.layers if _is_single(layer)]
    last = max((at for at, layer in enumerate(layers) if _convolves(layer)), default=None)
    if last is None:
        return None
    maps = layers[last].output
    for layer in layers[last + 1 :]:
        if tuple(layer.output.shape) != tuple(maps.shape):
            break
        maps = layer.output
    return maps


def _is_single(layer: Any) -> bool:
    """Tell whether a layer is called once and gives one tensor."""
    try:
        return hasattr(layer.output, "shape")
    except (AttributeError, ValueError):  # called twice, or an output of several tensors
        return False


def _convolves(layer: Any) -> bool:
    import keras
    from keras.src.layers.convolutional.base_conv import BaseConv
    from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose
    from keras.src.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv
    from keras.src.layers.convolutional.base_separable_conv import BaseSeparableConv

    if len(layer.output.shape) != 4:
        return False
    if isinstance(layer, keras.Model):
        return any(_is_single(inner) and _convolves(inner) for inner in layer.layers)
    kinds = (BaseConv, BaseConvTranspose, BaseDepthwiseConv, BaseSeparableConv)
    return isinstance(layer, kinds) and layer.data_format == "channels_last"
