"""Does `dltrain schema` print, or write, the schema that the repository holds?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tiny_runs import Result

Cli = Callable[..., Result]
COPY = Path(__file__).parents[2] / "docs" / "config.schema.json"


def test_schema_prints_json_and_nothing_else(dltrain: Cli) -> None:
    result = dltrain("schema")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert result.out == COPY.read_text(encoding="utf-8")


def test_output_writes_the_same_and_replaces_an_older_one(dltrain: Cli, workplace: Path) -> None:
    (workplace / "config.schema.json").write_text("{}")
    assert dltrain("schema", "--output", "config.schema.json") == Result(0, "", "")
    written = (workplace / "config.schema.json").read_text(encoding="utf-8")
    assert written == COPY.read_text(encoding="utf-8")


def test_an_output_that_can_not_be_is_refused(dltrain: Cli, workplace: Path) -> None:
    (workplace / "folder").mkdir()
    assert dltrain("schema", "--output", "folder") == Result(
        2, "", "error: --output: folder is a directory; expected the path of a file.\n"
    )
    assert dltrain("schema", "--output", "absent/a.json") == Result(
        2, "", "error: --output: there is no directory absent.\n"
    )
