"""How does YAML text become data? YAML 1.2 scalars, positions kept, duplicates and tags refused."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any

import yaml

from dltrain.config.document import Document, Place
from dltrain.config.paths import Path, format_path
from dltrain.errors import ConfigError, Problem, UsageError

# A config is some hundred values; more than this is an alias bomb or not a config.
MAX_VALUES = 100_000
MAX_DEPTH = 60
MAX_BYTES = 5_000_000
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


class _Loader(yaml.SafeLoader):
    """Parse without YAML 1.1's implicit types; scalars are resolved by `resolve_scalar`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own class attribute)


def read_file(path: FilePath) -> Document:
    """Read a YAML file.

    Raises UsageError if it can't be read at all, ConfigError with positions if it isn't YAML.
    """
    text = _read_text(path)
    return read_text(text, source=str(path))


def read_text(text: str, *, source: str) -> Document:
    """Read YAML text whose top level is a mapping; `source` names it in problems."""
    node = _compose(text, source)
    if node is None:
        raise ConfigError(
            [Problem(source, 1, 1, "", "the file holds no YAML.", "A config starts with `name:`.")]
        )
    document = Document(data={}, source=source, order=(source,), texts={source: text})
    builder = _Builder(document)
    data = builder.build(node, (), 0, ())
    if not isinstance(data, dict) and not builder.problems:
        builder.note(
            node, (), f"expected sections such as dataset: and model:, received {describe(data)}."
        )
    if builder.problems:
        raise ConfigError(builder.problems)
    document.data = data
    return document


def read_value(text: str, *, source: str) -> Any:
    """Read one YAML value, as `--set KEY=VALUE` gives it; problems name `source`."""
    try:
        node = _compose(text, source)
    except ConfigError as error:
        first = error.problems[0]
        raise ConfigError([Problem(source, 0, 0, "", first.message, first.hint)]) from None
    if node is None:
        return None
    builder = _Builder(Document(data={}, source=source))
    value = builder.build(node, (), 0, ())
    if builder.problems:
        first = builder.problems[0]
        raise ConfigError([Problem(source, 0, 0, first.key, first.message, first.hint)])
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
        raise ConfigError(
            [
                Problem(
                    str(path),
                    raw[: error.start].count(b"\n") + 1,
                    1,
                    "",
                    f"expected UTF-8 text, received the byte 0x{raw[error.start]:02x}.",
                    "Is this a YAML file?",
                )
            ]
        ) from None


def _compose(text: str, source: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError([Problem(source, line, column, "", f"not valid YAML: {what}.")]) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        character = f"U+{ord(text[error.position]):04X}"
        raise ConfigError(
            [
                Problem(
                    source,
                    line,
                    1,
                    "",
                    f"not valid YAML: the character {character} is not allowed.",
                    "Is this a YAML file?",
                )
            ]
        ) from None
    except (ValueError, OverflowError):  # "\\UFFFFFFFF", or a version of 5,000 digits
        message = "not valid YAML: a number or an escaped character is out of range."
        raise ConfigError([Problem(source, 1, 1, "", message)]) from None
    except RecursionError:
        raise ConfigError(
            [Problem(source, 1, 1, "", f"nested deeper than {MAX_DEPTH} levels.")]
        ) from None
    return node


class _Builder:
    """Turn composed nodes into plain data, noting where every key and value stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._count = 0

    def note(self, node: yaml.Node, path: Path, message: str, hint: str = "") -> None:
        place = self._place(node)
        self.problems.append(
            Problem(place.source, place.line, place.column, format_path(path), message, hint)
        )

    def build(self, node: yaml.Node, path: Path, depth: int, above: tuple[int, ...]) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            if self._count == MAX_VALUES + 1:
                self.note(node, path, f"more than {MAX_VALUES:,} values once aliases are expanded.")
            return None
        if id(node) in above:
            self.note(node, path, "an anchor contains itself.")
            return None
        if depth > MAX_DEPTH:
            self.note(node, path, f"nested deeper than {MAX_DEPTH} levels.")
            return None
        if node.tag not in _PLAIN_TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.note(node, path, f"the tag {tag} is not allowed.", "Write the value without it.")
            return None
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

    def _build_mapping(
        self, node: yaml.MappingNode, path: Path, depth: int, above: tuple[int, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.note(key_node, path, "expected a name as key, received a list or a mapping.")
                continue
            key = str(key_node.value)
            below = (*path, key)
            if self._is_unwritable(key_node, below):
                continue
            if key in result:
                first = self.document.keys[below]
                self.note(
                    key_node, below, f"the key '{key}' stands twice (first: line {first.line})."
                )
                continue
            self.document.keys[below] = self._place(key_node)
            result[key] = self.build(value_node, below, depth + 1, above)
        return result

    def _is_unwritable(self, node: yaml.ScalarNode, path: Path) -> bool:
        """Note an escaped character that neither a file's name nor its text can hold."""
        found = _UNWRITABLE.search(node.value)
        if found:
            escaped = f"U+{ord(found[0]):04X}"
            self.note(node, path[:-1], f"the character {escaped} is not allowed.")
        return found is not None

    def _build_scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if self._is_unwritable(node, (*path, "")):
            return None
        if node.style is not None:  # quoted or a block: always text
            return node.value
        try:
            return resolve_scalar(node.value)
        except ValueError:
            self.note(node, path, f"a number of {len(node.value):,} digits is too large.")
            return None

    def _place(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(self.document.source, mark.line + 1, mark.column + 1)
