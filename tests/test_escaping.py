"""Is a text shown so that it can't steer the terminal, and left alone where it can't?"""

from __future__ import annotations

import pytest

from dltrain.errors import Problem
from dltrain.escaping import escape_unprintable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 数字 🦊 e\u0301", "plain, é, 数字 🦊 e\u0301"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\u202eevil\u200b\xa0", "\\u202eevil\\u200b\\xa0"),
        ("\u2028\x85\U000e0001\ud800", "\\u2028\\x85\\U000e0001\\ud800"),
        ("", ""),
    ],
)
def test_what_a_terminal_does_not_print_is_an_escape(text: str, shown: str) -> None:
    assert escape_unprintable(text) == shown


def test_a_problem_is_two_lines_whatever_it_holds() -> None:
    problem = Problem("a\nb.yaml", 1, 2, "k\x1b", "wrong\n::error::x.", "Try\rthat.")
    assert str(problem) == "a\\nb.yaml:1:2  k\\x1b\n  wrong\\n::error::x. Try\\rthat."
