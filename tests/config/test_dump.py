"""Does a resolved config, written as YAML, read back as the same config?"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import CONFIGS, Load, Write

from dltrain.config.dump import dump_config
from dltrain.config.load import load_config

BASE = """\
name: q
dataset: {name: digits}
model:
  blocks: {b: {parameters: {x: %s}, layers: [flatten]}}
  layers: [{block: b}, {type: dense, units: 10}]
"""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_that_ships_reads_back_as_it_was(path: Path, write: Write) -> None:
    loaded = load_config(path)
    again = load_config(write(dump_config(loaded.config)))
    assert again.config == loaded.config
    assert [(layer.name, layer.arguments, layer.inputs) for layer in again.layers] == [
        (layer.name, layer.arguments, layer.inputs) for layer in loaded.layers
    ]
    assert again.targets == loaded.targets
    assert dump_config(again.config) == dump_config(loaded.config)


@pytest.mark.parametrize(
    "value",
    [
        *("'1e-3'", "'1E5'", "'.5'", "'1.'", "'012'", "'0o17'", "'0x1F'", "'-7'", "'+7'"),
        *("'.inf'", "'-.INF'", "'.nan'", "'true'", "'False'", "'null'", "'~'", "''", "' '"),
        *("'on'", "'yes'", "'1:30'", "'1_000'", "'0b11'", "'2020-01-01'", "'='", "'<<'"),
        *("'$x'", "'a: b'", "'# no'", "'- a'", "'[a]'", "'!tag'", "'&a'", "'*a'", "'%'", "'@'"),
        *('"line\\nline"', '"\\t"', '"\\x85\\u2028\\uFEFF"', '"ünï✓🦊"', '"\\x01"', '"a\\r\\nb"'),
        *("1e-3", "1e-300", "0.1", "1e22", "1.0", "100000.0", "-0.0", "012", "0o17", "7"),
        *(".inf", "-.inf", "true", "null", "[]", "{}", "[1, [2.0, '3']]", "{a: {b: null}}"),
    ],
)
def test_value_reads_back_as_it_was(load: Load, value: str) -> None:
    config = load(BASE % value).config
    again = load(dump_config(config)).config
    assert again == config
    before, after = (each.model.blocks["b"]["parameters"]["x"] for each in (config, again))
    assert (type(after), repr(after)) == (type(before), repr(before))


def test_null_inside_a_component_stays(load: Load) -> None:
    layer = "{type: bidirectional, merge_mode: null, layer: {type: lstm, units: 3}}"
    config = load(
        "dataset: digits\nmodel:\n  layers:\n    - {type: reshape, target_shape: [8, 8]}\n"
        f"    - {layer}\n    - concatenate\n    - {{type: dense, units: 10}}\n"
    ).config
    assert "merge_mode: null" in dump_config(config)
    assert load(dump_config(config)).config == config


def test_keys_of_sections_without_a_value_are_left_out(load: Load) -> None:
    text = dump_config(load(BASE % 1).config)
    assert "null" not in text
    assert "max_words" not in text


def test_every_default_is_written_out(load: Load) -> None:
    text = dump_config(load(BASE % 1).config)
    for line in ("seed: 0", "  normalize: unit", "  test_split: 0.2", "  batch_size: 32"):
        assert line in text.splitlines()
    assert "loss:\n  type: cross_entropy\n" in text
    assert "optimizer:\n  type: adam\n" in text
