"""How does a CI server show what a run reached? JUnit XML: a test case for each `--require`.

The form is the one that Jenkins, GitLab and GitHub's actions read: testsuites, testsuite, testcase,
failure (a requirement that isn't met) and error (the command itself failed).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from dltrain.evaluation.requirements import RequirementResult, format_got
from dltrain.runs.atomic import replacing

# What XML 1.0 can't hold at all, escaped or not (section 2.2, "Characters").
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Failed:
    """Why a command came to no results: its exit code, the message, and what to do."""

    exit_code: int
    message: str
    hint: str = ""


def write_junit(
    path: Path,
    *,
    command: str,
    name: str,
    seconds: float,
    results: Sequence[RequirementResult] = (),
    failed: Failed | None = None,
    properties: Mapping[str, object] | None = None,
) -> None:
    """Make `path` the JUnit XML of one command (`fit`, `eval`) on the run or config `name`.

    The first case is the command itself: an error if it `failed`. Then each requirement, in their
    order: met, or a failure with what was wanted and got. `properties` are shown beside the suite.
    The folder of `path` is made. Raises MachineError if it can't be written.
    """
    unmet = [result for result in results if not result.met]
    counts = {
        "tests": str(1 + len(results)),
        "failures": str(len(unmet)),
        "errors": str(int(failed is not None)),
        "skipped": "0",
        "time": f"{seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "dltrain", **counts})
    timestamp = datetime.now(UTC).isoformat(timespec="seconds")
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": _clean(name), **counts, "timestamp": timestamp}
    )
    if properties:
        listed = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            attributes = {"name": _clean(key), "value": _clean(str(value))}
            ElementTree.SubElement(listed, "property", attributes)
    case = _add_case(suite, name, f"dltrain {command}", seconds)
    if failed is not None:
        attributes = {"message": _clean(failed.message), "type": f"exit code {failed.exit_code}"}
        ElementTree.SubElement(case, "error", attributes).text = _clean(
            f"{failed.message}\n{failed.hint}".rstrip()
        )
    for result in results:
        case = _add_case(suite, name, result.requirement.text.strip(), 0.0)
        if not result.met:
            message = _clean(
                f"wanted {result.requirement.name} {result.requirement.comparison} "
                f"{result.requirement.wanted:g}, got {format_got(result)}"
            )
            attributes = {"message": message, "type": "requirement not met"}
            ElementTree.SubElement(case, "failure", attributes).text = message
    ElementTree.indent(root)
    buffer = io.BytesIO()
    ElementTree.ElementTree(root).write(buffer, encoding="utf-8", xml_declaration=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue() + b"\n")


def _add_case(
    suite: ElementTree.Element, name: str, title: str, seconds: float
) -> ElementTree.Element:
    attributes = {"classname": f"dltrain.{_clean(name)}", "name": _clean(title)}
    return ElementTree.SubElement(suite, "testcase", {**attributes, "time": f"{seconds:.3f}"})


def _clean(text: str) -> str:
    """Return `text` with what XML can't hold written as an escape, `\\x1b`."""
    return _FORBIDDEN.sub(
        lambda match: match[0].encode("unicode_escape", "backslashreplace").decode("ascii"), text
    )
