"""Are the pruners of the table Optuna's own, with its arguments and its defaults?"""

import inspect
from typing import Any

import pytest
from optuna import pruners

from dltrain.config.pruners import PRUNERS
from dltrain.sweep.samplers import make_pruner

CLASSES = {
    "median": pruners.MedianPruner,
    "percentile": pruners.PercentilePruner,
    "hyperband": pruners.HyperbandPruner,
    "successive_halving": pruners.SuccessiveHalvingPruner,
}
OURS = {"hyperband": {"max_resource"}, "percentile": {"percentile"}}
"""Arguments that dltrain sets itself, or has a default for."""


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_are_those_of_optuna(name: str) -> None:
    signature = inspect.signature(CLASSES[name])
    theirs: dict[str, Any] = {
        key: each.default
        for key, each in signature.parameters.items()
        if key not in OURS.get(name, ())
    }
    ours = {key: default for key, (_, default) in PRUNERS[name].items()}

    assert {key: value for key, value in ours.items() if key not in OURS.get(name, ())} == theirs


@pytest.mark.parametrize("name", CLASSES)
def test_a_pruner_is_made_with_what_the_config_says(name: str) -> None:
    arguments = {key: default for key, (_, default) in PRUNERS[name].items()}
    changed = next(key for key in arguments if type(arguments[key]) is int)
    made = make_pruner({"type": name, **arguments, changed: 7}, epochs=10)

    assert isinstance(made, CLASSES[name])
    assert vars(made)[f"_{changed}"] == 7


def test_a_sweep_without_a_pruner_stops_nothing() -> None:
    assert type(make_pruner({"type": "none"}, epochs=10)) is pruners.NopPruner
