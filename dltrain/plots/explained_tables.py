"""Which columns does a model use? Bars of permutation importance, and of rows' SHAP values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dltrain.plots.canvas import open_canvas
from dltrain.plots.explained_images import AGAINST, FOR, describe_verdict, write_legend
from dltrain.plots.style import FAINT, GRID, INK, RULE, format_number, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dltrain.explanation.explained import ExplainedRow
    from dltrain.explanation.permutation import Importance

_WIDTH = 9.4
_STEP = 0.27
_NAMES = 2.3
_NUMBERS = 1.5

# More columns are in explanations.json.
MOST_COLUMNS = 20
_COLUMNS_OF_A_ROW = 8


def draw_importances(title: str, subtitle: str, importances: Sequence[Importance]) -> Figure:
    """Draw a bar for each of the most important columns, with its spread and its number."""
    shown = importances[:MOST_COLUMNS]
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=len(shown) * _STEP + 0.05)
    low = min(0.0, *(each.mean - each.deviation for each in shown))
    high = max(1e-12, *(each.mean + each.deviation for each in shown))
    place = _Scale(_NAMES, _WIDTH - _NUMBERS, low, high)
    axes.plot([place(0), place(0)], [0, len(shown) * _STEP], color=RULE, linewidth=0.8)
    for number, each in enumerate(shown):
        y = (number + 0.5) * _STEP
        _write_name(axes, each.column, y)
        _draw_bar(axes, place, each.mean, y, FOR if each.mean > 0 else AGAINST)
        ends = [place(each.mean - each.deviation), place(each.mean + each.deviation)]
        axes.plot(ends, [y, y], color=INK, linewidth=1.2)
        text = f"{format_number(each.mean)} ± {format_number(each.deviation)}"
        axes.text(_WIDTH, y, text, va="center", ha="right", fontsize=9, color=INK)
    return figure


def draw_shap(title: str, subtitle: str, rows: Sequence[ExplainedRow]) -> Figure:
    """Draw, for each row, the columns that bring most to its score, the largest first."""
    blocks = [
        sorted(row.columns, key=lambda each: -abs(each[2]))[:_COLUMNS_OF_A_ROW] for row in rows
    ]
    head, gap, legend = 0.3, 0.2, 0.32
    height = legend + sum(head + len(block) * _STEP + gap for block in blocks)
    figure, axes = open_canvas(title, subtitle, width=_WIDTH, height=height)
    columns = len(rows[0].columns)
    facts = f"one scale for all rows · the {len(blocks[0])} strongest of {columns} columns"
    write_legend(axes, facts, of="speaks {} the class" if rows[0].explained else "{} the value")
    values = [value for block in blocks for _, _, value in block]
    low, high = min(0.0, *values), max(1e-12, *values)
    place = _Scale(_NAMES + 1.0, _WIDTH - 1.0, low, high)
    y = legend
    for row, block in zip(rows, blocks, strict=True):
        x = 0.0
        for text, colour in describe_verdict(row, 34):
            axes.text(x, y, text, color=colour, va="top", fontsize=9, fontweight="bold")
            x += 2.3
        axes.text(_WIDTH, y, shorten(row.id, 30), color=FAINT, va="top", ha="right", fontsize=9)
        y += head
        axes.plot([place(0), place(0)], [y, y + len(block) * _STEP], color=GRID, linewidth=0.8)
        for number, (name, shown, value) in enumerate(block):
            middle = y + (number + 0.5) * _STEP
            _write_name(axes, f"{shorten(name, 20)} = {shorten(shown, 14)}", middle)
            _draw_bar(axes, place, value, middle, FOR if value > 0 else AGAINST)
            text = ("+" if value > 0 else "") + format_number(value)
            axes.text(_WIDTH, middle, text, va="center", ha="right", fontsize=9, color=INK)
        y += len(block) * _STEP + gap
    return figure


class _Scale:
    """Lead a value to its place between two places on the canvas, in inches."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.low = left, low
        self.inches = (right - left) / (high - low)

    def __call__(self, value: float) -> float:
        return self.left + (value - self.low) * self.inches


def _write_name(axes: Axes, name: str, y: float) -> None:
    axes.text(0, y, shorten(name, 40), va="center", fontsize=9, color=INK)


def _draw_bar(axes: Axes, place: _Scale, value: float, y: float, colour: str) -> None:
    style: dict[str, Any] = {"height": _STEP * 0.6, "color": colour, "alpha": 0.75}
    axes.barh(y, place(value) - place(0), left=place(0), **style)
