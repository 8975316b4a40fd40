"""Which of Optuna's plots can be drawn of a sweep, what does each show, and why not another?"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dltrain.config.sweep import Objective, Sweep
from dltrain.errors import MachineError

if TYPE_CHECKING:
    from optuna.study import Study

# A matrix of more would have cells too small to see anything in.
MOST_CONTOURS = 4

# Pixels that a column of a plot needs; where the screen has less, the plot scrolls.
_SLICE_WIDTH, _CONTOUR_SIDE, _AXIS_WIDTH = 190, 190, 120

_HEIGHT = 420


@dataclass(frozen=True)
class SweepPlot:
    """One plot of the page: a figure of Plotly, fit for JSON, or why there is none in `missing`.

    `shows` is the sentence that tells how to read it. `width` are the pixels that it needs at
    least, 0 where any will do.
    """

    name: str
    title: str
    shows: str
    figure: Mapping[str, Any] | None = None
    missing: str = ""
    width: int = 0
    height: int = _HEIGHT


def refuse_missing_plotly() -> None:
    """Raise MachineError if Plotly isn't installed."""
    if not has_plotly():
        raise MachineError(
            "Optuna's plots need the package plotly, which isn't installed.",
            hint="pip install 'dltrain[plotly]'",
        )


def has_plotly() -> bool:
    """Tell whether Plotly is installed."""
    return find_spec("plotly") is not None


def draw_plots(study: Study, sweep: Sweep) -> list[SweepPlot]:
    """Return Optuna's plots of a study that `rebuild_study` made, in the page's order.

    Of several objectives the first is drawn where one plot shows one. Needs Plotly.
    """
    from optuna.trial import TrialState

    finished = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    with warnings.catch_warnings():
        # That samples are few, or a function new: the page says the one, and the other is ours.
        warnings.simplefilter("ignore")
        return [
            *_draw_front(study, sweep, finished),
            *_draw_histories(study, sweep, finished),
            _draw_epochs(study, sweep),
            *_draw_importances(study, sweep, finished),
            _draw_parallel(study, sweep, finished),
            _draw_slices(study, sweep, finished),
            _draw_contour(study, sweep, finished),
        ]


def _draw_front(study: Study, sweep: Sweep, finished: int) -> list[SweepPlot]:
    from optuna.visualization import plot_pareto_front

    count = len(sweep.objectives)
    if count == 1:
        return []
    names = [each.metric for each in sweep.objectives]
    plot = SweepPlot(
        "front",
        "Pareto front",
        "Each point is a trial. The red ones are the front: no other beats them in every "
        "objective. Which of them is best depends on what an objective is worth to you.",
    )
    reason = _lacks(finished, 1)
    if count > 2:
        reason = f"there are {count} objectives, and a page shows two."
    return [_fill(plot, reason, lambda: plot_pareto_front(study, target_names=names))]


def _draw_histories(study: Study, sweep: Sweep, finished: int) -> list[SweepPlot]:
    from optuna.visualization import plot_optimization_history

    several = len(sweep.objectives) > 1
    # Optuna knows which way is better of a single objective only.
    line = (
        " The line is the best so far: where it has long been flat, more trials of this kind are "
    )
    line += "likely to bring little."
    plots = []
    for place, objective in enumerate(sweep.objectives):
        plot = SweepPlot(
            f"history-{place}",
            f"History of {objective.metric}" if several else "History",
            f"Each point is a finished trial and its {objective.metric}, "
            f"{_say_direction(objective)}.{'' if several else line}",
        )
        draw = partial(
            plot_optimization_history,
            study,
            target=_take(place) if several else None,
            target_name=objective.metric,
        )
        plots.append(_fill(plot, _lacks(finished, 1), draw))
    return plots


def _draw_epochs(study: Study, sweep: Sweep) -> SweepPlot:
    from optuna.visualization import plot_intermediate_values

    metric = sweep.objectives[0].metric
    plot = SweepPlot(
        "epochs",
        "Values by epoch",
        f"Each line is a trial and its {metric} after every epoch. One that ends early was pruned, "
        "or stopped by itself.",
    )
    reason = ""
    if len(sweep.objectives) > 1:
        reason = "trials with several objectives are not judged by their epochs."
    elif not any(each.intermediate_values for each in study.get_trials(deepcopy=False)):
        reason = "no trial has an epoch behind it."

    def draw() -> Any:
        figure = plot_intermediate_values(study)
        figure.update_layout(xaxis_title="epoch", yaxis_title=metric)
        return figure

    return _fill(plot, reason, draw)


def _draw_importances(study: Study, sweep: Sweep, finished: int) -> list[SweepPlot]:
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
    from optuna.visualization import plot_param_importances

    objective = sweep.objectives[0]
    about = objective.metric
    sign = 1 if objective.direction == "minimize" else -1
    reason = _lacks(finished, 2) or _all_the_same(study)
    spread = SweepPlot(
        "importance",
        "Importance",
        f"How much of the differences of {about} between the trials each value explains (fANOVA, "
        "Hutter et al. 2014). With few trials this is a rough guess.",
    )
    best = SweepPlot(
        "importance-best",
        "Importance among the best",
        f"How much each value decides whether a trial is among the best tenth by {about} (PED-"
        "ANOVA, Watanabe et al. 2023). A value can matter overall and little among the best, "
        "once it is about right.",
    )
    always, others = _split_parameters(study)
    if others:
        spread = replace(
            spread,
            shows=f"{spread.shows} Left out, as they vary in some trials only: "
            f"{', '.join(others)}.",
        )
    lone = "" if always else "no value varies in every trial."

    def draw(evaluator: Any, params: list[str] | None, target: Callable[[Any], float]) -> Any:
        figure = plot_param_importances(study, evaluator=evaluator, params=params, target=target)
        figure.update_xaxes(title="share")
        figure.update_yaxes(title="", automargin=True)
        return figure

    draw_spread = partial(draw, FanovaImportanceEvaluator(seed=0), always, _take(0))
    # It asks what makes a target small.
    draw_best = partial(
        draw, PedAnovaImportanceEvaluator(), None, lambda trial: sign * float(trial.values[0])
    )

    bars = max(1, len(always) + len(others))
    height = 130 + 30 * bars
    return [
        _fill(replace(spread, height=height), reason or lone, draw_spread),
        _fill(replace(best, height=height), reason, draw_best),
    ]


