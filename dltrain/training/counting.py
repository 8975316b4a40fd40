"""How are the metrics of a compiled model counted, read and reset?"""

from __future__ import annotations

from typing import Any


class Counts:
    """Read and reset the metrics of `trained`, whose metrics have been built and reset.

    Keras does both operation by operation, some hundred calls into TensorFlow an epoch. Reading is
    compiled, at its first call; to reset is to put back what the metrics' variables hold now.
    """

    def __init__(self, trained: Any) -> None:
        import tensorflow as tf

        self._trained = trained
        self._read = tf.function(trained.get_metrics_result, autograph=False)
        self._variables: list[Any] = []
        self._fresh: list[Any] = []
        self._note_fresh()

    def read(self) -> dict[str, float]:
        """Return the value of each metric over all batches since the last reset."""
        return {name: float(value) for name, value in self._read().items()}

    def reset(self) -> None:
        """Forget all batches."""
        import tensorflow as tf

        if len(self._list_variables()) != len(self._variables):  # a layer's own, made when called
            self._trained.reset_metrics()
            self._note_fresh()
        for variable, fresh in zip(self._variables, self._fresh, strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=fresh)

    def _note_fresh(self) -> None:
        import tensorflow as tf

        self._variables = self._list_variables()
        self._fresh = [tf.identity(variable.value) for variable in self._variables]

    def _list_variables(self) -> list[Any]:
        return [each for metric in self._trained.metrics for each in metric.variables]


def count_batch(trained: Any, loss: Any, labels: Any, outputs: Any) -> None:
    """Add a batch to the mean of the loss and to the metrics, inside a tf.function.

    Keras's own `compute_metrics` would compute what they come to as well, after each batch.
    """
    import tensorflow as tf

    # The loss's mean, then what the model was compiled with, then what layers count by themselves.
    # A mean over rows: the last batch of an epoch may be smaller.
    trained.metrics[0].update_state(loss, sample_weight=tf.shape(outputs)[0])
    trained.metrics[1].update_state(labels, outputs)
