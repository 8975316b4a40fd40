"""Is `model.blocks` well formed? Names, parameters and lists of layers."""

from __future__ import annotations

from typing import Any

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe

BLOCK_KEYS = ("block", "inputs", "repeat", "name")
"""The keys that a use of a block has besides its parameters."""


def check_blocks(blocks: dict[str, Any], problems: Problems) -> None:
    """Check what blocks are made of; their layers are checked where a block is used."""
    for name, block in blocks.items():
        path: Path = ("model", "blocks", name)
        if not isinstance(block, dict):
            problems.add(path, expected="layers:", received=describe(block))
            continue
        if not is_layer_name(name):
            problems.add(
                path,
                expected="letters, digits, _, - and . only",
                received=describe(name),
                of_key=True,
            )
        for key in block:
            if key not in ("parameters", "layers"):
                problems.add(
                    (*path, key),
                    f"a block has no key '{key}'.",
                    hint="It takes parameters, layers.",
                    of_key=True,
                    expected="parameters or layers",
                    received=f"'{key}'",
                    suggestion=nearest(key, ("parameters", "layers")),
                )
        if not isinstance(block.get("layers"), list) or not block["layers"]:
            problems.add(
                path,
                "a block needs `layers:`, a list.",
                expected="layers:, a list",
                received=describe(block["layers"]) if "layers" in block else "none",
            )
        parameters = block.get("parameters", {})
        if not isinstance(parameters, dict):
            problems.add(
                (*path, "parameters"),
                expected="names with default values",
                received=describe(parameters),
            )
            continue
        for key in set(parameters) & set(BLOCK_KEYS):
            problems.add(
                (*path, "parameters", key),
                f"'{key}' can't be a parameter's name.",
                hint=f"A use of a block has the keys {', '.join(BLOCK_KEYS)} itself.",
                of_key=True,
                expected="another name",
                received=f"'{key}'",
            )


def is_layer_name(name: str) -> bool:
    """Say whether `name` can be a layer's; Keras refuses /, which separates names in a path."""
    return bool(name) and all(c.isalnum() or c in "_-." for c in name)
