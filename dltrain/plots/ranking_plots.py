"""How are ROC and precision-recall curves drawn? One line a class, its area in the legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dltrain.plots.ranking import ClassRanking, RankingCurves, mean_roc, thin_curve
from dltrain.plots.style import FAINT, INK, RULE, SERIES, VALIDATION, fit_axes, make_figure
from dltrain.plots.subject import NothingToDraw, Subject, name_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to so many classes each has its line; of more, the worst and the best few.
MOST_LINES = 10
WORST = 5
BEST = 3

# From this area on, all that differs is in a corner, which then is shown once more, larger.
_CORNERED = 0.9
_CORNER = 0.2


def draw_roc(subject: Subject) -> Figure:
    """Draw the ROC curves with their areas (AUC): the positive class of two, or one a class."""
    subject.require_classifier("ROC curve")
    ranking = subject.ranking
    known = [each for each in ranking.classes if each.auc is not None]
    _remark_undefined(subject, ranking, "roc", "AUC")
    if not known:
        raise NothingToDraw(
            f"The area under the ROC curve is undefined: all rows of {subject.split} are of one "
            "class."
        )
    known.sort(key=lambda each: each.auc or 0.0)
    chosen, choice = _choose(known)
    figure, axes, top = _open(subject, "ROC curve", ranking, choice)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.text(0.15, 0.1, "chance", color=FAINT, fontsize=8.5)
    curves = []
    names = _name(subject, chosen)
    for position, (each, name) in enumerate(zip(chosen, names, strict=True)):
        assert each.false_positive_rate is not None
        assert each.true_positive_rate is not None
        x, y = thin_curve(each.false_positive_rate, each.true_positive_rate)
        colour = _colour(position, chosen)
        axes.plot(x, y, color=colour, linewidth=1.5, label=f"{name}  {each.auc:.4f}")
        curves.append((x, y, colour, 1.5))
    if len(ranking.classes) > 1:
        x, y = mean_roc(tuple(known))
        label = f"macro average  {ranking.macro_auc:.4f}"
        axes.plot(x, y, color=INK, linewidth=2, linestyle=(0, (1, 1)), label=label)
        curves.append((x, y, INK, 2))
    if min(each.auc or 0.0 for each in chosen) > _CORNERED:
        _enlarge(axes, curves, place=(0.42, 0.08, 0.54, 0.54), x=(0, _CORNER), y=(1 - _CORNER, 1))
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate (recall)")
    _explain(axes, "AUC, lowest first" if len(chosen) > 1 else "AUC")
    fit_axes(figure, top)
    return figure


def draw_precision_recall(subject: Subject) -> Figure:
    """Draw the precision-recall curves with their average precisions (AP)."""
    subject.require_classifier("precision-recall curve")
    ranking = subject.ranking
    known = [each for each in ranking.classes if each.average_precision is not None]
    _remark_undefined(subject, ranking, "precision_recall", "average precision")
    if not known:
        raise NothingToDraw(
            f"The precision-recall curve is undefined: the positive class has no rows in "
            f"{subject.split}."
        )
    known.sort(key=lambda each: each.average_precision or 0.0)
    chosen, choice = _choose(known)
    figure, axes, top = _open(subject, "Precision-recall curve", ranking, choice)
    curves = []
    names = _name(subject, chosen)
    for position, (each, name) in enumerate(zip(chosen, names, strict=True)):
        assert each.recall is not None
        assert each.precision is not None
        # A step holds the precision of the next threshold, as average precision counts it.
        x, y = thin_curve(*_step(each.recall, each.precision))
        colour = _colour(position, chosen)
        label = f"{name}  {each.average_precision:.4f}"
        axes.plot(x, y, color=colour, linewidth=1.5, label=label)
        curves.append((x, y, colour, 1.5))
    if len(ranking.classes) > 1:
        label = f"macro average  {ranking.macro_average_precision:.4f}"
        axes.plot([], [], linestyle="none", label=label)
    else:
        share = known[0].positives / ranking.rows
        axes.axhline(share, color=RULE, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.text(0.02, share + 0.015, f"chance: {share:.3f}", color=FAINT, fontsize=8.5)
    if min(each.average_precision or 0.0 for each in chosen) > _CORNERED:
        _enlarge(
            axes, curves, place=(0.06, 0.08, 0.54, 0.54), x=(1 - _CORNER, 1), y=(1 - _CORNER, 1)
        )
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    _explain(axes, "AP, lowest first" if len(chosen) > 1 else "AP (average precision)")
    fit_axes(figure, top)
    return figure


def _choose(known: list[ClassRanking]) -> tuple[list[ClassRanking], str]:
    """Return the classes that have a line, of `known` from the worst to the best; say which."""
    if len(known) <= MOST_LINES:
        return known, ""
    chosen = [*known[:WORST], *known[-BEST:]]
    return chosen, f"the {WORST} worst and {BEST} best of {len(known):,} classes"


def _remark_undefined(subject: Subject, ranking: RankingCurves, plot: str, number: str) -> None:
    """Say which classes have no curve, unless none has."""
    missing = [
        each
        for each in ranking.classes
        if (each.auc if plot == "roc" else each.average_precision) is None
    ]
    if missing and len(missing) < len(ranking.classes):
        names = _name(subject, missing[:5])
        more = ", …" if len(missing) > 5 else ""
        subject.remarks.append(
            f"{plot}: {len(missing)} of {len(ranking.classes)} classes have no rows in "
            f"{subject.split} ({', '.join(names)}{more}): their {number} is undefined."
        )


def _name(subject: Subject, classes: list[ClassRanking]) -> list[str]:
    names = subject.predictions.class_names
    return name_classes([names[each.index] for each in classes])


def _colour(position: int, chosen: list[ClassRanking]) -> str:
    return SERIES[position % len(SERIES)] if len(chosen) > 1 else VALIDATION


def _open(
    subject: Subject, title: str, ranking: RankingCurves, choice: str
) -> tuple[Figure, Axes, float]:
    if len(ranking.classes) == 1:
        positive = name_classes([subject.predictions.class_names[1]])[0]
        facts = [f"positive class: {positive}"]
    else:
        facts = [choice or "each class against the others"]
    figure, top = make_figure(title, subject.describe(*facts), width=9.0, height=6.4)
    axes = figure.add_subplot()
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", anchor="W")
    return figure, axes, top


def _explain(axes: Axes, heading: str) -> None:
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        title=heading,
        alignment="left",
        handlelength=1.4,
        borderaxespad=0,
    )
    legend.get_title().set_color(FAINT)


def _step(
    recall: NDArray[np.float64], precision: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a curve of steps, each at the precision of its right end."""
    return np.repeat(recall, 2)[:-1], np.repeat(precision, 2)[1:]


def _enlarge(
    axes: Axes,
    curves: list[tuple[NDArray[np.float64], NDArray[np.float64], str, float]],
    *,
    place: tuple[float, float, float, float],
    x: tuple[float, float],
    y: tuple[float, float],
) -> None:
    """Draw the corner where the lines are once more, in a window within the axes."""
    inset = axes.inset_axes(place)
    for xs, ys, colour, width in curves:
        style = (0, (1, 1)) if colour == INK else "solid"
        inset.plot(xs, ys, color=colour, linewidth=width, linestyle=style)
    inset.set(xlim=x, ylim=y)
    inset.set_xticks(np.linspace(*x, 3))
    inset.set_yticks(np.linspace(*y, 3))
    inset.tick_params(labelsize=8)
    for spine in inset.spines.values():
        spine.set_visible(True)
    axes.indicate_inset_zoom(inset, edgecolor=FAINT, alpha=0.4)
