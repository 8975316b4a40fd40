"""How do entries of the glossary look in a terminal? Lines of text, wrapped by columns.

Chinese characters are two columns wide and have no spaces between them, so the lines are broken
here: between any two of them, but never before a closing mark or after an opening one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from dltrain.config.components import KIND_WORDS
from dltrain.glossary.entries import (
    ArgumentEntry,
    ChapterEntry,
    ComponentEntry,
    ConceptEntry,
    DatasetEntry,
    Entry,
    KeyEntry,
    KindEntry,
    Row,
)
from dltrain.glossary.texts import Lang, concepts

_WIDE = "\u2e80-\u9fff\uff00-\uffef"
_CLOSING = "，。；：！？、）】》」』”’"
_OPENING = "（【《「『“‘"
_PIECE = re.compile(
    rf"[{_OPENING}]*(?:[^\s{_WIDE}{_CLOSING}{_OPENING}]+|[{_WIDE}]|[{_CLOSING}])[{_CLOSING}]*|\s+"
)
_INDENT = "  "
_MAX_NAMES = 12

_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "concept": "idea",
        "key": "key of the config",
        "kind": "kind of component",
        "argument": "argument",
        "dataset": "dataset",
        **KIND_WORDS,
        "expected": "Expected: ",
        "default": "Default: ",
        "by_default": "; default {}",
        "semicolon": "; ",
        "required": "required",
        "keys": "Keys: ",
        "names": "Names: ",
        "commands": "Commands: ",
        "also_called": "Also called: ",
        "shared": "And, as others of its kind: ",
        "choices": "One of: ",
        "ideas": "Ideas: ",
        "see": "See also: ",
        "related": "Related: ",
        "where": "Stands at: ",
        "more": "and {} more",
        "unsupported": "This version of dltrain has no key for it.",
        "not_yet": "no key in this version",
        "rows": "{train:,} training rows, {test:,} test rows; one row: {shape}.",
        "text_shape": "a text",
        "classes": "Classes: ",
        "map_end": "`dltrain describe NAME` explains an idea, a key or a Keras name.",
        "colon": ": ",
    },
    "zh": {
        "concept": "概念",
        "key": "配置的键",
        "kind": "组件类别",
        "argument": "参数",
        "dataset": "数据集",
        "layers": "层",
        "optimizers": "优化器",
        "losses": "损失",
        "metrics": "指标",
        "regularizers": "正则化器",
        "constraints": "约束",
        "initializers": "初始化器",
        "activations": "激活函数",
        "schedules": "学习率调度",
        "callbacks": "回调",
        "expected": "可取：",
        "default": "默认：",
        "by_default": "；默认 {}",
        "semicolon": "；",
        "required": "必填",
        "keys": "键：",
        "names": "名字：",
        "commands": "命令：",
        "also_called": "又名：",
        "shared": "以及同类共有的：",
        "choices": "可选：",
        "ideas": "概念：",
        "see": "参见：",
        "related": "相关：",
        "where": "写在：",
        "more": "以及另外 {} 个",
        "unsupported": "此版本的 dltrain 还没有对应的键。",
        "not_yet": "此版本尚无对应的键",
        "rows": "训练样本 {train:,} 个，测试样本 {test:,} 个；一个样本：{shape}。",
        "text_shape": "一段文本",
        "classes": "类别：",
        "map_end": "`dltrain describe NAME` 解释一个概念、键或 Keras 名字。",
        "colon": "：",
    },
}

# Arguments that nearly every component of a kind takes, and that a beginner never needs.
SHARED_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "layers": ("activity_regularizer", "autocast", "dtype", "name", "trainable"),
    "optimizers": (
        *("clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency"),
        *("loss_scale_factor", "gradient_accumulation_steps", "name"),
    ),
    "losses": ("reduction", "name", "dtype"),
    "metrics": ("name", "dtype"),
    "schedules": ("name",),
}


def wrap(text: str, width: int) -> list[str]:
    """Break `text` into lines of at most `width` columns; a longer word stays whole."""
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and cell_len(line) + cell_len(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        if line or not piece.isspace():
            line += " " if piece.isspace() else piece
    return [*lines, line.rstrip()] if line.strip() else lines


def render_map(map_: Sequence[ChapterEntry], lang: Lang, width: int) -> Iterator[Text]:
    """Yield the lines of the map from idea to key, a chapter after the other."""
    titles = [concept.title for chapter in map_ for concept in chapter.concepts]
    left = max(map(cell_len, titles)) + 2
    for chapter in map_:
        yield Text(chapter.title, style="bold")
        for concept in chapter.concepts:
            lines = wrap(_places(concept, lang), width - left - 2)
            for index, line in enumerate(lines):
                title = _pad(concept.title if index == 0 else "", left)
                yield Text(f"{_INDENT}{title}{line}", style="" if concept.supported else "dim")
        yield Text("")
    yield Text(_WORDS[lang]["map_end"])


def _places(concept: ConceptEntry, lang: Lang) -> str:
    """Say by what a config has the idea: its keys, components, else the commands."""
    keys, names = ", ".join(concept.keys), ", ".join(each.name for each in concept.components)
    if keys and names:
        return f"{keys} ({names})"
    commands = ", ".join(f"dltrain {command}" for command in concept.commands)
    return keys or names or commands or _WORDS[lang]["not_yet"]


def render_entry(entry: Entry, lang: Lang, width: int) -> Iterator[Text]:
    """Yield the lines of one entry."""
    words = _WORDS[lang]
    yield from _head(entry, words, width)
    if isinstance(entry, ConceptEntry):
        yield from _concept_lines(entry, lang, width)
    elif isinstance(entry, KeyEntry):
        yield from _key_lines(entry, lang, width)
    elif isinstance(entry, KindEntry):
        yield from _paragraph(entry.text, width)
        yield from _listed(words["where"], [entry.where], width)
        yield from _listed(words["choices"], entry.choices, width)
    elif isinstance(entry, ComponentEntry):
        yield from _component_lines(entry, lang, width)
    elif isinstance(entry, ArgumentEntry):
        yield from _argument_lines(entry, lang, width)
    else:
        yield from _dataset_lines(entry, words, width)


def _head(entry: Entry, words: dict[str, str], width: int) -> Iterator[Text]:
    """Yield the name in bold and what it is, on a second line where one has no room."""
    kind = words[entry.of] if isinstance(entry, ComponentEntry) else words[entry.kind]
    title = entry.title if isinstance(entry, ConceptEntry) else entry.name
    if isinstance(entry, ComponentEntry):
        kind += f" ({entry.class_name})"
    if cell_len(title) + cell_len(kind) + len(_INDENT) > width:
        yield Text(title, style="bold")
        yield Text(_INDENT + kind, style="dim")
    else:
        yield Text.assemble((title, "bold"), (_INDENT + kind, "dim"))


def _concept_lines(entry: ConceptEntry, lang: Lang, width: int) -> Iterator[Text]:
    words = _WORDS[lang]
    yield from _paragraph(entry.text, width)
    if not entry.supported:
        yield from _paragraph(words["unsupported"], width)
    yield from _example(entry.example)
    yield from _listed(words["keys"], entry.keys, width)
    yield from _listed(words["names"], [named.name for named in entry.components], width)
    commands = [f"dltrain {command}" for command in entry.commands]
    yield from _listed(words["commands"], commands, width)
    yield from _listed(words["see"], _ideas(entry.see, lang), width)


def _key_lines(entry: KeyEntry, lang: Lang, width: int) -> Iterator[Text]:
    words = _WORDS[lang]
    yield from _paragraph(entry.text, width)
    yield from _paragraph(words["expected"] + entry.expected, width)
    if not entry.keys:
        yield from _paragraph(words["default"] + _say_default(entry, words), width)
    yield from _example(entry.example)
    yield from _table(entry.keys, words, width)
    yield from _listed(words["choices"], entry.choices, width)
    yield from _listed(words["ideas"], _ideas(entry.concepts, lang), width)


def _component_lines(entry: ComponentEntry, lang: Lang, width: int) -> Iterator[Text]:
    words = _WORDS[lang]
    yield from _paragraph(entry.text, width)
    if entry.refused:
        yield from _paragraph(entry.refused, width)
    yield from _listed(words["also_called"], entry.aliases, width)
    yield from _example(entry.example)
    shared = SHARED_ARGUMENTS.get(entry.of, ())
    yield from _table([row for row in entry.arguments if row.name not in shared], words, width)
    others = [row.name for row in entry.arguments if row.name in shared]
    yield from _listed(words["shared"], others, width)
    yield from _listed(words["ideas"], _ideas(entry.concepts, lang), width)
    yield from _listed(words["related"], entry.see, width)


def _argument_lines(entry: ArgumentEntry, lang: Lang, width: int) -> Iterator[Text]:
    words = _WORDS[lang]
    yield from _paragraph(entry.text, width)
    for use in entry.uses:
        default = words["by_default"].format(_plain(use.default))
        if use.required:
            default = words["semicolon"] + words["required"]
        names = list(use.components[:_MAX_NAMES])
        if len(use.components) > _MAX_NAMES:
            names.append(words["more"].format(len(use.components) - _MAX_NAMES))
        yield from _paragraph(f"{words[use.of]}{words['colon']}{', '.join(names)}", width)
        yield from _paragraph(use.expected + default, width, indent=_INDENT * 2)
    yield from _listed(words["ideas"], _ideas(entry.concepts, lang), width)


def _dataset_lines(entry: DatasetEntry, words: dict[str, str], width: int) -> Iterator[Text]:
    yield from _paragraph(entry.text, width)
    shape = "×".join(map(str, entry.shape)) or words["text_shape"]
    rows = words["rows"].format(train=entry.train_rows, test=entry.test_rows, shape=shape)
    yield from _paragraph(rows, width)
    yield from _listed(words["classes"], entry.classes, width)
    yield from _example(entry.example)


def _ideas(ids: Iterable[str], lang: Lang) -> list[str]:
    """Return what to ask for: an idea's id, or its Chinese title."""
    return [name if lang == "en" else concepts()[name].title(lang) for name in ids]


