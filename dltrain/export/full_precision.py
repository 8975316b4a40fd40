"""How is a model of mixed precision computed in float32? With the same weights, which are float32.

ONNX's and LiteRT's runtimes have few operations of bfloat16.
"""

from __future__ import annotations

from typing import Any


def to_full_precision(model: Any) -> Any:
    """Return the Keras model with all its layers in float32; one that is already comes back."""
    config = model.get_config()
    changed = _replace_policies(config)
    if changed == config:
        return model
    copy = type(model).from_config(changed)
    copy.set_weights(model.get_weights())
    return copy


def _replace_policies(config: Any) -> Any:
    """Return a config of Keras with `float32` wherever it names a policy of mixed precision."""
    if isinstance(config, dict):
        is_policy = config.get("class_name") == "DTypePolicy"
        if is_policy and str(config.get("config", {}).get("name")).startswith("mixed_"):
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _replace_policies(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_replace_policies(value) for value in config)
    return config
