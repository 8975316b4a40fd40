"""Which of Optuna's samplers and pruners is meant, and what does a dimension become there?"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dltrain.config.schema import Spec
from dltrain.config.sweep import Dimension, Sweep
from dltrain.errors import MachineError

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

# The attribute of a trial in the storage that holds its number from 1. Optuna's own number counts
# trials too that were killed while they were made.
NUMBER = "dltrain:trial"

# What Optuna needs for these, and doesn't bring.
_NEEDS = {"gp": "torch", "cma_es": "cmaes"}


def refuse_missing(method: str) -> None:
    """Raise MachineError if `method` needs a package that isn't installed."""
    package = _NEEDS.get(method)
    if package is not None and importlib.util.find_spec(package) is None:
        raise MachineError(
            f"sweep.method {method} needs the package {package}, which isn't installed.",
            hint=f"Install it with pip install {package}, or take `method: bayesian`.",
        )


def make_sampler(sweep: Sweep, *, trial: int, fixed: Mapping[str, Any] | None) -> BaseSampler:
    """Return the sampler of trial `trial` (from 1); of a grid, `fixed` are the point's values.

    Each trial has a sampler, and a stream of random numbers, of its own: what it suggests depends
    on the seed, its number and the trials before, not on when the process was started.
    """
    from optuna import samplers

    if fixed is not None:
        return _make_fixed(fixed)
    state = np.random.SeedSequence((sweep.seed, trial)).generate_state(1)
    seed = int(state[0] % 2**31)
    match sweep.method:
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "gp":
            return samplers.GPSampler(seed=seed)
        case "cma_es":
            return samplers.CmaEsSampler(seed=seed)
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed)
    return samplers.TPESampler(seed=seed)


def make_pruner(spec: Spec, *, epochs: int) -> BasePruner:
    """Return the pruner that a sweep names; its steps are epochs.

    What it says depends on the study alone, never on when this process was started.
    """
    from optuna import pruners

    arguments = {name: value for name, value in spec.items() if name != "type"}
    match spec["type"]:
        case "median":
            return pruners.MedianPruner(**arguments)
        case "percentile":
            return pruners.PercentilePruner(**arguments)
        case "hyperband":
            return _make_hyperband(epochs, arguments)
        case "successive_halving":
            if arguments.get("min_resource", "auto") == "auto":
                # Optuna's own choice, but not by the trials that happen to have ended.
                arguments["min_resource"] = max(1, epochs // 100)
            return pruners.SuccessiveHalvingPruner(**arguments)
    return pruners.NopPruner()


def _make_hyperband(epochs: int, arguments: Mapping[str, Any]) -> BasePruner:
    from optuna.pruners import HyperbandPruner

    class Hyperband(HyperbandPruner):
        """Share trials out to brackets by the sweep's number of them, from the first one on."""

        def _get_bracket_id(self, study: Any, trial: Any) -> int:
            if NUMBER in trial.user_attrs:
                trial = SimpleNamespace(number=trial.user_attrs[NUMBER] - 1)
            return super()._get_bracket_id(study, trial)

    pruner = Hyperband(max_resource=epochs, **arguments)
    pruner._try_initialization(cast(Any, None))  # it looks at no study: `max_resource` is given
    return pruner


def suggest(trial: Trial, dimension: Dimension) -> Any:
    """Return the value of `dimension` that the trial's sampler chooses."""
    key, kind = dimension.key, dimension.kind
    if kind == "choice":
        labels = label_choices(dimension)
        return dimension.choices[labels.index(trial.suggest_categorical(key, labels))]
    low, high = dimension.ends
    if kind in ("int", "log_int"):
        step = 1 if dimension.step is None else int(dimension.step)
        return trial.suggest_int(key, int(low), int(high), step=step, log=kind == "log_int")
    step_size = dimension.step
    return trial.suggest_float(key, low, high, step=step_size, log=kind == "log_uniform")


def label_choices(dimension: Dimension) -> list[Any]:
    """Return what the choices are called in Optuna, which knows plain values only."""
    if all(value is None or isinstance(value, (str, int, float)) for value in dimension.choices):
        return list(dimension.choices)
    return [json.dumps(value, sort_keys=True) for value in dimension.choices]


def _make_fixed(values: Mapping[str, Any]) -> BaseSampler:
    from optuna.samplers import BaseSampler

    class Fixed(BaseSampler):
        """Suggest the values of one point of a grid."""

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(
            self, study: Any, trial: Any, param_name: str, param_distribution: Any
        ) -> Any:
            return values[param_name]

    return Fixed()
