"""What can go wrong: one class for each kind of failure, with the exit code it ends in.

The library raises these; `dltrain.cli` turns them into one message and the exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.escaping import escape_unprintable


@dataclass(frozen=True)
class Problem:
    """Describe one mistake in a config, and where it stands.

    `line` and `column` count from 1; 0 means that the place is not in a file (a `--set` flag,
    say), and `source` then names the flag. `expected` and `received` are phrases, `suggestion` is
    the valid name nearest to the one received; None where there is no such thing.
    """

    source: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""
    expected: str | None = None
    received: str | None = None
    suggestion: str | None = None

    def location(self) -> str:
        """Return `file:line:column`, or the flag that brought the value."""
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    def __str__(self) -> str:
        head = f"{self.location()}  {self.key}" if self.key else self.location()
        text = f"{self.message} {self.hint}" if self.hint else self.message
        return f"{escape_unprintable(head)}\n  {escape_unprintable(text)}"


class DltrainError(Exception):
    """Base of every failure that dltrain foresees; `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DltrainError):
    """The command line asks for something that can't be."""

    exit_code = 2


class ConfigError(DltrainError):
    """The config is wrong; `problems` holds every mistake found, in file order."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class RunError(DltrainError):
    """A run directory is missing, taken, unfinished or damaged."""

    exit_code = 2


class DataError(DltrainError):
    """The data is missing, corrupt, or can't be fetched."""

    exit_code = 3


class TrainingError(DltrainError):
    """Training failed: the loss is not finite, or memory ran out."""

    exit_code = 4


class RequirementError(DltrainError):
    """The work is done, but a `--require` is not met."""

    exit_code = 5


class MachineError(DltrainError):
    """The machine can't do what was asked: no GPU, no disk space, no permission."""

    exit_code = 6
