"""How is what trains badly shown? On stderr for people, as objects for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from dltrain.lint.finding import Finding


def show_findings(findings: Sequence[Finding]) -> None:
    """Print each finding on stderr: where, which rule, why, and what to write instead."""
    for finding in findings:
        typer.echo(f"warning: {finding}", err=True)


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
