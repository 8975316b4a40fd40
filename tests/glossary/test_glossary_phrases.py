"""Is everything that a value may be said in Chinese as well?"""

from __future__ import annotations

import re

import pytest

from dltrain.catalog.arguments import describe_argument
from dltrain.catalog.components import KINDS, components
from dltrain.glossary.keys import keys
from dltrain.glossary.phrases import say_expected, translate

PHRASES = sorted(
    {
        describe_argument(component, name)
        for kind in KINDS
        for component in components(kind).values()
        for name in component.arguments
    }
    | {key.expected for key in keys().values()}
)


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("a whole number >= 1", ">= 1 的整数"),
        ("a number >= 0 and < 1, or null", ">= 0 且 < 1 的数，或 null"),
        ("a whole number >= 1, or a list of 2 of them", ">= 1 的整数，或由 2 个组成的列表"),
        ("one of valid, same", "valid、same 之一"),
        ("one of epoch, or a whole number >= 1", "epoch，或 >= 1 的整数"),
        (
            "a regularizer: its name, or a mapping with type, or null",
            "正则化器：名字，或带 type 的映射，或 null",
        ),
        ("a number, or a list of 2 numbers", "数，或由 2 个数组成的列表"),
    ],
)
def test_a_phrase_is_said_in_chinese(phrase: str, said: str) -> None:
    assert say_expected(phrase, "zh") == said
    assert say_expected(phrase, "en") == phrase


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_phrase_of_the_catalog_or_the_schema_stays_english(phrase: str) -> None:
    said = translate(phrase)
    assert said is not None
    assert not re.search(r"\b(?:an?|number|list|text|one of|or|and|mapping|each)\b", said), said


def test_an_unknown_phrase_stays_as_it_is() -> None:
    assert translate("a prime number") is None
    assert say_expected("a prime number", "zh") == "a prime number"
