"""What was a run warned of? warnings.json: by `check` before it, by the training while it ran.

{"format": 1,
 "check": [{"file", "line", "column", "key", "code", "title", "why", "fix"}, ...],
 "training": [sentence, ...]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.runs.atomic import write_json
from dltrain.runs.records import read_record

FORMAT = 1


def write_warnings(
    path: Path, *, check: Sequence[Mapping[str, Any]], training: Sequence[str]
) -> None:
    """Replace `path` (a run's warnings.json). Raises MachineError as `atomic` does."""
    write_json(path, {"format": FORMAT, "check": list(check), "training": list(training)})


def read_warnings(path: Path) -> dict[str, Any]:
    """Return what `path` holds. Raises RunError if it is missing, damaged or of another format."""
    return read_record(path, format_number=FORMAT)
