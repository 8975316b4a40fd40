"""How are wrong configs made from right ones? Strategies for hypothesis.

A config is a tree here: a `Mapping` (its keys may stand twice), a list, or a text of YAML as it
stands in the file. It is written in flow style, a section a line.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import yaml
from config_problems import CONFIGS
from hypothesis import assume
from hypothesis import strategies as st


@dataclass
class Mapping:
    """Keys and values as pairs, so that a key can stand twice."""

    pairs: list[list[Any]] = field(default_factory=list)


Place = tuple[list[Any], int]
"""A list and an index: where a value stands."""

DEPTH = 1000


def read_tree(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return Mapping([[read_tree(key), read_tree(value)] for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return [read_tree(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style is None else json.dumps(node.value)


def write_flow(tree: Any) -> str:
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{key}: {write_flow(value)}" for key, value in tree.pairs) + "}"
    if isinstance(tree, list):
        return f"[{', '.join(map(write_flow, tree))}]"
    return str(tree)


def write_config(tree: Any) -> str:
    if isinstance(tree, Mapping):
        return "".join(f"{key}: {write_flow(value)}\n" for key, value in tree.pairs)
    return f"{write_flow(tree)}\n"


def find_places(tree: Any) -> list[Place]:
    """Return the place of every value below the top."""
    places: list[Place] = []
    if isinstance(tree, Mapping):
        for pair in tree.pairs:
            places += [(pair, 1), *find_places(pair[1])]
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            places += [(tree, index), *find_places(item)]
    return places


def find_holders(tree: Any) -> list[list[Any]]:
    """Return every list of pairs or of items."""
    if isinstance(tree, Mapping):
        return [tree.pairs, *(one for pair in tree.pairs for one in find_holders(pair[1]))]
    if isinstance(tree, list):
        return [tree, *(one for item in tree for one in find_holders(item))]
    return []


def make_bomb(levels: int, width: int) -> str:
    """Return a list of anchors, each ten times the one before: 10 ** levels values."""
    lists = [f"&x0 [{', '.join(['1'] * width)}]"]
    lists += [f"&x{n} [{', '.join([f'*x{n - 1}'] * width)}]" for n in range(1, levels)]
    return f"[{', '.join(lists)}]"


TREES = [read_tree(yaml.compose(path.read_text(encoding="utf-8"))) for path in CONFIGS]

EMPTY = ["null", "", "~", "[]", "{}", "''", "[null]", "[[]]", "[{}]", "{type: null}", "{null: 1}"]
NUMBERS = [
    *(
        "0",
        "-1",
        "1",
        "2",
        "3.5",
        "-0.0",
        "1e-3",
        "1e308",
        "1e309",
        "1e-400",
        "-1e999",
        "2147483648",
    ),
    *("9223372036854775807", "9223372036854775808", "9" * 400, "9" * 5000, "-" + "9" * 5000),
    *("0x" + "f" * 500, "0o" + "7" * 500, "1" + "0" * 30, "0." + "9" * 400, "1e" + "9" * 50),
    *(".nan", ".NaN", ".inf", "-.inf", "012", "+7", "1_000", "'3'", "1e-3e"),
]
UNICODE = [
    *('"\\ud800"', '"\\0"', '"\\u202e"', '"\\x1b[2J"', "🦊", "数字", "e\u0301", "\u200b", "\xa0"),
    *(
        "a\u2028b",
        "a\x85b",
        "\ufeff",
        "\U000e0001",
        '"a/b"',
        '" "',
        "x" * 300,
        "İ",
        "ß" * 50,
        '"\\n"',
    ),
]
YAML_WORDS = [
    *("&a [*a]", "&a {b: *a}", "*nowhere", "&a 1", "!!int 3", "!!python/object:os.system {}", "!x"),
    *("? x", "|", ">", "- a", "- [", "{", "]", "'", '"', "%", "@x", "a: b", "# x", "---", "\t"),
]
WORDS = [
    *("true", "false", "yes", "on", "no", "input", "$x", "$filters", "loss", "val_loss", "adam"),
    *("dense", "conv2d", "flatten", "lambda", "Dense", "dropout", "embedding", "mse", "full"),
    *("cross_entropy", "accuracy", "digits", "imdb", "synthetic_regression", "auto", "same", "glu"),
    *("{type: dense}", "{type: dense, units: 3}", "{type: rnn, cell: {type: gru_cell, units: 2}}"),
    *("{type: bidirectional, layer: relu}", "{block: residual}", "{type: one_cycle}", "[1, a, {}]"),
    *("{epochs: 1}", "{type: add, inputs: [input, input]}", "{name: digits}", "[flatten]"),
]
DEEP = [
    "[" * DEPTH + "]" * DEPTH,
    "{a: " * DEPTH + "1" + "}" * DEPTH,
    "{type: time_distributed, layer: " * DEPTH + "relu" + "}" * DEPTH,
    "[" * DEPTH,
    "[" * 59 + "]" * 59,
    "{layer: " * 55 + "relu" + "}" * 55,
    "\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, DEPTH)),
]
# Each takes a tenth of the time that it may, so that a busy machine doesn't fail the test.
WIDE = [
    make_bomb(9, 10),
    make_bomb(2, 170),
    make_bomb(18, 2),
    f"[{', '.join(['relu'] * 1500)}]",
    f"[{', '.join(['{type: dense, unit: 3}'] * 300)}]",
    f"[{', '.join(['{type: relu, inputs: [nowhere]}'] * 300)}]",
    "{" + ", ".join(f"k{n}: {n}" for n in range(800)) + "}",
    "{" + ", ".join(["k: 1"] * 800) + "}",
]
KEYS = [
    *("type", "name", "inputs", "block", "repeat", "layers", "parameters", "extends", "seed", "<<"),
    *("learning_rate", "loss", "model", "dataset", "units", "metrics", "callbacks", "blocks"),
    *("monitor", "augment", "rows", "activation", "kernel_regularizer", "1", "null", "''", "[a]"),
    *("? [a]", '"\\0"', "a.b", "a[0]", "x" * 300, "é", '"\\u202e"', "&k k", "*k", "!!str k", "🦊"),
]

SCALARS = st.one_of(
    *(st.sampled_from(texts) for texts in (EMPTY, NUMBERS, UNICODE, YAML_WORDS, WORDS)),
    st.sampled_from(WORDS + DEEP),
    st.integers().map(str),
    st.floats().map(lambda number: repr(number).replace("inf", ".inf").replace("nan", ".nan")),
    st.text(max_size=20).map(json.dumps),
    st.text(max_size=8),
)
CHANGES = (
    *("drop", "drop", "double", "double", "misspell", "misspell", "key", "value", "value", "value"),
    *("move", "list", "mapping", "number", "repeat"),
) * 6 + ("wide",) * 2


@st.composite
def mutated_configs(draw: st.DrawFn) -> str:
    """Return the text of a shipped config with one to four mutations, and perhaps damage to it."""
    tree = copy.deepcopy(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 4))):
        _mutate(tree, draw)
    text = write_config(tree)
    if draw(st.integers(0, 5)) == 5:
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        text = text[:at] + draw(st.sampled_from(YAML_WORDS + UNICODE)) + text[at + cut :]
    # Where the wide was doubled: a busy machine takes too long for it. The limits have tests.
    assume(len(text) < 40_000)
    return text


FLAGS = st.builds(
    lambda key, value: f"{key}={value}",
    st.sampled_from(
        [
            *("seed", "training.epochs", "optimizer.learning_rate", "model.layers[0]", "loss"),
            *("model.layers[1].units", "model.layers.0.type", "dataset", "metrics[0]", "a.b.c", ""),
            *("training.early_stopping.patience", "model.layers[99]", "extends", "name", "[0]"),
        ]
    ),
    SCALARS,
)


def _mutate(tree: Any, draw: st.DrawFn) -> None:
    change = draw(st.sampled_from(CHANGES))
    holders = [holder for holder in find_holders(tree) if holder]
    places = find_places(tree)
    if not holders or not places:
        return
    if change in ("drop", "double", "repeat", "misspell", "key"):
        holder = draw(st.sampled_from(holders))
        index = draw(st.integers(0, len(holder) - 1))
        if change == "drop":
            del holder[index]
        elif change == "double":
            holder.insert(index, copy.deepcopy(holder[index]))
        elif change == "repeat":
            holder[index:index] = [copy.deepcopy(holder[index])] * draw(st.integers(2, 60))
        elif isinstance(tree, Mapping) and isinstance(holder[index], list) and holder[index]:
            old = str(holder[index][0])
            named = draw(st.sampled_from(KEYS)) if change == "key" else _misspell(old, draw)
            holder[index][0] = named
        elif isinstance(holder[index], str):
            holder[index] = _misspell(holder[index], draw)
        return
    inside, index = draw(st.sampled_from(places))
    old = inside[index]
    if change == "move":
        other, at = draw(st.sampled_from(places))
        inside[index] = copy.deepcopy(other[at])
    elif change == "list":
        inside[index] = [old] * draw(st.integers(1, 3))
    elif change == "mapping":
        inside[index] = Mapping([[draw(st.sampled_from(KEYS)), old]])
    elif change == "number":
        inside[index] = draw(st.sampled_from(NUMBERS))
    elif change == "wide":
        inside[index] = draw(st.sampled_from(WIDE))
    else:
        inside[index] = draw(SCALARS)


def _misspell(word: str, draw: st.DrawFn) -> str:
    """Return `word` with a letter left out, doubled, changed, or two of them exchanged."""
    if len(word) < 2:
        return word + "x"
    at = draw(st.integers(0, len(word) - 2))
    before, first, second, after = word[:at], word[at], word[at + 1], word[at + 2 :]
    return draw(
        st.sampled_from(
            [
                f"{before}{second}{after}",
                f"{before}{first}{first}{second}{after}",
                f"{before}x{second}{after}",
                f"{before}{second}{first}{after}",
                f"{before}{first.upper()}{second}{after}",
            ]
        )
    )
