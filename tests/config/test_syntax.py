"""Is what the YAML parser objects to put in words that say how to mend it?"""

from __future__ import annotations

import pytest

from dltrain.config.syntax import MAX_VALUES, compose, locate
from dltrain.errors import ConfigError


def refuse(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compose(text, "c.yaml")
    (problem,) = caught.value.problems
    return f"{problem.line}:{problem.column} {problem.message} {problem.hint}".rstrip()


QUOTES = "Put a text that holds ': ' in quotes, or write the mapping as {key: value}."
INDENT = "A key is indented like the others of its section, and a space follows its ':'."
BESIDE = "Indent it like the line that it belongs beside."
WHOLE = "Put the whole text in quotes."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: {b: 1]\n",
            "1:9 not valid YAML: expected ',' or '}', received ']'. "
            "The mapping that opens at line 1, column 4 isn't closed.",
        ),
        (
            "space: {model.layers[1].units: 1}\n",
            "1:21 not valid YAML: expected ',' or '}', received '['. "
            'In braces a key with a bracket is quoted: {"model.layers[0].units": …}.',
        ),
        (
            "a: [1, 2\n",
            "2:1 not valid YAML: expected ',' or ']', received the end of the text. "
            "The list that opens at line 1, column 4 isn't closed.",
        ),
        (
            "a: b: c\n",
            "1:5 not valid YAML: expected one value after 'key: ', received a second ':'. "
            f"{QUOTES}",
        ),
        (
            "a:b\nc: 1\n",
            "2:2 not valid YAML: expected a line that goes on with the one above, "
            f"received a key. {INDENT}",
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            "3:2 not valid YAML: expected a line of the mapping that begins at line 1, column 1, "
            f"received a key. {BESIDE}",
        ),
        (
            "a:\n  - b\n  c: 1\n",
            "3:3 not valid YAML: expected a line of the list that begins at line 2, column 3, "
            f"received a key. {BESIDE}",
        ),
        (
            "  a: 1\nb: 2\n",
            "2:1 not valid YAML: expected a line indented like the first one, received a key. "
            "The sections of a config all begin in the first column.",
        ),
        (
            "a: 'x' y\n",
            f"1:8 not valid YAML: expected the end of the value, received a text after it. {WHOLE}",
        ),
        (
            'a: "it\nb: 2\n',
            "1:4 not valid YAML: the quote that opens here isn't closed.",
        ),
        (
            'a: "\\q"\n',
            "1:6 not valid YAML: there is no escape '\\q'. "
            "In single quotes a backslash is a character as any other.",
        ),
        ("a: @b\n", "1:4 not valid YAML: a text can't begin with '@'. Put it in quotes."),
        ("a: `b`\n", "1:4 not valid YAML: a text can't begin with '`'. Put it in quotes."),
        ("a: [1,,2]\n", "1:7 not valid YAML: expected a value, received ','."),
        (
            "a: - b\n",
            "1:4 not valid YAML: expected a value, received a list's item behind a key. "
            "Begin it on the next line, or write [a, b].",
        ),
        (
            "%YAML 2.0\n---\na: 1\n",
            "1:1 not valid YAML: found incompatible YAML document (version 1.* is required).",
        ),
        (
            "a: \x01\n",
            "1:4 not valid YAML: the character U+0001 is not allowed. Is this a YAML file?",
        ),
    ],
)
def test_a_mistake_of_syntax_is_explained(text: str, said: str) -> None:
    assert refuse(text) == said


def test_more_values_than_a_config_has_are_refused_where_they_begin() -> None:
    text = "a:\n" + "- x\n" * MAX_VALUES
    assert refuse(text) == (
        f"{MAX_VALUES - 1}:3 more than 20,000 values once aliases are expanded."
    )


def test_places_are_counted_in_characters_and_the_parsers_lines() -> None:
    assert locate("") == (1, 1)
    assert locate("a\r\nb\rc\x85d\u2028数字") == (5, 3)
