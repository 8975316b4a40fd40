"""Which piece of a config shows how a component is written?"""

from __future__ import annotations

from dltrain.catalog.components import Component
from dltrain.config.placement import is_augmentation


def place_example(component: Component, written: str) -> str:
    """Return a piece of a config that names `component`, as `written` or by its bare name."""
    value = written or component.name
    match component.kind:
        case "layers" if is_augmentation(component.name):
            return f"dataset:\n  augment:\n    - {value}"
        case "layers":
            return f"model:\n  layers:\n    - {value}"
        case "optimizers":
            return f"optimizer: {value}"
        case "losses":
            return f"loss: {value}"
        case "metrics":
            return f"metrics: [{value}]"
        case "schedules":
            return f"optimizer: {{type: sgd, learning_rate: {value}}}"
        case "callbacks":
            return f"training: {{callbacks: [{value}]}}"
    argument = {
        "activations": "activation",
        "regularizers": "kernel_regularizer",
        "constraints": "kernel_constraint",
        "initializers": "kernel_initializer",
    }[component.kind]
    return f"model:\n  layers:\n    - {{type: dense, units: 64, {argument}: {value}}}"
