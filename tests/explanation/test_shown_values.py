"""Is the value that a table's explanation shows the one that stood in the row?"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.config.table_facts import list_column_features
from dltrain.data.table_encoding import make_writer
from dltrain.explanation.shown_values import show_value

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59))


def show_moment(text: str, *, has_time: bool) -> str:
    features = list_column_features("day", "datetime", has_time=has_time, marks_missing=True)
    row = np.zeros(len(features), dtype=np.float32)
    make_writer(features)(row, text)
    return show_value(np.nan_to_num(row), dict(enumerate(features)), ())


@given(MOMENTS)
def test_a_date_is_shown_as_it_was_written(moment: datetime) -> None:
    written = moment.date().isoformat()
    assert show_moment(written, has_time=False) == written


@given(MOMENTS)
def test_a_time_is_shown_to_the_minute(moment: datetime) -> None:
    written = moment.isoformat(sep=" ", timespec="minutes")
    shown = datetime.fromisoformat(show_moment(written, has_time=True))
    assert abs(shown - datetime.fromisoformat(written)) <= timedelta(minutes=1)


@pytest.mark.parametrize("day", ["2024-12-31", "2025-01-01", "2024-02-29", "1970-01-01"])
def test_the_ends_of_a_year_stay_in_it(day: str) -> None:
    assert show_moment(day, has_time=False) == day


def test_what_is_missing_or_unknown_is_said() -> None:
    assert show_moment("", has_time=False) == "missing"
    unmarked = dict(enumerate(list_column_features("day", "datetime")))
    assert show_value(np.array([2025.4, 0, 0, 0, 0]), unmarked, ()) == "missing"
    town = dict(enumerate(list_column_features("town", "category", values=["Ulm", "Graz"])))
    assert show_value(np.array([0.0, 1.0]), town, ()) == "Graz"
    assert show_value(np.array([0.0, 0.0]), town, ()) == "none of the known"
    said = dict(enumerate(list_column_features("said", "text")))
    row = np.zeros(len(said))
    assert show_value(row, said, ("cold", "quiet")) == "no known word"
    row[:2] = 1
    assert show_value(row, said, ("cold", "quiet")) == "cold quiet"
    number = dict(enumerate(list_column_features("n", "number", marks_missing=True)))
    assert show_value(np.array([1234.56, 0.0]), number, ()) == "1235"
    assert show_value(np.array([1234.56, 1.0]), number, ()) == "missing"
