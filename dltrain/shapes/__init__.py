"""What does each layer make of its input? Shapes, parameters and work, without TensorFlow."""
