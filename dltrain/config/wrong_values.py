"""What may somebody have meant who wrote a value of the wrong type, or no valid choice?"""

from __future__ import annotations

from collections.abc import Iterable

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe, resolve_scalar

# What YAML 1.1 read as true and false; YAML 1.2 reads these words as texts.
_BOOLEAN_WORDS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false"}
_BOOLEAN_WORDS["off"] = "false"


def add_wrong_value(
    path: Path, value: object, expected: str, problems: Problems, *, choices: Iterable[str] = ()
) -> None:
    """Note that `value` isn't what was `expected`; `choices` are the names among what was."""
    quoted = isinstance(value, str) and _is_right_without_quotes(value, expected)
    suggestion = None
    if isinstance(value, str) and not quoted:
        suggestion = _find_choice(value, tuple(choices))
    problems.add(
        path,
        hint="Write it without quotes." if quoted else "",
        expected=expected,
        received=describe(value),
        suggestion=suggestion,
    )


def _is_right_without_quotes(text: str, expected: str) -> bool:
    try:
        meant = resolve_scalar(text)
    except ValueError:
        return False
    if isinstance(meant, bool):
        return "true or false" in expected
    return isinstance(meant, (int, float)) and "number" in expected


def _find_choice(text: str, choices: tuple[str, ...]) -> str | None:
    if "true" in choices and text.lower() in _BOOLEAN_WORDS:
        return _BOOLEAN_WORDS[text.lower()]
    return nearest(text, choices)
