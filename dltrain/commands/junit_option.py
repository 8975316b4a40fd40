"""How does `--junit FILE` learn what a command came to, whatever ends it?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from dltrain.errors import DltrainError, RequirementError
from dltrain.evaluation.requirements import RequirementResult

JunitOption = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write JUnit XML for a CI server: a test case for each --require.",
    ),
]


@dataclass
class JunitRecord:
    """Hold what a command fills in as it learns it: its run's name, results, and what to show."""

    name: str
    results: Sequence[RequirementResult] = ()
    properties: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def reporting_junit(path: Path | None, *, command: str, name: str) -> Iterator[JunitRecord]:
    """Write the record that is yielded to `path` when the block ends, however it does.

    An error is an error of the command; requirements that aren't met are failures of their own.
    Without a `path` nothing is written.
    """
    record = JunitRecord(name)
    begun = time.perf_counter()
    failed: BaseException | None = None
    try:
        yield record
    except BaseException as error:
        failed = error
        raise
    finally:
        if path is not None:
            _write(path, command, record, time.perf_counter() - begun, failed)


def _write(
    path: Path, command: str, record: JunitRecord, seconds: float, error: BaseException | None
) -> None:
    from dltrain.evaluation.junit import Failed, write_junit

    failed = None
    if isinstance(error, DltrainError) and not isinstance(error, RequirementError):
        failed = Failed(error.exit_code, error.message, error.hint)
    elif error is not None and not isinstance(error, DltrainError):
        failed = Failed(1, f"{type(error).__name__}: {error}")
    write_junit(
        path,
        command=command,
        name=record.name,
        seconds=seconds,
        results=record.results,
        failed=failed,
        properties=record.properties,
    )
