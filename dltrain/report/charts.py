"""What does a chart of a page consist of? A Vega-Lite specification, and the same as a table.

The specification is drawn by templates/charts.js; who can't see it, or has no JavaScript, has the
table. Colours and lines are chosen so that they show on white and on dark, and without colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# "reference" is a thin line to compare with; "told" stands in the tooltip and the table alone.
Kind = Literal["line", "points", "reference", "told"]

# Each has a contrast of at least 3:1 on white and on the dark page (WCAG 2.2, 1.4.11).
COLOURS = (
    "#3b7dd8",
    "#d9690f",
    "#2f9a48",
    "#a35bd6",
    "#dc3a45",
    "#0c8a9e",
    "#a27a00",
    "#d6489a",
    "#7a7f87",
    "#7c6a4d",
)
# A line of at most so many values shows them as points too.
_FEW = 60

# So many lines have a layer each.
_MOST_LAYERS = 3

# What tells lines apart in a copy without colour, or to an eye that sees them alike.
_DASHES: tuple[list[int], ...] = ([], [6, 3], [2, 2], [8, 3, 2, 3])


@dataclass(frozen=True)
class Series:
    """Hold one line, or one set of points: its value at each `x` of the chart, None for none."""

    name: str
    values: Sequence[float | None]
    kind: Kind = "line"


@dataclass(frozen=True)
class Axis:
    """Say what an axis shows; `domain` is its ends, where they don't follow from the values.

    Without a title there is none beside the axis: the chart's own says it.
    """

    title: str = ""
    scale: Literal["linear", "log", "whole"] = "linear"
    domain: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart:
    """Hold what a template needs for a chart; `name` is unique within its page.

    `summary` says in a sentence what the chart shows, for who can't see it. `rows` are the
    numbers, a column for each of `columns`. `legend` names the lines, in HTML: long names wrap.
    """

    name: str
    title: str
    summary: str
    specification: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[float | None]]
    legend: Sequence[Mapping[str, str]] = ()
    note: str = ""


def make_chart(
    name: str,
    title: str,
    *,
    x: Axis,
    y: Axis,
    xs: Sequence[float],
    series: Sequence[Series],
    summary: str,
    note: str = "",
    mark: tuple[float, str] | None = None,
) -> Chart:
    """Return a chart of `series` over `xs`; hovering shows all values at the nearest x.

    `mark` is an x and a short text: a vertical line there, such as the best epoch.
    """
    columns = [_round_all(xs), *(_round_all(one.values) for one in series)]
    rows = list(zip(*columns, strict=True))
    records = [
        {"x": row[0], **{f"y{i}": value for i, value in enumerate(row[1:]) if value is not None}}
        for row in rows
    ]
    lines = [index for index, one in enumerate(series) if one.kind == "line"]
    others = [index for index, one in enumerate(series) if one.kind not in ("line", "told")]
    layers = [_draw(index, series[index], y) for index in others]
    if len(lines) > _MOST_LAYERS:
        layers.append(_draw_together(lines, y))
    else:
        layers += [_draw(index, series[index], y) for index in lines]
    if mark is not None:
        in_right_half = 2 * mark[0] > min(xs) + max(xs)
        layers.insert(0, _draw_mark(*mark, to_the_left=in_right_half))
    layers.append(_draw_hover(x, series))
    specification: dict[str, Any] = {
        "data": {"values": records},
        "encoding": {"x": _encode_axis("x", x)},
        "layer": layers,
        "description": summary,
    }
    return Chart(
        name=name,
        title=title,
        summary=summary,
        specification=specification,
        columns=[x.title, *(one.name for one in series)],
        rows=rows,
        legend=_make_legend(series),
        note=note,
    )


def _draw(index: int, series: Series, y: Axis) -> dict[str, Any]:
    """Return the layer of one series."""
    marks: dict[Kind, dict[str, Any]] = {
        "line": {
            "type": "line",
            "strokeWidth": 2,
            "strokeDash": _DASHES[index % len(_DASHES)],
            # A single epoch has no line: its point is all there is to see.
            "point": {"size": 24, "aria": False} if len(series.values) <= _FEW else False,
        },
        "points": {"type": "point", "filled": True, "size": 16, "opacity": 0.5},
        "reference": {"type": "line", "strokeWidth": 1, "strokeDash": [4, 4], "opacity": 0.7},
    }
    encoding = {
        "y": {"field": f"y{index}", **_encode_axis("y", y)},
        "color": {"value": choose_colour(index, series)},
    }
    return {"mark": {**marks[series.kind], "aria": False}, "encoding": encoding}


def _draw_together(lines: Sequence[int], y: Axis) -> dict[str, Any]:
    """Return one layer for many lines: a layer each takes Vega-Lite several times as long."""
    fields = [f"y{index}" for index in lines]
    colours = [COLOURS[index % len(COLOURS)] for index in lines]
    dashes = [_DASHES[index % len(_DASHES)] or [1, 0] for index in lines]

    def by_line(values: Sequence[Any]) -> dict[str, Any]:
        scale = {"domain": fields, "range": values}
        return {"field": "line", "type": "nominal", "legend": None, "scale": scale}

    return {
        "transform": [{"fold": fields, "as": ["line", "value"]}],
        "mark": {"type": "line", "strokeWidth": 2, "aria": False},
        "encoding": {
            "y": {"field": "value", **_encode_axis("y", y)},
            "color": by_line(colours),
            "strokeDash": by_line(dashes),
        },
    }


def _make_legend(series: Sequence[Series]) -> list[dict[str, str]]:
    """Return name, colour and dashes of each line; none where the title says what it is."""
    shown = [(index, one) for index, one in enumerate(series) if one.kind != "told"]
    if len(shown) < 2:
        return []
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "colour": choose_colour(index, one),
            "dashes": " ".join(map(str, _DASHES[index % len(_DASHES)])),
        }
        for index, one in shown
    ]


def choose_colour(index: int, series: Series) -> str:
    """Return the colour of the series at `index` of its chart."""
    return "currentColor" if series.kind == "reference" else COLOURS[index % len(COLOURS)]


def _draw_mark(at: float, text: str, *, to_the_left: bool) -> dict[str, Any]:
    """Return a vertical line at `at` with its text beside it."""
    place = {"align": "right", "dx": -4} if to_the_left else {"align": "left", "dx": 4}
    shared = {"opacity": 0.7, "color": "currentColor", "aria": False}
    rule = {**shared, "type": "rule", "strokeDash": [3, 3]}
    label = {**shared, "type": "text", "text": text, "fontSize": 11, **place}
    no_colour = {"color": {"value": "currentColor"}}
    return {
        # Data of its own: otherwise there would be one for every row.
        "data": {"values": [{"x": at}]},
        "layer": [
            {"mark": rule, "encoding": no_colour},
            # Above the drawing, where no line can cross it.
            {"mark": label, "encoding": {**no_colour, "y": {"value": -7}}},
        ],
    }


def _draw_hover(x: Axis, series: Sequence[Series]) -> dict[str, Any]:
    """Return an invisible rule a row; the one nearest to the pointer shows, with a tooltip."""
    tooltip = [{"field": "x", "type": "quantitative", "title": x.title, "format": ".4~g"}]
    tooltip += [
        {"field": f"y{index}", "type": "quantitative", "title": name, "format": ".4~g"}
        for index, name in enumerate(_name_lines(series))
    ]
    return {
        "params": [
            {
                "name": "hover",
                "select": {
                    "type": "point",
                    "fields": ["x"],
                    "nearest": True,
                    "on": "pointerover",
                    "clear": "pointerout",
                },
            }
        ],
        "mark": {"type": "rule", "aria": False, "strokeWidth": 1},
        "encoding": {
            "color": {"value": "currentColor"},
            "opacity": {"condition": {"param": "hover", "empty": False, "value": 0.5}, "value": 0},
            "tooltip": tooltip,
        },
    }


def _name_lines(series: Sequence[Series]) -> list[str]:
    """Return the names as vega-tooltip takes them: all different, and none that it acts on.

    It shows `image` as a picture and `title` as a heading; classes may be called so.
    """
    names: list[str] = []
    for one in series:
        name = f"{one.name} " if one.name in ("image", "title") else one.name
        while name in names:
            name += " "
        names.append(name)
    return names


def _encode_axis(channel: str, axis: Axis) -> dict[str, Any]:
    scale: dict[str, Any] = {"zero": False, "nice": axis.scale != "whole"}
    options: dict[str, Any] = {"title": axis.title or None}
    if axis.scale == "log":
        scale = {"type": "log"}
        options["tickCount"] = 5
    if axis.scale == "whole":
        options |= {"tickMinStep": 1, "format": "d"}
    if axis.domain is not None:
        scale |= {"domain": list(axis.domain), "nice": False}
    field = {"field": "x"} if channel == "x" else {}
    return {**field, "type": "quantitative", "scale": scale, "axis": options}


def _round_all(values: Sequence[float | None]) -> list[float | None]:
    """Return six digits of each value, more than anyone reads off; None for NaN and infinities."""
    return [
        None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
        for value in values
    ]
