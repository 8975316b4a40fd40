"""From a RunConfig to a Keras model: layers, loss, optimizer, metrics, summary."""
