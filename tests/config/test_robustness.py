"""Does every config, however broken, end in one of dltrain's own errors or a valid result?"""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from config_problems import CONFIGS, Write

from dltrain.config.dump import dump_config
from dltrain.config.load import load_config
from dltrain.errors import ConfigError, UsageError

# Texts that stand in a YAML file as they are; the odd ones are escaped inside quotes.
_SCALARS = [
    *("null", "true", "no", "''", "0", "-1", "1", "3", "0.5", "1e-3", "1e308", "1e999", "-0.0"),
    *(".nan", ".inf", "-.inf", "9223372036854775807", "9" * 30, "9" * 5000, "0x" + "f" * 500),
    *("[]", "{}", "[[]]", "[null]", "{a: 1}", "{type: dense}", "{type: null}", "[1, a, {}]"),
    *('"\\ud800"', '"\\0"', '"\\u202e"', '"🦊"', '"a/b"', '" "', "!!int 3", "&a [*a]", "*b"),
    *("adam", "dense", "lambda", "input", "$x", "flatten", "'1e-3'", "val_loss", "x" * 300),
]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return (holder, key) of everything in a nested value."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [place for key, item in items for place in [(value, key), *_places(item)]]


def _mutate(data: Any, rng: random.Random, marks: list[str]) -> None:
    holder, key = rng.choice(_places(data))
    others = _places(data)
    change = rng.choice(["drop", "scalar", "scalar", "nest", "double", "move", "rename", "list"])
    if change == "drop":
        del holder[key]
    elif change == "scalar":
        marks.append(rng.choice(_SCALARS))
        holder[key] = f"@{len(marks) - 1}@"
    elif change == "nest":
        for _ in range(rng.choice([1, 2, 70])):
            holder[key] = {"layer": holder[key]} if rng.random() < 0.5 else [holder[key]]
    elif change == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif change == "move":
        source, name = rng.choice(others)
        if name in source if isinstance(source, dict) else name < len(source):
            holder[key] = copy.deepcopy(source[name])
    elif change == "rename" and isinstance(holder, dict):
        holder[rng.choice(["type", "name", "inputs", "block", "repeat", "é", "x" * 99])] = (
            holder.pop(key)
        )
    elif change == "list":
        holder[key] = [holder[key], holder[key]]


def _write_mutated(text: str, rng: random.Random) -> str:
    data = yaml.safe_load(text)
    marks: list[str] = []
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        if _places(data):
            _mutate(data, rng, marks)
    mutated = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=True)
    for number, mark in enumerate(marks):
        mutated = mutated.replace(f"'@{number}@'", mark)
    return mutated


def _must_end_well(path: Path, write: Write) -> bool:
    """Load `path`; return whether it was valid. Any other exception than dltrain's fails."""
    try:
        loaded = load_config(path)
    except (ConfigError, UsageError) as error:
        shown = str(error)
        assert shown.encode(), "a problem must be one that a terminal can show"
        return False
    again = load_config(write(dump_config(loaded.config), "again.yaml"))
    assert dump_config(again.config) == dump_config(loaded.config)
    return True


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_mutated_config_ends_in_a_problem_or_a_valid_result(config: Path, write: Write) -> None:
    rng = random.Random(config.stem)
    text = config.read_text(encoding="utf-8")
    valid = 0
    for number in range(50):
        mutated = _write_mutated(text, rng)
        path = write(mutated)
        try:
            valid += _must_end_well(path, write)
        except Exception as error:
            raise AssertionError(f"mutation {number}:\n{mutated}") from error
    assert valid < 50


@pytest.mark.parametrize("config", CONFIGS[:4], ids=lambda path: path.stem)
def test_damaged_text_ends_in_a_problem_or_a_valid_result(config: Path, write: Write) -> None:
    rng = random.Random(config.stem)
    raw = config.read_bytes()
    for _ in range(30):
        damaged = bytearray(raw)
        for _ in range(rng.choice([1, 3, 10])):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.choice([0, 1, 5])] = rng.choice(
                [
                    b"",
                    b"{",
                    b"]",
                    b":",
                    b"&a ",
                    b"*a",
                    b"\t",
                    b"\0",
                    b"\xff",
                    b"'",
                    b"%",
                    b"|",
                    b"- ",
                ]
            )
        _must_end_well(write(bytes(damaged)), write)
