"""Does docs/lint.md say what the rules do? Every code, no other, with the lines that are tested."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from lint_cases import CASES, digits

from dltrain.lint.optimization import USUAL
from dltrain.lint.rules import COMMENT_TITLES, RULES

Lint = Callable[..., list[str]]

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DOCS.splitlines()
    if re.match(r"\| DL\d{3} ", line)
]


def test_docs_have_a_row_for_every_code_and_for_no_other() -> None:
    documented = [row[0].split(" ", 1)[0] for row in ROWS]
    assert sorted(documented) == sorted([*COMMENT_TITLES, *(rule.code for rule in RULES)])
    assert set(re.findall(r"DL\d{3}", DOCS)) == set(documented)


def test_docs_show_the_titles_and_the_lines_that_are_tested() -> None:
    titles = {rule.code: rule.title for rule in RULES}
    cases = {case.code: case for case in CASES}
    shown = [row for row in ROWS if row[0].split(" ", 1)[0] in titles]
    for name, wrong, right, why in shown:
        code, title = name.split(" ", 1)
        assert title == titles[code]
        assert (wrong, right) == (f"`{cases[code].wrong}`", f"`{cases[code].right}`")
        assert why.endswith(".")


def test_docs_show_the_usual_learning_rates() -> None:
    for name, usual in USUAL.items():
        assert f"| `{name}` | {usual.rate:g} | {usual.low:g} | {usual.high:g} |\n" in DOCS
    assert len(re.findall(r"^\| `\w+` \| ", DOCS, re.MULTILINE)) == len(USUAL)


def test_docs_show_a_warning_as_it_is_printed(lint: Lint) -> None:
    (found,) = lint(digits(rest="optimizer: {type: adam, learning_rate: 0.1}\n"))
    place, code, key, text = found.split(" ", 3)
    why, fix = text.split(". Write", 1)
    shown = f"warning: c.yaml:{place}  {code}  {key.rstrip(':')}\n  {why}.\n  Write{fix}\n"
    assert shown in DOCS


def test_ignoring_in_the_docs_is_right(lint: Lint) -> None:
    example = DOCS.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert lint(example) == []
    loud = [line.split(" ")[1].rstrip(":") for line in lint(example.replace("dltrain:", ""))]
    assert loud == ["DL504", "DL305", "DL201"]
