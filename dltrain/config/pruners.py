"""Which trials of a sweep does `sweep.pruner` stop early? Optuna's pruners, and their arguments.

The rules: Golovin et al. 2017, "Google Vizier", doi:10.1145/3097983.3098043, for the median; Li et
al. 2018, arXiv:1810.05934, for successive halving; Li et al. 2016, arXiv:1603.06560, for Hyperband.
"""

from __future__ import annotations

from dltrain.catalog.rules import Rule, choice, either, number, whole
from dltrain.config.methods import Methods
from dltrain.config.paths import Path

PATH: Path = ("sweep", "pruner")

_LEVEL = (
    ("n_startup_trials", whole(0), 5),
    ("n_warmup_steps", whole(0), 0),
    ("interval_steps", whole(1), 1),
    ("n_min_trials", whole(1), 1),
)
_BELOW: dict[str, tuple[Rule, object]] = {name: (rule, value) for name, rule, value in _LEVEL}

PRUNERS: Methods = {
    "none": {},
    "median": _BELOW,
    "percentile": {"percentile": (number(at_least=0, at_most=100), 25.0), **_BELOW},
    "hyperband": {
        "min_resource": (whole(1), 1),
        "reduction_factor": (whole(2), 3),
        "bootstrap_count": (whole(0), 0),
    },
    "successive_halving": {
        "min_resource": (either(whole(1), choice("auto")), "auto"),
        "reduction_factor": (whole(2), 4),
        "min_early_stopping_rate": (whole(0), 0),
        "bootstrap_count": (whole(0), 0),
    },
}
"""Optuna's arguments and defaults (percentile's is the quarter that goes on); a step is an epoch.

Hyperband's `max_resource` is the number of epochs.
"""
