"""Does history.csv keep every number to the bit, through kills and new columns?"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dltrain.errors import RunError
from dltrain.runs.history import append_history, read_history


def test_numbers_come_back_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    rows = [
        {"epoch": 1, "loss": 0.1 + 0.2, "val_loss": 1e-300},
        {"epoch": 2, "loss": 5e-324, "val_loss": math.inf},
    ]
    for row in rows:
        append_history(path, row)
    assert read_history(path) == rows
    append_history(path, {"epoch": 3, "loss": math.nan})
    assert math.isnan(read_history(path)[2]["loss"])


def test_the_header_is_the_first_rows_with_the_epoch_first(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    append_history(path, {"loss": 2.0, "epoch": 1})
    append_history(path, {"epoch": 2, "loss": 1.0})
    assert path.read_text() == "epoch,loss\n1,2.0\n2,1.0\n"


def test_a_row_may_lack_a_column_and_may_bring_one(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    append_history(path, {"epoch": 1, "loss": 2.0})
    append_history(path, {"epoch": 2, "loss": 1.0, "val_loss": 1.5})
    append_history(path, {"epoch": 3, "loss": 0.5})
    assert path.read_text() == "epoch,loss,val_loss\n1,2.0,\n2,1.0,1.5\n3,0.5,\n"
    assert read_history(path)[2] == {"epoch": 3, "loss": 0.5}


def test_a_torn_last_line_is_left_out_and_dropped_by_the_next_row(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"epoch,loss\n1,2.0\n2,1.\xc3")
    assert read_history(path) == [{"epoch": 1, "loss": 2.0}]
    append_history(path, {"epoch": 2, "loss": 1.25})
    assert path.read_text() == "epoch,loss\n1,2.0\n2,1.25\n"


def test_a_torn_header_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,lo")
    assert read_history(path) == []
    append_history(path, {"epoch": 1, "loss": 1.0})
    assert path.read_text() == "epoch,loss\n1,1.0\n"


def test_a_missing_history_has_no_rows(tmp_path: Path) -> None:
    assert read_history(tmp_path / "history.csv") == []


@pytest.mark.parametrize(
    "line", ["2,x", "2,1.0,3.0", "2"], ids=["no number", "too many", "too few"]
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(f"epoch,loss\n1,2.0\n{line}\n3,1.0\n")
    with pytest.raises(RunError, match=r"history.csv:3 is damaged"):
        read_history(path)
