"""How is Optuna's study made again from a sweep's own files, for its plots and nothing else?

A plot so needs neither the database that the study may lie in, nor its password.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dltrain.config.sweep import Dimension, Sweep
from dltrain.errors import RunError
from dltrain.runs.history import read_history
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.words import format_short, shorten_names

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

# A longer name of a choice would take the room of what is drawn.
_LONGEST_LABEL = 24


def rebuild_study(paths: SweepPaths, sweep: Sweep, document: Mapping[str, Any]) -> Study:
    """Return a study, in memory, with the trials of what sweep.json holds.

    Trials have their numbers, from 1: Optuna's trial 0 is a failed one, which nothing draws. The
    parameters have short names, and blocks labels, that fit beside an axis. Of one objective the
    values after each epoch are those of the histories; of several there are none.
    """
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(logging.ERROR)
    names = dict(
        zip(
            (each.key for each in sweep.dimensions),
            shorten_names([each.key for each in sweep.dimensions]),
            strict=True,
        )
    )
    distributions = {each.key: _distribute(each) for each in sweep.dimensions}
    study = optuna.create_study(directions=[each.direction for each in sweep.objectives])
    states = {
        "finished": TrialState.COMPLETE,
        "pruned": TrialState.PRUNED,
        "running": TrialState.RUNNING,
    }
    for row in sorted(document["trials"], key=lambda row: row["trial"]):
        while len(study.get_trials(deepcopy=False)) < row["trial"]:
            study.add_trial(create_trial(state=TrialState.FAIL))
        if row["state"] not in states:
            continue
        study.add_trial(_make_trial(row, states[row["state"]], sweep, names, distributions, paths))
    return study


def label_choice(value: Any) -> str:
    """Return what a choice is called beside an axis: `sgd(momentum=0.9)`, cut where it is long."""
    text = format_short(value)
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def list_labels(dimension: Dimension) -> list[Any]:
    """Return the choices as Optuna has them: numbers as they are, else labels, none twice."""
    if all(type(value) in (int, float) for value in dimension.choices):
        return list(dimension.choices)
    types = [value.get("type") for value in dimension.choices if isinstance(value, Mapping)]
    taken = [*types, *dimension.choices]
    labels: list[Any] = []
    for value in dimension.choices:
        label = label_choice(value)
        if isinstance(value, Mapping) and isinstance(value.get("type"), str):
            label = value["type"] if taken.count(value["type"]) == 1 else label
        labels.append(f"{label} ({len(labels) + 1})" if label in labels else label)
    return labels


def _distribute(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if dimension.kind == "choice":
        return CategoricalDistribution(list_labels(dimension))
    low, high = dimension.ends[0], dimension.ends[-1]
    if dimension.kind in ("int", "log_int"):
        step = int(dimension.step or 1)
        return IntDistribution(int(low), int(high), log=dimension.kind == "log_int", step=step)
    log = dimension.kind == "log_uniform"
    return FloatDistribution(float(low), float(high), log=log, step=dimension.step)


def _make_trial(
    row: Mapping[str, Any],
    state: Any,
    sweep: Sweep,
    names: Mapping[str, str],
    distributions: Mapping[str, BaseDistribution],
    paths: SweepPaths,
) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    dimensions = {each.key: each for each in sweep.dimensions}
    found = {}
    for key, value in row["values"].items():
        dimension = dimensions[key]
        if dimension.kind == "choice":
            value = list_labels(dimension)[dimension.choices.index(value)]
        found[key] = value
    values = list(row["results"]) if state == TrialState.COMPLETE else None
    return create_trial(
        state=state,
        values=values,
        params={names[key]: value for key, value in found.items()},
        distributions={names[key]: distributions[key] for key in found},
        intermediate_values=_read_epochs(paths, row, sweep),
    )


def _read_epochs(paths: SweepPaths, row: Mapping[str, Any], sweep: Sweep) -> dict[int, float]:
    """Return the objective after each epoch; what a damaged history has is left out."""
    if len(sweep.objectives) > 1:
        return {}
    metric = sweep.objectives[0].metric
    try:
        history = read_history(paths.trial(row["trial"]).history)
    except RunError:
        return {}
    return {
        int(each["epoch"]): each[metric]
        for each in history
        if metric in each and math.isfinite(each[metric])
    }
