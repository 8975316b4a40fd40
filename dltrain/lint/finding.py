"""What does a lint say, and where does it point?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dltrain.config.load import LoadedConfig
from dltrain.config.paths import Path


@dataclass(frozen=True)
class Note:
    """Say what a rule found at `path`: why it trains badly, and the change that mends it."""

    path: Path
    why: str
    fix: str


Find = Callable[[LoadedConfig], Iterator[Note]]


@dataclass(frozen=True)
class Rule:
    """Name one thing that trains badly; `find` yields a note for every place that has it.

    `of_machine`: whether it fires depends on the machine and not on the config alone.
    """

    code: str
    title: str
    find: Find
    of_machine: bool = False


@dataclass(frozen=True)
class Finding:
    """Describe one thing that trains badly, and where it stands.

    `line` and `column` count from 1; 0 means that a flag brought the value, and `source` then
    names the flag.
    """

    code: str
    title: str
    source: str
    line: int
    column: int
    key: str
    why: str
    fix: str

    def location(self) -> str:
        """Return `file:line:column`, or the flag that brought the value."""
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    def __str__(self) -> str:
        head = f"{self.location()}  {self.code}" + (f"  {self.key}" if self.key else "")
        return f"{head}\n  {self.why}\n  {self.fix}"
