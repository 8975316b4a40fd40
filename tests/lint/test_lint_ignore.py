"""Do comments silence a lint where they should, and only there? And are wrong comments told?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lint_cases import digits

from dltrain.config.load import load_config
from dltrain.lint.check import find_lints
from dltrain.lint.comments import read_orders

Lint = Callable[..., list[str]]

RATE = "optimizer: {type: adam, learning_rate: 0.1}\n"
IGNORE = "# dltrain: ignore[DL201]"
UNNEEDED = (
    "DL003: DL201 (learning rate far from the usual) finds nothing {} that the comment could "
    "silence. Leave DL201 out, or put the comment on the line of the finding, or above."
)


def codes(found: list[str]) -> list[str]:
    """Return place and code of each finding."""
    return [" ".join(line.split(" ")[:2]).rstrip(":") for line in found]


@pytest.mark.parametrize(
    "rest",
    [
        f"optimizer: {{type: adam, learning_rate: 0.1}} {IGNORE}\n",
        f"{IGNORE}\n{RATE}",
        f"{IGNORE}\n\n# why: it was tried\n{RATE}",
        f"optimizer:\n  type: adam\n  {IGNORE}\n  learning_rate: 0.1\n",
        f"optimizer:\n  type: adam\n  learning_rate: 0.1   {IGNORE}: tried\n",
        f"optimizer: {{type: adam, learning_rate: 0.1}} # large {IGNORE}\n",
        "optimizer: {type: adam, learning_rate: 0.1} #dltrain:ignore[ DL201 ]\n",
        f"optimizer: {{type: adam,\n  learning_rate: 0.1}}{IGNORE}\n",
    ],
)
def test_comment_on_the_line_or_on_its_own_line_above_silences(lint: Lint, rest: str) -> None:
    assert lint(digits(rest=rest)) == []


def test_comment_behind_the_value_above_is_about_that_line_alone(lint: Lint) -> None:
    rest = f"optimizer:\n  type: adam {IGNORE}\n  learning_rate: 0.1\n"
    assert codes(lint(digits(rest=rest))) == ["8:14 DL003", "9:18 DL201"]


def test_comment_above_everything_silences_the_file(lint: Lint) -> None:
    training = "training:\n  shuffle: false\n  monitor: loss\n"
    top = "# A config.\n# dltrain: ignore[DL201, DL204]\n\n"
    assert codes(lint(f"{top}{digits(rest=RATE + training)}")) == ["13:12 DL403"]


def test_comment_in_the_first_line_of_the_mapping_is_about_that_line(lint: Lint) -> None:
    text = digits(rest=RATE).replace("digits}\n", f"digits}} {IGNORE}\n")
    assert codes(lint(text)) == ["1:25 DL003", "7:40 DL201"]


def test_several_codes_silence_several_findings_of_a_line(lint: Lint) -> None:
    training = "training: {epochs: 3, shuffle: false, early_stopping: {patience: 9}}"
    assert codes(lint(digits(rest=f"{training}\n"))) == ["7:32 DL204", "7:66 DL404"]
    assert lint(digits(rest=f"{training} # dltrain: ignore[DL204,DL404]\n")) == []
    assert codes(lint(digits(rest=f"{training} # dltrain: ignore[DL404]\n"))) == ["7:32 DL204"]


@pytest.mark.parametrize(
    "text",
    [
        f'name: "a {IGNORE}"\n',
        f"name: 'a {IGNORE}'\n",
        "name: a#dltrain:ignore[DL201]\n",
        f'name: "a\n  {IGNORE}\n  b"\n',
        f"name: |\n  {IGNORE}\n  b\n",
        f"name: >-\n\n  {IGNORE}\n",
        f"{{name: 'it''s {IGNORE}', b: [\"\\\" {IGNORE}\"]}}\n",
    ],
)
def test_number_sign_inside_a_text_begins_no_comment(text: str) -> None:
    assert read_orders(text, source="c.yaml") == []


@pytest.mark.parametrize(
    ("text", "line", "column", "silenced"),
    [
        (f"a: 1\nb: |  {IGNORE}\n  # text\nc: 2\n", 2, 7, 2),
        (f"a: |\n  text\n{IGNORE}\nb: 2\n", 3, 1, 4),
        (f"a: >+\n  text\n\n{IGNORE}\n\nb: 2\n", 4, 1, 6),
        (f"a: [1,  {IGNORE}\n  2]\n", 1, 9, 1),
        (f"a: ['#', \"#\", x#y]{IGNORE}\n", 1, 19, 1),
        (f"a: 1\r\n{IGNORE}\r\nb: 2\r\n", 2, 1, 3),
        (f"a: '\u2028'\nb: 2 {IGNORE}\n", 3, 6, 3),
        (f"a: 'é🦊'\nb: 'é🦊' {IGNORE}\n", 2, 9, 2),
        (f"\n{IGNORE}\n---\na: 1\n", 2, 1, None),
        (f"%YAML 1.2 {IGNORE}\n---\na: 1\n", 1, 11, None),
        (f"a: 1\n{IGNORE}\n", 2, 1, 2),
    ],
)
def test_comment_is_found_where_it_stands(
    text: str, line: int, column: int, silenced: int | None
) -> None:
    (order,) = read_orders(text, source="c.yaml")
    assert (order.line, order.column, order.line_silenced) == (line, column, silenced)
    assert order.codes == ("DL201",)


def test_unknown_code_is_told_with_the_nearest(lint: Lint) -> None:
    assert lint(digits(rest=RATE.replace("\n", " # dltrain: ignore[DL2O1]\n"))) == [
        "7:40 DL201 optimizer.learning_rate: a learning rate of 0.1 is far from what adam is used "
        "with, 1e-06 to 0.03: the loss will jump or overflow. Write `learning_rate: 0.001` and go "
        "on from there.",
        "7:45 DL002: there is no lint 'DL2O1', so the comment silences nothing. "
        "Did you mean DL201?",
    ]
    assert lint(f"# dltrain: ignore[softmax]\n{digits()}") == [
        "1:1 DL002: there is no lint 'softmax', so the comment silences nothing. "
        "docs/lint.md lists the codes."
    ]


def test_comment_that_silences_nothing_is_told(lint: Lint) -> None:
    assert lint(f"{IGNORE}\n{digits()}") == [f"1:1 {UNNEEDED.format('in this file')}"]
    assert lint(digits(rest=f"seed: 3 {IGNORE}\n")) == [f"7:9 {UNNEEDED.format('there')}"]


@pytest.mark.parametrize(
    "comment",
    [
        "# dltrain: ignore",
        "# dltrain: ignore DL201",
        "# dltrain: ignore[]",
        "# dltrain: ignore[DL201,]",
        "# dltrain: ignor[DL201]",
        "# dltrain: ignore[DL201",
    ],
)
def test_comment_that_cannot_be_read_is_told(lint: Lint, comment: str) -> None:
    assert lint(digits(rest=f"seed: 3 {comment}\n")) == [
        "7:9 DL001: a comment that begins with `dltrain:` must say which lints to ignore. "
        "Write `# dltrain: ignore[DL101]`, or with several codes `ignore[DL101, DL203]`."
    ]


def test_comment_about_dltrain_is_no_order(lint: Lint) -> None:
    assert lint(f"# dltrain fit c.yaml\n{digits(rest='seed: 3 # dltrain')}\n") == []


def test_comment_about_another_machine_may_silence_nothing(lint: Lint) -> None:
    assert lint(digits(rest="seed: 3 # dltrain: ignore[DL601]\n")) == []


def test_comment_of_the_file_that_brought_the_value_counts(tmp_path: Path) -> None:
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    base.write_text(digits(rest=f"optimizer: {{type: adam, learning_rate: 0.1}} {IGNORE}\n"))
    top.write_text("extends: base.yaml\n")
    assert find_lints(load_config(top)) == ()
    top.write_text("extends: base.yaml\noptimizer:\n  learning_rate: 0.2\n")
    (finding,) = find_lints(load_config(top))
    assert (finding.code, finding.source, finding.line) == ("DL201", str(top), 3)
    top.write_text(f"extends: base.yaml\noptimizer:\n  learning_rate: 0.2 {IGNORE}\n")
    assert find_lints(load_config(top)) == ()
    base.write_text(digits(rest=RATE))
    top.write_text(f"{IGNORE}\nextends: base.yaml\n")
    assert [(each.code, Path(each.source).name) for each in find_lints(load_config(top))] == [
        ("DL003", "top.yaml"),
        ("DL201", "base.yaml"),
    ]


def test_value_of_a_flag_is_not_silenced_and_makes_no_comment_unneeded(lint: Lint) -> None:
    right = digits(rest=f"{IGNORE}\n{RATE.replace('0.1', '0.001')}")
    flag = "optimizer.learning_rate=0.1"
    (found,) = lint(right, flag)
    assert found.startswith(f"--set {flag} DL201 optimizer.learning_rate: ")
    assert lint(digits(rest=f"{IGNORE}\n{RATE}"), "optimizer.learning_rate=0.001") == []


def test_block_used_twice_is_told_once(lint: Lint) -> None:
    text = digits("- {block: b}\n    - {block: b}\n    - {type: dense, units: 10}").replace(
        "  layers:\n    - flatten",
        "  blocks:\n    b:\n      layers:\n        - {type: dense, units: 8}\n"
        "        - {type: dropout, rate: 0.2}\n        - batch_normalization\n        - relu\n"
        "  layers:\n    - flatten",
    )
    assert codes(lint(text)) == ["7:11 DL302"]
