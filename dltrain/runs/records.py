"""How is a JSON record of a run read, and what is said when it can't be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltrain.errors import RunError


def read_record(path: Path, *, format_number: int, missing: str = "") -> dict[str, Any]:
    """Return the JSON object in `path`.

    Raises RunError, naming the file, if it is missing (`missing` adds what that means), can't be
    read, is no JSON object, or is of another format than `format_number`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{path} is missing.", hint=missing) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} can't be read: {error}.") from error
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RunError(
            f"{path} is damaged: it is not JSON ({error}).",
            hint="dltrain never leaves a file so: something else wrote it, or the disk failed.",
        ) from error
    if not isinstance(record, dict):
        raise RunError(f"{path} is damaged: expected a JSON object, received {_kind(record)}.")
    if record.get("format") != format_number:
        raise RunError(
            f"{path} is of format {record.get('format')!r}; this dltrain reads {format_number}.",
            hint="Read it with the dltrain that wrote it: environment.json names the version.",
        )
    return record


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
