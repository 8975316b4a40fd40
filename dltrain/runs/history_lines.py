"""What did each epoch bring, for tools that read JSON? history.jsonl: an object a line.

The keys are the columns of history.csv, which stays what dltrain itself reads. A number that JSON
has no word for (NaN, infinity) is null.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dltrain.runs.atomic import explaining_disk, write_text


def write_history_lines(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Make `path` hold `rows` and nothing else; without rows there is no file."""
    if rows:
        write_text(path, "".join(map(_format, rows)))
    else:
        path.unlink(missing_ok=True)


def append_history_line(path: Path, row: Mapping[str, float]) -> None:
    """Add `row` to `path`, and flush it; a last line torn by a kill is dropped first.

    Raises MachineError if the disk is full or can't be written.
    """
    with explaining_disk(path), path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.seek(0, os.SEEK_END)
        file.write(_format(row).encode())


def _format(row: Mapping[str, float]) -> str:
    plain = {name: value if math.isfinite(value) else None for name, value in row.items()}
    ordered = {"epoch": plain["epoch"], **plain}
    return json.dumps(ordered, ensure_ascii=False) + "\n"
