"""How does YAML text become data? YAML 1.2 scalars, positions kept, duplicates and tags refused."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path as FilePath
from typing import Any

import yaml

from dltrain.config.document import Document, Place, make_problem
from dltrain.config.paths import Path
from dltrain.config.syntax import MAX_DEPTH, MAX_VALUES, compose, locate, too_deep, too_many
from dltrain.errors import ConfigError, Problem, UsageError

MAX_BYTES = 1_000_000
# What int64 holds: larger ones overflow a float, or Python refuses to print them.
MAX_WHOLE = 2**63 - 1

# YAML 1.2.2, section 10.3.2 "Core schema, tag resolution".
NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
INTEGER = re.compile(r"^[-+]?[0-9]+$")
OCTAL = re.compile(r"^0o[0-7]+$")
HEXADECIMAL = re.compile(r"^0x[0-9a-fA-F]+$")
FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
INFINITY = re.compile(r"^[-+]?\.(?:inf|Inf|INF)$")
NOT_A_NUMBER = re.compile(r"^\.(?:nan|NaN|NAN)$")

# The null character, and halves of surrogate pairs, which UTF-8 can't write.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")

_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")}


def read_file(path: FilePath) -> Document:
    """Read a YAML file.

    Raises UsageError if it can't be read at all, ConfigError with positions if it isn't YAML.
    """
    text = _read_text(path)
    return read_text(text, source=str(path))


def read_text(text: str, *, source: str) -> Document:
    """Read YAML text whose top level is a mapping; `source` names it in problems.

    Mistakes that leave the rest readable (a key twice, a tag) are in the document's `found`.
    Raises ConfigError for all others.
    """
    node = compose(text, source)
    if node is None:
        raise ConfigError(
            [Problem(source, 1, 1, "", "the file holds no YAML.", "A config starts with `name:`.")]
        )
    document = Document(data={}, source=source, order=(source,), texts={source: text})
    builder = _Builder(document)
    data = builder.build(node, (), 0, ())
    if isinstance(data, dict):
        document.data = data
        return document
    if not document.found:
        builder.note(
            node, (), expected="sections such as dataset: and model:", received=describe(data)
        )
    raise ConfigError([problem for _, problem in document.found])


def read_value(text: str, *, source: str) -> Any:
    """Read one YAML value, as `--set KEY=VALUE` gives it; problems name `source`."""
    document = Document(data={}, source=source)
    try:
        node = compose(text, source)
        value = None if node is None else _Builder(document).build(node, (), 0, ())
    except ConfigError as error:
        document.found = [((), problem) for problem in error.problems]
    if document.found:
        raise ConfigError(
            [dataclasses.replace(problem, line=0, column=0) for _, problem in document.found]
        )
    return value


def resolve_scalar(text: str) -> Any:
    """Return the null, boolean, number or string that a plain scalar means in YAML 1.2.

    Raises ValueError for a whole number that int64 can't hold.
    """
    whole = _resolve_whole(text)
    if whole is not None:
        if abs(whole) > MAX_WHOLE:
            raise ValueError(f"{text} is larger than {MAX_WHOLE}")
        return whole
    if NULL.match(text):
        return None
    if BOOLEAN.match(text):
        return text.lower() == "true"
    if FLOAT.match(text):
        return float(text)
    if INFINITY.match(text):
        return float("-inf") if text.startswith("-") else float("inf")
    if NOT_A_NUMBER.match(text):
        return float("nan")
    return text


def _resolve_whole(text: str) -> int | None:
    if INTEGER.match(text):
        return int(text)
    if OCTAL.match(text):
        return int(text[2:], 8)
    if HEXADECIMAL.match(text):
        return int(text[2:], 16)
    return None


def describe(value: object) -> str:
    """Say what a value is, the way a problem names what it received."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        text = repr(value)
        return f"the number {text if len(text) <= 40 else text[:37] + '...'}"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 40 else value[:37] + '...'}'"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"a {type(value).__name__}"


