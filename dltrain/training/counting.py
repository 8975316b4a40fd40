"""How are the metrics of a compiled model counted, read and reset? Each in one call."""

from __future__ import annotations

from typing import Any


class Counts:
    """Read and reset the metrics of `trained`, whose metrics have been built.

    Keras does both operation by operation, some hundred calls into TensorFlow an epoch; here each
    is compiled, at its first call.
    """

    def __init__(self, trained: Any) -> None:
        import tensorflow as tf

        self._read = tf.function(trained.get_metrics_result, autograph=False)
        self._reset = tf.function(trained.reset_metrics, autograph=False)

    def read(self) -> dict[str, float]:
        """Return the value of each metric over all batches since the last reset."""
        return {name: float(value) for name, value in self._read().items()}

    def reset(self) -> None:
        """Forget all batches."""
        self._reset()


def count_batch(trained: Any, loss: Any, labels: Any, outputs: Any) -> None:
    """Add a batch to the mean of the loss and to the metrics, inside a tf.function.

    Keras's own `compute_metrics` would compute what they come to as well, after each batch.
    """
    import tensorflow as tf

    # The loss's mean, then what the model was compiled with, then what layers count by themselves.
    # A mean over rows: the last batch of an epoch may be smaller.
    trained.metrics[0].update_state(loss, sample_weight=tf.shape(outputs)[0])
    trained.metrics[1].update_state(labels, outputs)
