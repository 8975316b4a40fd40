"""What may one value be? The building blocks that `arguments` lays its tables from.

Every rule knows the phrase that completes "expected …", and the JSON Schema that accepts the same
values. `bool` never counts as a number, and NaN and the infinities are no numbers either; for
JSON Schema `2.0` is a whole number, and it has no word for NaN.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
"""A JSON Schema (2020-12) as Python has it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold a phrase such as "a whole number >= 1", the test for it, and the test as JSON Schema.

    `choices` are the names among the accepted values: what a misspelt one is compared with.
    """

    expected: str
    accepts: Callable[[object], bool]
    schema: Schema
    choices: tuple[str, ...] = ()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value)


def whole(minimum: int | None = None, maximum: int | None = None) -> Rule:
    """Accept whole numbers from `minimum` to `maximum`, both included."""
    bounds = [f">= {minimum}"] if minimum is not None else []
    bounds += [f"<= {maximum}"] if maximum is not None else []

    def accepts(value: object) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)

    schema = {"type": "integer"} | _present(minimum=minimum, maximum=maximum)
    return Rule(" ".join(["a whole number", " and ".join(bounds)]).strip(), accepts, schema)


def _present(**bounds: float | None) -> dict[str, Any]:
    return {name: bound for name, bound in bounds.items() if bound is not None}


def number(
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> Rule:
    """Accept finite numbers within the given bounds."""
    tests: list[tuple[str, Callable[[float], bool]]] = []
    if at_least is not None:
        tests.append((f">= {at_least:g}", lambda value: value >= at_least))
    if above is not None:
        tests.append((f"> {above:g}", lambda value: value > above))
    if at_most is not None:
        tests.append((f"<= {at_most:g}", lambda value: value <= at_most))
    if below is not None:
        tests.append((f"< {below:g}", lambda value: value < below))

    def accepts(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return math.isfinite(value) and all(test(value) for _, test in tests)

    phrase = " and ".join(text for text, _ in tests)
    schema = {"type": "number"} | _present(
        minimum=at_least, exclusiveMinimum=above, maximum=at_most, exclusiveMaximum=below
    )
    return Rule(f"a number {phrase}".strip(), accepts, schema)


def choice(*names: str) -> Rule:
    """Accept one of `names`."""
    phrase = f"one of {', '.join(names)}"
    return Rule(phrase, lambda value: value in names, {"enum": [*names]}, names)


def either(*rules: Rule) -> Rule:
    """Accept what any of `rules` accepts."""
    phrase = ", or ".join(rule.expected for rule in rules)
    schema = any_of(*(rule.schema for rule in rules))
    choices = tuple(name for rule in rules for name in rule.choices)
    return Rule(phrase, lambda value: any(rule.accepts(value) for rule in rules), schema, choices)


def any_of(*schemas: Schema) -> Schema:
    """Return the JSON Schema that accepts what any of `schemas` accepts."""
    flat: list[Schema] = []
    for schema in schemas:
        flat += schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def optional(rule: Rule) -> Rule:
    """Accept null besides what `rule` accepts."""
    return Rule(
        f"{rule.expected}, or null",
        lambda value: value is None or rule.accepts(value),
        any_of(rule.schema, {"type": "null"}),
        rule.choices,
    )


def list_of(rule: Rule, length: int | None = None, *, of: str = "") -> Rule:
    """Accept a list of values that `rule` accepts: exactly `length` of them, or at least one.

    `of` replaces the plural phrase, which is otherwise made from the rule's own.
    """
    words = of or _plural(rule.expected)
    many = f"a list of {words}" if length is None else f"a list of {length} {words}"

    def accepts(value: object) -> bool:
        if not isinstance(value, (list, tuple)) or not value:
            return False
        return (length is None or len(value) == length) and all(map(rule.accepts, value))

    return Rule(many, accepts, _array(rule.schema, length))


def _array(items: Schema, length: int | None = None) -> Schema:
    bounds = {"minItems": 1} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **bounds}


def _plural(phrase: str) -> str:
    words = phrase.removeprefix("a ")
    for noun in ("whole number", "number", "text"):
        if words.startswith(noun):
            return words.replace(noun, f"{noun}s", 1)
    return f"values, each {phrase}"


def per_axis(rank: int, minimum: int = 1) -> Rule:
    """Accept one whole number, or a list with one for each of `rank` spatial axes."""
    one = whole(minimum)
    many = list_of(one, rank)
    return either(one, Rule(f"a list of {rank} of them", many.accepts, many.schema))


def _is_increasing(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not value or not all(map(_is_number, value)):
        return False
    return all(before < after for before, after in itertools.pairwise(value))


def _is_step_count(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) == {"epochs"} and number(above=0).accepts(value["epochs"])
    return False


def steps(minimum: int) -> Rule:
    """Accept a count of steps, or `{epochs: N}`, which the builder turns into steps."""
    schema = {
        "type": "object",
        "properties": {"epochs": number(above=0).schema},
        "required": ["epochs"],
        "additionalProperties": False,
    }
    return either(whole(minimum), Rule("{epochs: N} with N > 0", _is_step_count, schema))


def _rises(values: Sequence[object]) -> bool:
    counts = [value["epochs"] if isinstance(value, dict) else value for value in values]
    kinds = {isinstance(value, dict) for value in values}
    # Steps and epochs can't be compared before the number of steps an epoch is known.
    return len(kinds) > 1 or _is_increasing(counts)


def _is_boundaries(value: object) -> bool:
    one = steps(1)
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(map(one.accepts, value))
        and _rises(value)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def ends_in(*suffixes: str) -> Rule:
    """Accept a path that ends in one of `suffixes`."""
    return Rule(
        f"a path that ends in {' or '.join(suffixes)}",
        lambda value: isinstance(value, str) and value.endswith(suffixes),
        {"type": "string", "pattern": f"(?:{'|'.join(map(re.escape, suffixes))})$"},
    )


BOOLEAN = Rule(
    "true or false",
    lambda value: isinstance(value, bool),
    {"type": "boolean"},
    ("true", "false"),
)
TEXT = Rule("a text", _is_text, {"type": "string", "pattern": r"\S"})
# Keras uses / to separate the scopes of a variable's path, and refuses it in names.
NAME = Rule(
    "a text without /",
    lambda value: _is_text(value) and "/" not in str(value),
    {"type": "string", "pattern": r"^[^/]*[^/\s][^/]*$"},
)
CHARACTER = Rule(
    "one character",
    lambda value: isinstance(value, str) and len(value) == 1,
    {"type": "string", "minLength": 1, "maxLength": 1},
)
MAPPING = Rule("a mapping", lambda value: isinstance(value, dict), {"type": "object"})
NULL = Rule("null", lambda value: value is None, {"type": "null"})
NUMBER = number()
# That the values rise is more than JSON Schema can say.
INCREASING = Rule("a list of increasing numbers", _is_increasing, _array(NUMBER.schema))
BOUNDARIES = Rule(
    "a list of increasing step counts, each a whole number >= 1, or {epochs: N} with N > 0",
    _is_boundaries,
    _array(steps(1).schema),
)
AXIS = Rule("a whole number", _is_whole, {"type": "integer"})
AXES = Rule(
    "a whole number, or a list of them",
    lambda value: _is_whole(value) or list_of(AXIS).accepts(value),
    any_of(AXIS.schema, _array(AXIS.schema)),
)
NUMBER_OR_PAIR = either(NUMBER, list_of(NUMBER, 2))