def _read_text(path: FilePath) -> str:
    try:
        if path.is_dir():
            raise UsageError(
                f"{path} is a directory; expected a YAML file.", hint=f"Name a file in {path}/."
            )
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            f"{path} doesn't exist.", hint="Give the path of a YAML config file."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from None
    except ValueError:  # a null character
        raise UsageError(f"{str(path)!r} is no path of a file.") from None
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB; expected a config.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = locate(raw[: error.start].decode("utf-8-sig"))
        received = f"the byte 0x{raw[error.start]:02x}"
        raise ConfigError(
            [
                Problem(
                    str(path),
                    line,
                    column,
                    "",
                    f"expected UTF-8 text, received {received}.",
                    "Is this a YAML file?",
                    "UTF-8 text",
                    received,
                )
            ]
        ) from None


class _Builder:
    """Turn composed nodes into plain data, noting where every key and value stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._count = 0

    def note(
        self,
        node: yaml.Node,
        path: Path,
        message: str = "",
        hint: str = "",
        *,
        expected: str | None = None,
        received: str | None = None,
    ) -> None:
        place = self._place(node)
        problem = make_problem(place, path, message, hint, expected=expected, received=received)
        self.document.found.append((path, problem))

    def refuse(
        self,
        node: yaml.Node,
        path: Path,
        message: str,
        hint: str = "",
        *,
        expected: str | None = None,
        received: str | None = None,
    ) -> None:
        """Note that the value at `path` can't be read: null stands for it."""
        self.note(node, path, message, hint, expected=expected, received=received)
        self.document.values[path] = self.document.unread[path] = self._place(node)

    def build(self, node: yaml.Node, path: Path, depth: int, above: tuple[int, ...]) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            # All but the first values are an anchor's, and every further check would take long.
            self.note(node, path, **too_many())
            raise ConfigError([problem for _, problem in self.document.found])
        if id(node) in above:
            self.refuse(node, path, "an anchor contains itself.")
        elif depth > MAX_DEPTH:
            self.refuse(node, path, **too_deep())
        elif node.tag not in _PLAIN_TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the tag {tag} is not allowed."
            hint = "Write the value without it."
            self.refuse(node, path, message, hint, expected="no tag", received=tag)
        else:
            self.document.values[path] = self._place(node)
            if isinstance(node, yaml.MappingNode):
                return self._build_mapping(node, path, depth, (*above, id(node)))
            if isinstance(node, yaml.SequenceNode):
                below = (*above, id(node))
                return [
                    self.build(item, (*path, index), depth + 1, below)
                    for index, item in enumerate(node.value)
                ]
            assert isinstance(node, yaml.ScalarNode)
            return self._build_scalar(node, path)
        return None

    def _build_mapping(
        self, node: yaml.MappingNode, path: Path, depth: int, above: tuple[int, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                received = "a list" if isinstance(key_node, yaml.SequenceNode) else "a mapping"
                self.note(key_node, path, expected="a name as key", received=received)
                continue
            key = str(key_node.value)
            below = (*path, key)
            found = _UNWRITABLE.search(key)
            if found:
                self.note(key_node, path, f"the character U+{ord(found[0]):04X} is not allowed.")
                continue
            if key in result:
                first = self.document.keys[below]
                self.note(
                    key_node,
                    below,
                    f"the key '{key}' stands twice (first: line {first.line}).",
                    "Delete one of the two.",
                    expected=f"'{key}' once",
                    received=f"a second '{key}'",
                )
                continue
            self.document.keys[below] = self._place(key_node)
            result[key] = self.build(value_node, below, depth + 1, above)
        return result

    def _build_scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        found = _UNWRITABLE.search(node.value)
        if found:
            message = f"the character U+{ord(found[0]):04X} is not allowed."
            self.refuse(node, path, message)
            return None
        if node.style is not None:  # quoted or a block: always text
            return node.value
        try:
            return resolve_scalar(node.value)
        except ValueError:
            received = f"a number of {len(node.value):,} digits"
            self.refuse(
                node,
                path,
                f"{received} is too large.",
                expected=f"a number up to {MAX_WHOLE}",
                received=received,
            )
            return None

    def _place(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(self.document.source, mark.line + 1, mark.column + 1)
