"""How is a place in a config written? `model.layers[2].filters` to a tuple of keys, and back."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

# As deep as YAML may nest: see `dltrain.config.reading.MAX_DEPTH`.
_MAX_PARTS = 60

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def format_path(path: Path) -> str:
    """Return `model.layers[2].filters` for `("model", "layers", 2, "filters")`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def parse_path(text: str) -> Path:
    """Return the keys of a dotted path; `layers.2` and `layers[2]` both name a list's item.

    Raises ValueError, with what is wrong, when `text` is not such a path.
    """
    path: list[str | int] = []
    position = 0
    while position < len(text):
        if text[position] == "." and path:
            position += 1
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"'{text}' is not a dotted path such as optimizer.learning_rate")
        name, index = match.groups()
        path.append(int(index) if index is not None else name)
        position = match.end()
    if len(path) > _MAX_PARTS:
        raise ValueError(f"a path of {len(path)} keys; a config is never nested that deep")
    if not path or isinstance(path[0], int):
        raise ValueError(f"'{text}' is not a dotted path such as optimizer.learning_rate")
    return tuple(path)
