"""Train, evaluate and compare Keras models described in one YAML file."""

__version__ = "0.1.0"
