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
    found: list[tuple[Path, Problem]] = field(default_factory=list)
    """What is wrong with the text or a flag itself (a key twice, a tag), and where."""
    unread: dict[Path, Place] = field(default_factory=dict)
    """Where null stands for a value that couldn't be read, which is told in `found`."""
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
        self._found: dict[Problem, None] = {}
        self._touched: set[Path] = set()
        self._times = len(document.found)
        for path, problem in document.found:
            self._note(path, problem)

    def __len__(self) -> int:
        """Return how often a mistake was met: one in a block counts at every use of it."""
        return self._times

    def add(
        self,
        path: Path,
        message: str = "",
        *,
        hint: str = "",
        of_key: bool = False,
        expected: str | None = None,
        received: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        """Note a mistake at `path`; `of_key` points at the key instead of at its value.

        Without a message it is made of `expected` and `received`. With a `suggestion`, the nearest
        valid name, the hint asks whether it was meant; `hint` is for when there is none. A value
        that couldn't be read was told already: nothing is noted at it or below it.
        """
        self._times += 1
        if self.document.unread and any(
            path[:length] in self.document.unread for length in range(len(path) + 1)
        ):
            return
        place = self.document.place(path, of_key=of_key)
        hint = f"Did you mean '{suggestion}'?" if suggestion else hint
        problem = make_problem(
            place, path, message, hint, expected=expected, received=received, suggestion=suggestion
        )
        self._note(path, problem)

    def _note(self, path: Path, problem: Problem) -> None:
        self._found[problem] = None
        self._touched.update(path[:length] for length in range(len(path) + 1))

    def touches(self, path: Path) -> bool:
        """Say whether a mistake was noted at `path` or below it."""
        return path in self._touched

    def found(self) -> tuple[Problem, ...]:
        """Return what was noted, in file order."""
        return tuple(in_file_order(self._found, self.document.order))

    def raise_any(self) -> None:
        """Raise ConfigError with all mistakes, in file order, if there is one."""
        if self._found:
            raise ConfigError(self.found())


def make_problem(
    place: Place,
    path: Path,
    message: str,
    hint: str,
    *,
    expected: str | None,
    received: str | None,
    suggestion: str | None = None,
) -> Problem:
    """Return the problem of `path` at `place`; `expected` and `received` make a missing message."""
    message = message or f"expected {expected}, received {received}."
    at = (place.source, place.line, place.column, format_path(path))
    return Problem(*at, message, hint, expected, received, suggestion)


def in_file_order(found: Iterable[Problem], sources: tuple[str, ...]) -> list[Problem]:
    """Sort problems by source in the order of `sources`, then by line and column."""
    order = {source: index for index, source in reversed(list(enumerate(sources)))}

    def rank(problem: Problem) -> tuple[int, int, int]:
        return order.get(problem.source, len(sources)), problem.line, problem.column

    return sorted(found, key=rank)


def join_sources(document: Document) -> str:
    """Return the texts that a config was read from, as they were written.

    Of several (`extends`) each follows the name of its file, as a YAML document of its own.
    """
    files = [source for source in document.order if source in document.texts]
    if len(files) < 2:
        return "".join(document.texts[source] for source in files or document.texts)
    parts = [f"# {source}\n{document.texts[source].rstrip()}\n" for source in files]
    return "---\n".join(parts)
