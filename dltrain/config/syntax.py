"""What does the YAML parser object to, where, and how is it mended?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from dltrain.errors import ConfigError, Problem

MAX_DEPTH = 60
# A config is some hundred values; more than this is an alias bomb or not a config.
MAX_VALUES = 20_000

# Deeper than this the parser's own recursion comes to its end before it is told where.
_MAX_PARSED_DEPTH = 200

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What the parser counts as the end of a line (YAML 1.1; the last three not in YAML 1.2)."""

_VALUES = ("<scalar>", "<alias>", "<anchor>", "<tag>")


@dataclass(frozen=True)
class _Objection:
    """What PyYAML says, taken apart; `found` is the token or character that it met."""

    problem: str
    context: str
    found: str
    line: int
    column: int
    opened_line: int
    opened_column: int
    before: str
    """The text of the line before the place."""


@dataclass(frozen=True)
class _Explanation:
    """What a person is told instead; `at_opening` points at where the broken thing begins."""

    message: str = ""
    hint: str = ""
    expected: str | None = None
    received: str | None = None
    at_opening: bool = False


class _TooMuch(Exception):
    """More than a config can need, at a place of the text."""

    def __init__(self, mark: Any, words: dict[str, Any]) -> None:
        super().__init__()
        self.mark = mark
        self.words = words


