"""Where did a loss or gradient that is not finite begin? The step is looked at layer by layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.errors import TrainingError
from dltrain.training.loop import Progress
from dltrain.training.steps import Stretch, TrainingSteps

_HINT = "Lower optimizer.learning_rate, normalize the inputs, or set optimizer.clipnorm."


def explain_non_finite(
    steps: TrainingSteps,
    progress: Progress,
    stretch: Stretch,
    order: npt.NDArray[np.int64] | None,
    *,
    model: Any,
) -> TrainingError:
    """Return the error for the last step of `stretch`, whose gradients were not applied.

    `order` is the epoch's order of rows; without it, it is the validation loss after the epoch
    that is not finite. `model` is the Keras model of the config, with the weights of that step.
    """
    rate = float(steps.trained.optimizer.learning_rate)
    at = f"at a learning rate of {rate:.3g}"
    epoch = progress.epoch + 1
    if order is None:
        what = f"The validation loss became {stretch.loss} after epoch {epoch}"
        trained_at = f" (training loss: {stretch.loss_before:.4g})"
        return TrainingError(f"{what}{trained_at}, {at}.", hint=_HINT)
    step = progress.step + stretch.steps
    before = stretch.loss_before
    if not math.isfinite(before):
        before = _mean_of_epoch(progress)
    last = f"; the last finite loss was {before:.4g}" if math.isfinite(before) else ""
    if math.isfinite(stretch.loss):
        what = f"A gradient became infinite or NaN in epoch {epoch}, step {step}"
        last = f"; the loss was {stretch.loss:.4g}"
    else:
        what = f"The loss became {stretch.loss} in epoch {epoch}, step {step}"
    origin = _find_origin(steps, progress.epoch, step - 1, order, model)
    return TrainingError(f"{what}, {at}{last}.{origin}", hint=_HINT)


def _mean_of_epoch(progress: Progress) -> float:
    return progress.history[-1]["loss"] if progress.history else math.nan


def _find_origin(
    steps: TrainingSteps, epoch: int, step: int, order: npt.NDArray[np.int64], model: Any
) -> str:
    """Run the step again without compiling, and return a sentence that names the layer."""
    import keras
    import tensorflow as tf

    trained = steps.trained
    source = steps.feed.begin(order, step=step)
    inputs, labels = steps.read_batch(source, epoch=epoch, step=step)
    if not _is_finite(inputs):
        return " It began in the input: the data itself holds values that are not finite."
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    for layer in layers:
        broken = [variable for variable in layer.variables if not _is_finite(variable.value)]
        if broken:
            return f" It began in the weights of the layer {layer.name} ({_kind(layer)})."
    reached = keras.Model(model.inputs, [*(layer.output for layer in layers), model.output])
    weights = model.trainable_weights
    with tf.GradientTape() as tape:
        *outputs, last = reached(inputs, training=True)
        loss = trained.compute_loss(x=inputs, y=labels, y_pred=last, training=True)
    for layer, output in zip(layers, outputs, strict=True):
        if not _is_finite(output):
            return f" It began in the output of the layer {layer.name} ({_kind(layer)})."
    if not _is_finite(loss):
        return " Every layer's output is finite: it began in the loss itself."
    gradients = dict(
        zip((id(weight) for weight in weights), tape.gradient(loss, weights), strict=True)
    )
    for layer in reversed(layers):
        for variable in layer.trainable_variables:
            gradient = gradients.get(id(variable))
            if gradient is not None and not _is_finite(tf.convert_to_tensor(gradient)):
                return f" It began in the gradient of the layer {layer.name} ({_kind(layer)})."
    return ""


def _is_finite(values: Any) -> bool:
    array = np.asarray(values)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array.astype(np.float64)).all())


def _kind(layer: Any) -> str:
    return str(type(layer).__name__)
