"""What must trackers know when a run goes on? RUN/trackers.json: ids, and the epochs they have.

{"format": 1, "trackers": {"mlflow": {"run_id": ..., "epoch": 3}, ...}}
"""

from __future__ import annotations

import threading
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs.atomic import write_json
from dltrain.runs.records import read_record
from dltrain.trackers.contract import Memory

FORMAT = 1
FILE_NAME = "trackers.json"


class MemoryFile:
    """Hold what the trackers of a run remember; each writes its own part, from its own thread."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE_NAME
        self._lock = threading.Lock()
        self._parts: dict[str, Memory] = {}

    def read(self) -> str | None:
        """Read what is there. Return what is wrong with it: then all trackers begin anew."""
        if not self.path.exists():
            return None
        try:
            parts = read_record(self.path, format_number=FORMAT).get("trackers")
        except RunError as error:
            return error.message
        if not isinstance(parts, dict) or not all(
            isinstance(each, dict) for each in parts.values()
        ):
            return f"{self.path} is damaged: expected a mapping for each tracker."
        self._parts = parts
        return None

    def get(self, name: str) -> Memory:
        """Return a copy of what the tracker `name` remembers."""
        return dict(self._parts.get(name, {}))

    def put(self, name: str, memory: Memory) -> None:
        """Write what the tracker `name` remembers, if that is new. Raises MachineError."""
        with self._lock:
            if self._parts.get(name) != memory:
                self._parts[name] = dict(memory)
                write_json(self.path, {"format": FORMAT, "trackers": self._parts})
