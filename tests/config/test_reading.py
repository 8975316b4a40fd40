"""Is YAML read as YAML 1.2, with positions, and is all that is no config refused with a place?"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from config_problems import Refuse, Write

from dltrain.config.document import Place
from dltrain.config.load import load_config
from dltrain.config.reading import describe, read_text, read_value
from dltrain.errors import ConfigError, UsageError


def _problems(text: str) -> list[str]:
    try:
        found = [problem for _, problem in read_text(text, source="c.yaml").found]
    except ConfigError as error:
        found = list(error.problems)
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e+1", -5.0),
        ("012", 12),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2020-01-01", "2020-01-01"),
        ("e3", "e3"),
        ("1e", "1e"),
        ("'1e-3'", "1e-3"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("|\n 12\n", "12\n"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    read = read_value(text, source="c.yaml")
    assert read == value
    assert type(read) is type(value)


def test_nan_is_read_as_a_number() -> None:
    assert math.isnan(read_value(".NaN", source="c.yaml"))


@pytest.mark.parametrize("digits", [f"{2**63}", "1" + "0" * 400, "9" * 6000, "0x" + "f" * 6000])
def test_whole_number_beyond_int64_is_refused(digits: str) -> None:
    assert _problems(f"a:\n  b: {digits}") == [
        f"c.yaml:2:6  a.b\n  a number of {len(digits):,} digits is too large."
    ]


def test_largest_whole_number_is_read() -> None:
    assert read_value(f"{2**63 - 1}", source="") == 2**63 - 1


def test_every_key_and_value_has_its_place() -> None:
    document = read_text("a:\n  - {b: 1}\n  - c\n", source="c.yaml")
    assert document.place(("a",), of_key=True) == Place("c.yaml", 1, 1)
    assert document.place(("a", 0, "b"), of_key=True) == Place("c.yaml", 2, 6)
    assert document.place(("a", 0, "b")) == Place("c.yaml", 2, 9)
    assert document.place(("a", 1)) == Place("c.yaml", 3, 5)
    assert document.place(("a", 0, "absent")) == Place("c.yaml", 2, 5)
    assert document.place(("absent",)) == Place("c.yaml", 1, 1)


def test_byte_order_mark_is_skipped(write: Write) -> None:
    text = "dataset: digits\nmodel: {layers: [flatten, {type: dense, units: 10}]}\n"
    assert load_config(write(b"\xef\xbb\xbf" + text.encode())).info.name == "digits"


def test_duplicate_key_is_refused_with_the_line_of_the_first() -> None:
    assert _problems("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n") == [
        "c.yaml:5:3  b.c\n  the key 'c' stands twice (first: line 3). Delete one of the two."
    ]


def test_all_duplicate_keys_and_tags_are_told_at_once() -> None:
    assert _problems("a: 1\na: 2\nb: !x 1\na: 3\n") == [
        "c.yaml:2:1  a\n  the key 'a' stands twice (first: line 1). Delete one of the two.",
        "c.yaml:3:4  b\n  the tag !x is not allowed. Write the value without it.",
        "c.yaml:4:1  a\n  the key 'a' stands twice (first: line 1). Delete one of the two.",
    ]


@pytest.mark.parametrize(
    ("tagged", "shown"),
    [
        ("!!python/object/apply:os.system [ls]", "!!python/object/apply:os.system"),
        ("!!python/name:os.system ''", "!!python/name:os.system"),
        ("!!float 1", "!!float"),
        ("!!binary aGk=", "!!binary"),
        ("!include a.yaml", "!include"),
    ],
)
def test_tag_is_refused(tagged: str, shown: str) -> None:
    assert _problems(f"a: {tagged}\n") == [
        f"c.yaml:1:4  a\n  the tag {shown} is not allowed. Write the value without it."
    ]


def test_alias_stands_for_its_anchor() -> None:
    document = read_text("a: &x {b: 1}\nc: *x\n", source="c.yaml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}


def test_merge_key_has_no_special_meaning() -> None:
    assert read_text("a: &x {b: 1}\nc: {<<: *x}\n", source="").data["c"] == {"<<": {"b": 1}}


def test_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = _problems("\n".join(lines))
    assert problem.endswith("\n  more than 20,000 values once aliases are expanded.")
    assert problem.startswith("c.yaml:")


def test_anchor_that_contains_itself_is_refused() -> None:
    assert _problems("a: 1\nb: &x\n  c: [*x]\n") == [
        "c.yaml:2:4  b.c[0]\n  an anchor contains itself."
    ]


@pytest.mark.parametrize("depth", [1_000, 20_000])
def test_nesting_beyond_the_parser_is_refused(depth: int) -> None:
    assert _problems("a: " + "[" * depth + "]" * depth) == [
        "c.yaml:1:204\n  nested deeper than 60 levels."
    ]


def test_nesting_of_100_levels_is_refused_where_it_is_too_deep() -> None:
    (problem,) = _problems("a: " + "[" * 100 + "]" * 100)
    assert problem == f"c.yaml:1:64  a{'[0]' * 60}\n  nested deeper than 60 levels."


def test_list_as_a_key_is_refused() -> None:
    assert _problems("a: 1\n? [b]\n: 2\n") == [
        "c.yaml:2:3\n  expected a name as key, received a list."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: [1\nb: 2\n",
            "c.yaml:2:2\n  not valid YAML: expected ',' or ']', received ':'. "
            "The list that opens at line 1, column 4 isn't closed.",
        ),
        (
            "a: 1\n\tb: 2\n",
            "c.yaml:2:1\n  not valid YAML: expected spaces, received a tab. "
            "YAML is indented with spaces only.",
        ),
        (
            "a: *b\n",
            "c.yaml:1:4\n  not valid YAML: there is no anchor '&b' above. "
            "Put a text that begins with * in quotes.",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "c.yaml:2:1\n  not valid YAML: expected one document, received a second one. "
            "Delete the line ---, or all that belongs to the other document.",
        ),
        (
            "a: 1\nb: \0\n",
            "c.yaml:2:4\n  not valid YAML: the character U+0000 is not allowed. "
            "Is this a YAML file?",
        ),
        (
            'a: "\\UFFFFFFFF"\n',
            "c.yaml:1:1\n  not valid YAML: a number or an escaped character is out of range.",
        ),
        (
            f"%YAML 1.{'9' * 5000}\n---\na: 1\n",
            "c.yaml:1:1\n  not valid YAML: a number or an escaped character is out of range.",
        ),
        ('a: "\\ud800"\n', "c.yaml:1:4  a\n  the character U+D800 is not allowed."),
        ('"a\\0": 1\n', "c.yaml:1:1\n  the character U+0000 is not allowed."),
        ("", "c.yaml:1:1\n  the file holds no YAML. A config starts with `name:`."),
        ("# only this\n", "c.yaml:1:1\n  the file holds no YAML. A config starts with `name:`."),
        (
            "- a\n- b\n",
            "c.yaml:1:1\n  expected sections such as dataset: and model:, received a list of 2.",
        ),
        (
            "hello",
            "c.yaml:1:1\n  expected sections such as dataset: and model:, "
            "received the text 'hello'.",
        ),
    ],
)
def test_what_is_no_config_is_refused_with_its_place(text: str, problem: str) -> None:
    assert _problems(text) == [problem]


def test_binary_junk_is_refused(refuse: Refuse) -> None:
    assert refuse(b"name: x\n\x89PNG\r\n\x1a\n\xff") == [
        "c.yaml:2:1: expected UTF-8 text, received the byte 0x89. Is this a YAML file?"
    ]


def _usage(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(path)
    return f"{caught.value.message} {caught.value.hint}".strip()


def test_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "absent.yaml"
    assert _usage(path) == f"{path} doesn't exist. Give the path of a YAML config file."


def test_directory_is_refused(tmp_path: Path) -> None:
    assert _usage(tmp_path) == (
        f"{tmp_path} is a directory; expected a YAML file. Name a file in {tmp_path}/."
    )


def test_path_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 5000)
    assert _usage(long) == f"{long} can't be read: File name too long."
    assert _usage(Path("a\0b")) == "'a\\x00b' is no path of a file."


def test_file_that_is_too_large_is_refused(write: Write) -> None:
    path = write(b"#" * 1_000_001)
    assert _usage(path) == f"{path} is larger than 1 MB; expected a config."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing (null)"),
        (True, "true"),
        (1.5, "the number 1.5"),
        ("x" * 50, f"the text '{'x' * 37}...'"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping"),
        ([], "an empty list"),
        ([1, 2], "a list of 2"),
    ],
)
def test_received_value_is_described(value: object, text: str) -> None:
    assert describe(value) == text
