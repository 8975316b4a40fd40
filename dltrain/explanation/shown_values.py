"""How does a person read what a column of a table holds in a row? From the features made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from numpy.typing import NDArray

from dltrain.catalog.datasets import Feature

_MISSING = "missing"


def show_value(row: NDArray[Any], made: Mapping[int, Feature], words: Sequence[str]) -> str:
    """Return the number, the category, the date, or the known words of a text.

    `made` are the features of one column by their places in `row` `(features,)`. `words` are those
    that the run knows of the column, in the order of their features. What can't be known any more
    is a number that was missing, where no training row lacked it: its median stands there.
    """
    kinds = {feature.kind for feature in made.values()}
    if any(row[place] > 0 for place, feature in made.items() if feature.kind == "missing"):
        return _MISSING
    if "number" in kinds:
        (place,) = (place for place, feature in made.items() if feature.kind == "number")
        return f"{float(row[place]):.4g}"
    if "datetime" in kinds:
        parts = {feature.value: float(row[place]) for place, feature in made.items()}
        return _show_moment(parts)
    on = [feature for place, feature in made.items() if row[place] > 0]
    if "word" in kinds:
        return " ".join(words[int(feature.value)] for feature in on) or "no known word"
    return ", ".join(feature.value or _MISSING for feature in on) or "none of the known"


def _show_moment(parts: Mapping[str, float]) -> str:
    """Return the date, with the time where the column has one, from where on the circles it is.

    The season's angle is exact to a second or so; the year's number, in float32, to an hour.
    """
    sine, cosine = parts["season_sin"], parts["season_cos"]
    if sine == cosine == 0:  # a missing moment is in no season
        return _MISSING
    season = math.atan2(sine, cosine) / (2 * math.pi) % 1.0
    # Of a moment at the very start of a year, rounding makes the angle one of its end.
    if season > 1 - 1e-6:
        season = 0.0
    year = round(parts["year"] - season)
    moment = datetime(year, 1, 1) + timedelta(days=season * 366)
    if "hour_sin" in parts:
        return (moment + timedelta(seconds=30)).isoformat(sep=" ", timespec="minutes")
    return (moment + timedelta(hours=12)).date().isoformat()
