"""What is one step, and how do many of them run in one call into TensorFlow?

Rows are gathered, cast and augmented, the model is run, its gradients are applied and the metrics
counted, all inside one compiled loop. Nothing comes back to Python before the loop ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.data.augment import Augment
from dltrain.data.feeding import Feed
from dltrain.training.choices import XlaPart
from dltrain.training.counting import Counts, count_batch


@dataclass(frozen=True)
class Stretch:
    """What a call gave: the steps that were taken, and the last one's loss.

    `healthy` is false if the last step's loss or gradient was not finite; its gradients were then
    not applied. `loss_before` is the loss of the step before it (NaN in the first of the call);
    `mean_loss` the mean over the epoch's rows so far.
    """

    steps: int
    loss: float
    loss_before: float
    healthy: bool
    mean_loss: float


class TrainingSteps:
    """Run steps of a compiled model on the batches of a feed.

    `trained` is a compiled Keras model; its optimizer's variables are made here. `weights`
    `(rows,)` is how much each row of the feed counts in the loss, as Keras's sample_weight.
    """

    def __init__(
        self,
        trained: Any,
        feed: Feed,
        *,
        augment: Augment | None,
        xla: XlaPart,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> None:
        import tensorflow as tf

        self.trained = trained
        self.feed = feed
        self._augment = augment
        self._weights = None if weights is None else tf.constant(weights)
        self._scales_loss = hasattr(trained.optimizer, "inner_optimizer")
        trained.optimizer.build(trained.trainable_variables)
        _build_metrics(trained, feed)
        self.counts = Counts(trained)
        # A function of its own, and not the loop's body: a convolution right inside a while_loop
        # loses oneDNN's kernels and takes several times as long.
        self._step = tf.function(self._train_step, autograph=False, jit_compile=xla == "step")
        self._compiled_update = tf.function(
            self._update, autograph=False, jit_compile=xla == "update"
        )
        self._run = tf.function(self._loop, autograph=False, reduce_retracing=True)

    def run(self, source: Any, *, epoch: int, start: int, count: int) -> Stretch:
        """Take `count` steps of epoch `epoch` (from 0), from step `start` on.

        `source` is what the feed's `begin` gave. Stops after the first step whose loss or gradient
        is not finite.
        """
        import tensorflow as tf

        # Small tensors: Python numbers would have the function traced anew.
        place = [tf.constant(number, tf.int64) for number in (epoch, start, start + count)]
        step, healthy, loss, before, mean = self._run(source, *place)
        return Stretch(int(step) - start, float(loss), float(before), bool(healthy), float(mean))

    def read_batch(self, source: Any, *, epoch: int, step: int) -> tuple[Any, Any]:
        """Return the augmented inputs and the labels of one step, as the model gets them."""
        import tensorflow as tf

        place = [tf.constant(number, tf.int64) for number in (epoch, step)]
        inputs, labels, _ = self._read(source, *place)
        return inputs, labels

    def _loop(self, source: Any, epoch: Any, start: Any, stop: Any) -> Any:
        import tensorflow as tf

        def go_on(step: Any, healthy: Any, loss: Any, before: Any) -> Any:
            return (step < stop) & healthy

        def body(step: Any, healthy: Any, loss: Any, before: Any) -> Any:
            healthy, new = self._step(*self._read(source, epoch, step))
            return step + 1, healthy, new, loss

        nothing = tf.constant(float("nan"))
        first = (start, tf.constant(True), nothing, nothing)
        ended = tf.while_loop(go_on, body, first, parallel_iterations=1)
        return (*ended, self.trained.metrics[0].result())

    def _read(self, source: Any, epoch: Any, step: Any) -> tuple[Any, Any, Any]:
        inputs, labels, rows = self.feed.read(source, step)
        inputs = to_model_dtype(inputs, self.trained)
        if self._augment is not None:
            inputs, labels = self._augment(inputs, labels, rows, epoch, step)
        return inputs, labels, _take_weights(self._weights, rows)

    def _train_step(self, inputs: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
        """Do what Keras's own train_step does, but apply only gradients that are finite."""
        import tensorflow as tf

        trained, optimizer = self.trained, self.trained.optimizer
        update = self._compiled_update
        with tf.GradientTape() as tape:
            outputs = trained(inputs, training=True)
            loss = trained.compute_loss(
                x=inputs, y=labels, y_pred=outputs, sample_weight=weights, training=True
            )
            scaled = optimizer.scale_loss(loss)
        variables = trained.trainable_weights
        gradients = tape.gradient(scaled, variables)
        # A scaled loss overflows now and then; its optimizer leaves such a step out by itself.
        healthy = _are_finite([loss] if self._scales_loss else [loss, *gradients])

        if any(
            gradient is None or isinstance(gradient, tf.IndexedSlices) for gradient in gradients
        ):
            update = self._update  # XLA takes dense tensors only

        def apply() -> Any:
            update(gradients)
            return tf.constant(True)

        if variables:
            healthy = tf.cond(healthy, apply, lambda: tf.constant(False))
        count_batch(trained, loss, labels, outputs)
        return healthy, tf.cast(loss, tf.float32)

    def _update(self, gradients: list[Any]) -> None:
        trained = self.trained
        trained.optimizer.apply_gradients(zip(gradients, trained.trainable_weights, strict=True))


