"""Is history.jsonl what history.csv is, a JSON object a line?"""

from __future__ import annotations

import json
import math
from pathlib import Path

from dltrain.runs.history_lines import append_history_line, write_history_lines


def read(path: Path) -> list[dict[str, float | None]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_numbers_come_back_to_the_bit_with_the_epoch_first(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append_history_line(path, {"loss": 0.1 + 0.2, "epoch": 1})
    append_history_line(path, {"epoch": 2, "loss": 5e-324, "val_loss": 1.5})
    assert read(path) == [
        {"epoch": 1, "loss": 0.1 + 0.2},
        {"epoch": 2, "loss": 5e-324} | {"val_loss": 1.5},
    ]
    assert path.read_text().startswith('{"epoch": 1, ')


def test_what_json_has_no_word_for_is_null(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append_history_line(path, {"epoch": 1, "loss": math.inf, "val_loss": math.nan})
    assert read(path) == [{"epoch": 1, "loss": None, "val_loss": None}]


def test_a_line_torn_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "loss": 2.0}\n{"epoch": 2, "lo')
    append_history_line(path, {"epoch": 2, "loss": 1.0})
    assert read(path) == [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]


def test_a_run_that_goes_on_writes_the_lines_of_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append_history_line(path, {"epoch": 7, "loss": 2.0})
    write_history_lines(path, [{"epoch": 1, "loss": 3.0}])
    assert read(path) == [{"epoch": 1, "loss": 3.0}]
    write_history_lines(path, [])
    assert not path.exists()
