"""How is what trains badly shown? On stderr for people, as objects for `--json`."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dltrain.lint.finding import Finding


def show_findings(findings: Sequence[Finding]) -> None:
    """Print each finding on stderr: where, which rule, why, and what to write instead.

    A terminal's lines are broken between words; a file gets a line a sentence.
    """
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for finding in findings:
        lines = f"warning: {finding}".splitlines()
        for line in lines:
            typer.echo(line if width is None else _wrap(line, width), err=True)


def _wrap(line: str, width: int) -> str:
    return textwrap.fill(
        line,
        max(width, 40),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def count_warnings(findings: Sequence[Finding]) -> str:
    """Return `1 warning` or `3 warnings`."""
    return f"{len(findings)} warning{'' if len(findings) == 1 else 's'}"


def describe_finding(finding: Finding) -> dict[str, Any]:
    """Return the JSON-able form; what a flag brought has no line, and the flag as its file."""
    return {
        "file": finding.source,
        "line": finding.line or None,
        "column": finding.column or None,
        "key": finding.key,
        "code": finding.code,
        "title": finding.title,
        "why": finding.why,
        "fix": finding.fix,
    }