def _draw_parallel(study: Study, sweep: Sweep, finished: int) -> SweepPlot:
    from optuna.visualization import plot_parallel_coordinate

    objective = sweep.objectives[0]
    plot = SweepPlot(
        "parallel",
        "Parallel coordinates",
        f"Each line is a finished trial, from its {objective.metric} on the left through each of "
        "its values; the darker, the better. Where dark lines meet, a value is good.",
        width=_AXIS_WIDTH * (1 + len(sweep.dimensions)),
        height=480,
    )

    def draw() -> Any:
        return plot_parallel_coordinate(study, target=_target(sweep), target_name=objective.metric)

    return _fill(plot, _lacks(finished, 1), draw)


def _draw_slices(study: Study, sweep: Sweep, finished: int) -> SweepPlot:
    from optuna.visualization import plot_slice

    metric = sweep.objectives[0].metric
    plot = SweepPlot(
        "slice",
        "Slices",
        f"A panel for each value that varies: every finished trial's {metric} over it. Dark points "
        "are later trials: where they gather, the search expected the best.",
        width=90 + _SLICE_WIDTH * len(sweep.dimensions),
    )

    def draw() -> Any:
        figure = plot_slice(study, target=_target(sweep), target_name=metric)
        figure.update_layout(width=None)
        return figure

    return _fill(plot, _lacks(finished, 1), draw)


def _draw_contour(study: Study, sweep: Sweep, finished: int) -> SweepPlot:
    from optuna.visualization import plot_contour

    metric = sweep.objectives[0].metric
    chosen = _choose_contours(study, sweep)
    plot = SweepPlot(
        "contour",
        "Contours",
        f"How {metric} depends on two values at a time, as guessed between the trials (points)."
        + (
            f" Of the {len(sweep.dimensions)} values these are the most important."
            if len(sweep.dimensions) > len(chosen) > 0
            else ""
        ),
        width=160 + _CONTOUR_SIDE * max(2, len(chosen)),
        height=max(_HEIGHT, 100 + _CONTOUR_SIDE * len(chosen)),
    )
    reason = _lacks(finished, 2)
    if not reason and len(chosen) < 2:
        reason = "fewer than two values took several values in the finished trials."

    def draw() -> Any:
        return plot_contour(study, params=chosen, target=_target(sweep), target_name=metric)

    return _fill(plot, reason, draw)


def _choose_contours(study: Study, sweep: Sweep) -> list[str]:
    """Return the parameters of the contour plot, the most important first."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    trials = _list_finished(study)
    seen: dict[str, set[Any]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            seen.setdefault(name, set()).add(value)
    names = [name for name, values in seen.items() if len(values) > 1]
    if len(names) <= MOST_CONTOURS or _all_the_same(study):
        return names[:MOST_CONTOURS]
    sign = 1 if sweep.objectives[0].direction == "minimize" else -1
    ranked = get_param_importances(
        study,
        evaluator=PedAnovaImportanceEvaluator(),
        target=lambda trial: sign * trial.values[0],
    )
    return [name for name in ranked if name in names][:MOST_CONTOURS]


def _fill(plot: SweepPlot, reason: str, draw: Callable[[], Any]) -> SweepPlot:
    """Return the plot with its figure, or with the reason why there is none."""
    if reason:
        return replace(plot, missing=reason)
    figure = draw()
    # The page has the headings, and one look for all.
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    figure.update_layout(title=None, template="none", font_size=12, legend=legend)
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(zeroline=False)
    # By way of its JSON, in which what isn't finite is null.
    return replace(plot, figure=json.loads(figure.to_json(engine="json")))


def _say_direction(objective: Objective) -> str:
    return "the less the better" if objective.direction == "minimize" else "the more the better"


def _target(sweep: Sweep) -> Callable[[Any], float] | None:
    """Return what takes the first of several objectives; None where there is one."""
    return _take(0) if len(sweep.objectives) > 1 else None


def _take(place: int) -> Callable[[Any], float]:
    return lambda trial: float(trial.values[place])


def _lacks(finished: int, needed: int) -> str:
    if finished >= needed:
        return ""
    counts = {0: "no trial has finished", 1: "one trial has finished"}
    return f"{counts[finished]}, and it needs {'one' if needed == 1 else 'two'}."


def _all_the_same(study: Study) -> str:
    values = {trial.values[0] for trial in _list_finished(study)}
    return "all trials gave the same." if len(values) < 2 else ""


def _list_finished(study: Study) -> Sequence[Any]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _split_parameters(study: Study) -> tuple[list[str], list[str]]:
    """Return the parameters of every finished trial, and those of some only."""
    trials = _list_finished(study)
    names: Mapping[str, None] = dict.fromkeys(name for trial in trials for name in trial.params)
    always = [name for name in names if all(name in trial.params for trial in trials)]
    return always, [name for name in names if name not in always]
