"""What was read, and where each value stands: the plain data of a config with its positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dltrain.config.paths import Path, format_path
from dltrain.errors import ConfigError, Problem


@dataclass(frozen=True)
class Place:
    """Point at a character of a file (line and column from 1) or, with line 0, at a flag."""

    source: str
    line: int = 0
    column: int = 0


@dataclass
class Document:
    """Hold the plain data of a config, and for every path where its key and its value stand."""

    data: dict[str, Any]
    source: str
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """Sources in the order in which their problems are shown."""
    texts: dict[str, str] = field(default_factory=dict)
    """The text of each source, for what stands in its comments."""

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """Return where `path` stands; for what is absent, where its nearest parent stands."""
        first, second = (self.keys, self.values) if of_key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            part = path[:length]
            found = first.get(part) or second.get(part)
            if length < len(path):
                found = self.keys.get(part) or self.values.get(part)
            if found is not None:
                return found
        return Place(self.source, 1, 1)


class Problems:
    """Collect every mistake of a config, so that all are told at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, path: Path, message: str, *, hint: str = "", of_key: bool = False) -> None:
        """Note a mistake at `path`; `of_key` points at the key instead of at its value."""
        place = self.document.place(path, of_key=of_key)
        problem = Problem(place.source, place.line, place.column, format_path(path), message, hint)
        if problem not in self._found:
            self._found.append(problem)

    def touches(self, path: Path) -> bool:
        """Say whether a mistake was noted at `path` or below it."""
        key = format_path(path)
        return any(
            problem.key == key or problem.key.startswith((f"{key}.", f"{key}["))
            for problem in self._found
        )

    def found(self) -> tuple[Problem, ...]:
        """Return what was noted, in file order."""
        return tuple(in_file_order(self._found, self.document.order))

    def raise_any(self) -> None:
        """Raise ConfigError with all mistakes, in file order, if there is one."""
        if self._found:
            raise ConfigError(self.found())


def in_file_order(found: Iterable[Problem], sources: tuple[str, ...]) -> list[Problem]:
    """Sort problems by file (the main one first), then by line and column; flags come last."""

    def rank(problem: Problem) -> tuple[int, int, int]:
        known = problem.source in sources
        place = sources.index(problem.source) if known else len(sources)
        return place, problem.line, problem.column

    return sorted(found, key=rank)
