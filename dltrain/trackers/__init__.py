"""Where else a run is recorded: TensorBoard, MLflow, Weights & Biases."""
