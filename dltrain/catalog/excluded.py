"""Which names of Keras have no place in a YAML, and why?

`scripts/generate_catalog.py` leaves these out of the table; a config that asks for one gets the
reason instead of "unknown".
"""

from __future__ import annotations

_CODE = "runs Python code and has no place in a YAML"
_BASE = "is a base class that does nothing by itself"
_INPUT = "is not needed: the input's shape comes from the dataset"
_FOREIGN = "wraps a module of another library, which a YAML can't name"

# kind -> Keras's public name -> the end of the sentence that starts with that name.
EXCLUDED: dict[str, dict[str, str]] = {
    "layers": {
        "FlaxLayer": _FOREIGN,
        "Input": _INPUT,
        "InputLayer": _INPUT,
        "InputSpec": "describes an input and is no layer",
        "JaxLayer": _CODE,
        "Lambda": _CODE,
        "Layer": _BASE,
        "TFSMLayer": "loads a program from disk and has no place in a YAML",
        "TorchModuleWrapper": _FOREIGN,
        "Wrapper": _BASE,
    },
    "optimizers": {
        "MultiOptimizer": "assigns optimizers to variables, which a YAML can't name",
        "Optimizer": _BASE,
        "OptimizerMap": "assigns optimizers to variables, which a YAML can't name",
    },
    "losses": {"Loss": _BASE},
    "metrics": {
        "Mean": "averages a stream of values and doesn't compare predictions with labels",
        "MeanMetricWrapper": _CODE,
        "Metric": _BASE,
        "Sum": "adds up a stream of values and doesn't compare predictions with labels",
    },
    "regularizers": {"Regularizer": _BASE},
    "constraints": {"Constraint": _BASE},
    "initializers": {"Initializer": _BASE},
    "activations": {
        "threshold": (
            "needs arguments, which Keras can't save inside another layer; "
            "the layer relu has a threshold of its own"
        ),
    },
    "schedules": {"LearningRateSchedule": _BASE},
    "callbacks": {
        "Callback": _BASE,
        "CallbackList": "holds callbacks together and is no callback",
        "History": "is not needed: every run writes history.csv",
        "LambdaCallback": _CODE,
        "LearningRateScheduler": (
            "takes a Python function and has no place in a YAML; "
            "give optimizer.learning_rate a schedule"
        ),
        "SwapEMAWeights": (
            "is not needed: with use_ema, dltrain validates and keeps the averaged weights"
        ),
        "ProgbarLogger": "is not needed: dltrain shows its own progress",
    },
}


def _key(name: str) -> str:
    return name.replace("_", "").lower()


_BY_KEY = {
    kind: {_key(name): f"{name} {reason}" for name, reason in names.items()}
    for kind, names in EXCLUDED.items()
}


def why_excluded(kind: str, name: str) -> str | None:
    """Return why `name` can't be used, as a sentence without its full stop, or None.

    Case and underscores don't matter: `lambda`, `Lambda` and `tfsm_layer` are all recognised.
    """
    return _BY_KEY.get(kind, {}).get(_key(name))
