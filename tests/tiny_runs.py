"""What do the tests that train share? Small configs, and what a command line gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONFIG: dict[str, Any] = {
    "name": "tiny",
    "seed": 3,
    "dataset": {"name": "digits", "validation_split": 0.2},
    "model": {
        "layers": [
            "flatten",
            {"type": "dense", "units": 16, "activation": "relu"},
            {"type": "dropout", "rate": 0.2},
            {"type": "dense", "units": 10},
        ]
    },
    "loss": "cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "metrics": ["accuracy"],
    "training": {"batch_size": 64, "epochs": 3, "monitor": "val_accuracy"},
}

# 40 rows of three numbers: a training of this takes a second.
REGRESSION: dict[str, Any] = {
    "name": "line",
    "seed": 3,
    "dataset": {
        "name": "synthetic_regression",
        "rows": 64,
        "features": 3,
        "validation_split": 0.25,
    },
    "model": {"layers": [{"type": "dense", "units": 1}]},
    "optimizer": {"type": "sgd", "learning_rate": 0.05},
    "training": {"batch_size": 10, "epochs": 3},
}


@dataclass(frozen=True)
class Result:
    """What a command line gave: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return stdout, which must be one JSON document."""
        return json.loads(self.out)


def change(config: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return `config` with dotted keys (`training__epochs=1`) set to other values."""
    changed = json.loads(json.dumps(config))
    for dotted, value in changes.items():
        *sections, key = dotted.split("__")
        holder = changed
        for section in sections:
            holder = holder.setdefault(section, {})
        holder[key] = value
    return changed