class _Loader(yaml.SafeLoader):
    """Parse without YAML 1.1's implicit types; scalars are resolved by `resolve_scalar`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own class attribute)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._count = 0

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:
        # The scanner looks up to 1,024 brackets ahead, in a time that grows with their square.
        if self.flow_level >= _MAX_PARSED_DEPTH:
            mark = self.get_mark()
            raise _TooMuch(mark, too_deep())
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._count += 1
        self._depth += 1
        if self._depth > _MAX_PARSED_DEPTH or self._count > MAX_VALUES:
            words = too_deep() if self._depth > _MAX_PARSED_DEPTH else too_many()
            event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _TooMuch(event.start_mark, words)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def too_deep() -> dict[str, str]:
    """Return the words of a problem: more levels than a config can have."""
    return {
        "message": f"nested deeper than {MAX_DEPTH} levels.",
        "expected": f"at most {MAX_DEPTH} levels",
        "received": "more",
    }


def too_many() -> dict[str, str]:
    """Return the words of a problem: more values than a config can have."""
    return {
        "message": f"more than {MAX_VALUES:,} values once aliases are expanded.",
        "expected": f"at most {MAX_VALUES:,} values",
        "received": "more",
    }


def locate(text: str) -> tuple[int, int]:
    """Return the line and the column, from 1, of what follows after `text`."""
    lines = LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1


def compose(text: str, source: str) -> yaml.Node | None:
    """Parse one YAML document; None if there is none in the text.

    Raises ConfigError with the one problem at which the parser gave up.
    """
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        problem = _explain(error, text, source)
    except yaml.reader.ReaderError as error:
        character = f"the character U+{ord(text[error.position]):04X}"
        problem = Problem(
            source,
            *locate(text[: error.position]),
            "",
            f"not valid YAML: {character} is not allowed.",
            "Is this a YAML file?",
            expected="text",
            received=character,
        )
    except _TooMuch as error:
        place = (error.mark.line + 1, error.mark.column + 1)
        problem = Problem(source, *place, "", **error.words)
    except (ValueError, OverflowError):  # "\\UFFFFFFFF", or a version of 5,000 digits
        message = "not valid YAML: a number or an escaped character is out of range."
        problem = Problem(source, 1, 1, "", message)
    except RecursionError:
        problem = Problem(source, 1, 1, "", **too_deep())
    else:
        return node
    raise ConfigError([problem]) from None


def _explain(error: yaml.MarkedYAMLError, text: str, source: str) -> Problem:
    objection = _take_apart(error, text)
    explained = _Explanation(message=f"{objection.context} {objection.problem}".strip() + ".")
    for beginning, explain in _EXPLANATIONS.items():
        if objection.problem.startswith(beginning):
            explained = explain(objection) or explained
            break
    message = explained.message or f"expected {explained.expected}, received {explained.received}."
    line, column = objection.line, objection.column
    if explained.at_opening:
        line, column = objection.opened_line, objection.opened_column
    return Problem(
        source,
        line,
        column,
        "",
        f"not valid YAML: {message}",
        explained.hint,
        explained.expected,
        explained.received,
    )


def _take_apart(error: yaml.MarkedYAMLError, text: str) -> _Objection:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    opened = error.context_mark or mark
    problem = error.problem or ""
    found = re.search(r"(?:found|got)(?: \w+)* '(.+)'", problem, re.DOTALL)
    lines = LINE_BREAK.split(text)
    return _Objection(
        problem=problem,
        context=error.context or "",
        found=found[1] if found else "",
        line=line + 1,
        column=column + 1,
        opened_line=opened.line + 1 if opened else 1,
        opened_column=opened.column + 1 if opened else 1,
        before=lines[line][:column] if line < len(lines) else "",
    )


_TOKENS = {
    "<stream end>": "the end of the text",
    "<document start>": "---",
    "<document end>": "...",
    "<block mapping start>": "a key",
    "<block sequence start>": "a list",
    "?": "a key",
    "-": "a list's item",
    "<scalar>": "a text",
    "<alias>": "an alias",
    "<anchor>": "an anchor",
    "<tag>": "a tag",
    "\\t": "a tab",
    "\\n": "the end of the line",
}


def _name_found(objection: _Objection) -> str:
    return _TOKENS.get(objection.found, f"'{objection.found}'")


def _unclosed(objection: _Objection) -> _Explanation:
    sequence = "sequence" in objection.context
    what, closing = ("list", "]") if sequence else ("mapping", "}")
    opened = f"line {objection.opened_line}, column {objection.opened_column}"
    hint = f"The {what} that opens at {opened} isn't closed."
    if not sequence and objection.found == "[":  # a path of `sweep.space`, most likely
        hint = 'In braces a key with a bracket is quoted: {"model.layers[0].units": …}.'
    return _Explanation(
        hint=hint,
        expected=f"',' or '{closing}'",
        received=_name_found(objection),
    )


def _no_token(objection: _Objection) -> _Explanation:
    if objection.found == "\\t":
        return _Explanation(
            hint="YAML is indented with spaces only.", expected="spaces", received="a tab"
        )
    received = f"'{objection.found}'"
    return _Explanation(
        f"a text can't begin with {received}.", "Put it in quotes.", "a value", received
    )


def _second_colon(objection: _Objection) -> _Explanation:
    if re.search(r":\s", objection.before):
        return _Explanation(
            hint="Put a text that holds ': ' in quotes, or write the mapping as {key: value}.",
            expected="one value after 'key: '",
            received="a second ':'",
        )
    return _Explanation(
        hint="A key is indented like the others of its section, and a space follows its ':'.",
        expected="a line that goes on with the one above",
        received="a key",
    )


def _no_colon(objection: _Objection) -> _Explanation:
    return _Explanation(
        hint="Write `key: value`, with a space after the colon.",
        expected="a ':' after the key",
        received="none",
        at_opening=True,
    )


def _unended_block(objection: _Objection) -> _Explanation:
    if objection.found in _VALUES:
        return _Explanation(
            hint="Put the whole text in quotes.",
            expected="the end of the value",
            received=f"{_name_found(objection)} after it",
        )
    what = "list" if "collection" in objection.context else "mapping"
    return _Explanation(
        hint="Indent it like the line that it belongs beside.",
        expected=f"a line of the {what} that begins at line {objection.opened_line}, "
        f"column {objection.opened_column}",
        received=_name_found(objection),
    )


def _outdented(objection: _Objection) -> _Explanation:
    return _Explanation(
        hint="The sections of a config all begin in the first column.",
        expected="a line indented like the first one",
        received=_name_found(objection),
    )


def _unclosed_quote(objection: _Objection) -> _Explanation | None:
    if "quoted" not in objection.context:
        return None
    return _Explanation(
        "the quote that opens here isn't closed.",
        expected="a closing quote",
        received="the end of the text",
        at_opening=True,
    )


def _no_value(objection: _Objection) -> _Explanation:
    return _Explanation(expected="a value", received=_name_found(objection))


def _no_anchor(objection: _Objection) -> _Explanation:
    return _Explanation(
        f"there is no anchor '&{objection.found}' above.",
        "Put a text that begins with * in quotes.",
        "the name of an anchor",
        f"'{objection.found}'",
    )


def _second_document(objection: _Objection) -> _Explanation:
    return _Explanation(
        hint="Delete the line ---, or all that belongs to the other document.",
        expected="one document",
        received="a second one",
    )


def _list_behind_key(objection: _Objection) -> _Explanation:
    return _Explanation(
        hint="Begin it on the next line, or write [a, b].",
        expected="a value",
        received="a list's item behind a key",
    )


def _unknown_escape(objection: _Objection) -> _Explanation:
    return _Explanation(
        f"there is no escape '\\{objection.found}'.",
        "In single quotes a backslash is a character as any other.",
        "an escape such as \\n",
        f"'\\{objection.found}'",
    )


# How PyYAML's sentence begins -> what it means to somebody who never wrote a parser.
_EXPLANATIONS: dict[str, Callable[[_Objection], _Explanation | None]] = {
    "expected ',' or": _unclosed,
    "found character": _no_token,
    "mapping values are not allowed here": _second_colon,
    "could not find expected ':'": _no_colon,
    "expected <block end>": _unended_block,
    "expected '<document start>'": _outdented,
    "found unexpected end of stream": _unclosed_quote,
    "expected the node content": _no_value,
    "found undefined alias": _no_anchor,
    "but found another document": _second_document,
    "sequence entries are not allowed here": _list_behind_key,
    "found unknown escape character": _unknown_escape,
}