def _paragraph(text: str, width: int, *, indent: str = _INDENT) -> Iterator[Text]:
    for line in wrap(text, width - len(indent)):
        yield Text(indent + line)


def _listed(label: str, names: Iterable[str], width: int) -> Iterator[Text]:
    """Yield `label` and the names, wrapped under the first; nothing if there are none."""
    listed = ", ".join(names)
    if not listed:
        return
    room = width - len(_INDENT) - cell_len(label)
    for index, line in enumerate(wrap(listed, room)):
        head = label if index == 0 else _pad("", cell_len(label))
        yield Text.assemble(_INDENT, (head, "dim"), line)


def _example(example: str | None) -> Iterator[Text]:
    """Yield a piece of YAML between blank lines; never wrapped, so that it can be copied."""
    if not example:
        return
    yield Text("")
    for line in example.splitlines():
        yield Text(f"{_INDENT * 2}{line}", style="green")
    yield Text("")


def _table(rows: Sequence[Row], words: dict[str, str], width: int) -> Iterator[Text]:
    """Yield a row for each argument: name, what it may be, default; its sentence below."""
    if not rows:
        return
    left = max(cell_len(row.name) for row in rows) + 2
    for row in rows:
        default = _say_default(row, words)
        said = row.expected + words["by_default"].format(default)
        if row.required:
            said = f"{row.expected}{words['semicolon']}{default}"
        for index, line in enumerate(wrap(said, width - len(_INDENT) - left)):
            name = _pad(row.name if index == 0 else "", left)
            yield Text.assemble(_INDENT, (name, "cyan"), line)
        for line in wrap(row.text, width - len(_INDENT) - left):
            yield Text.assemble(_INDENT, _pad("", left), (line, "dim"))


def _say_default(row: Row | KeyEntry, words: dict[str, str]) -> str:
    if row.required:
        return words["required"]
    return row.default_note if row.default_note is not None else _plain(row.default)


def _plain(value: Any) -> str:
    """Return a default as YAML has it."""
    if isinstance(value, str):
        return value if value.strip() else json.dumps(value)
    return json.dumps(value)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - cell_len(text))