class ValidationSteps:
    """Count loss and metrics of a compiled model over the batches of a feed.

    `weights` count in the loss, as in TrainingSteps.
    """

    def __init__(
        self,
        trained: Any,
        feed: Feed,
        *,
        xla: XlaPart,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> None:
        import tensorflow as tf

        self.trained = trained
        self.feed = feed
        self._weights = None if weights is None else tf.constant(weights)
        self._step = tf.function(self._test_step, autograph=False, jit_compile=xla == "step")
        self._run = tf.function(self._loop, autograph=False, reduce_retracing=True)

    def trace(self) -> None:
        """Trace the compiled loop now, so that no later call waits for it."""
        import tensorflow as tf

        source = self.feed.begin(np.arange(self.feed.rows, dtype=np.int64), step=0)
        self._run.get_concrete_function(source, *([tf.TensorSpec((), tf.int64)] * 2))

    def run(self, source: Any, *, start: int, count: int) -> None:
        """Add `count` batches, from `start` on, to the model's metrics."""
        import tensorflow as tf

        place = [tf.constant(number, tf.int64) for number in (start, start + count)]
        self._run(source, *place)

    def _loop(self, source: Any, start: Any, stop: Any) -> Any:
        import tensorflow as tf

        def body(step: Any) -> Any:
            inputs, labels, rows = self.feed.read(source, step)
            weights = _take_weights(self._weights, rows)
            with tf.control_dependencies([self._step(inputs, labels, weights)]):
                return (step + 1,)

        return tf.while_loop(lambda step: step < stop, body, (start,), parallel_iterations=1)

    def _test_step(self, inputs: Any, labels: Any, weights: Any) -> Any:
        trained = self.trained
        inputs = to_model_dtype(inputs, trained)
        outputs = trained(inputs, training=False)
        loss = trained.compute_loss(
            x=inputs, y=labels, y_pred=outputs, sample_weight=weights, training=False
        )
        count_batch(trained, loss, labels, outputs)
        return loss


def to_model_dtype(inputs: Any, model: Any) -> Any:
    """Cast stored rows (uint8 images) to what the model's input takes, inside a tf.function."""
    import tensorflow as tf

    dtype = model.inputs[0].dtype
    return inputs if inputs.dtype.name == dtype else tf.cast(inputs, dtype)


def _take_weights(weights: Any, rows: Any) -> Any:
    import tensorflow as tf

    return None if weights is None else tf.gather(weights, rows)


def _build_metrics(trained: Any, feed: Feed) -> None:
    """Make the metrics' variables, which Keras makes at the first batch: a resume fills them."""
    import tensorflow as tf

    _, labels = feed.example()
    outputs = tf.zeros((1, *trained.output_shape[1:]), trained.outputs[0].dtype)
    trained.metrics[1].update_state(labels, outputs)
    trained.reset_metrics()


def _are_finite(tensors: list[Any]) -> Any:
    """Return whether every number of `tensors` (IndexedSlices and None among them) is finite.

    A sum shows it in one pass; only where a sum is not finite, which many large numbers bring
    about too, is every number looked at.
    """
    import tensorflow as tf

    values = [
        tensor.values if isinstance(tensor, tf.IndexedSlices) else tensor
        for tensor in tensors
        if tensor is not None
    ]
    sums = [tf.cast(tf.reduce_sum(value), tf.float32) for value in values]

    def look_at_all() -> Any:
        return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])

    finite = tf.reduce_all(tf.math.is_finite(tf.stack(sums)))
    return tf.cond(finite, lambda: tf.constant(True), look_at_all)
