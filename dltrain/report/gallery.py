"""How does the page show the rows on which the model was most wrong?"""

from __future__ import annotations

import base64
import binascii
import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Of a longer text, this much stands there before it is unfolded.
_SHORT_TEXT = 280

# So many features of a row stand there before the rest is unfolded.
_FEW_FEATURES = 8

# Larger ones, in characters of base64, become JPEG: digits don't, photographs do.
_LARGEST_PNG = 4_000

# Small pictures are shown at least as large as this, in CSS pixels, by whole multiples.
_SMALLEST_SIDE = 72


@dataclass(frozen=True)
class Mistake:
    """Hold one row as the page shows it; what it has none of is empty.

    `true` and `predicted` are what is printed; `true_class` and `predicted_class` are numbers of
    classes, -1 in a regression. `image` is a `data:` address, `size` its width and height on the
    page.
    """

    id: str
    true: str
    predicted: str
    note: str
    true_class: int = -1
    predicted_class: int = -1
    image: str = ""
    size: tuple[int, int] = (0, 0)
    text: str = ""
    rest: str = ""
    features: Sequence[tuple[str, str]] = field(default_factory=tuple)
    more_features: Sequence[tuple[str, str]] = field(default_factory=tuple)


def read_gallery(mistakes: Mapping[str, Any], classes: Sequence[str]) -> list[Mistake]:
    """Return the mistakes of a run's mistakes.json, in its order."""
    numbers = {name: number for number, name in enumerate(classes)}
    return [_read(mistake, numbers) for mistake in mistakes.get("mistakes", ())]


def _read(mistake: Mapping[str, Any], numbers: Mapping[str, int]) -> Mistake:
    shown: dict[str, Any] = {"id": str(mistake["id"])}
    if "error" in mistake:
        shown |= {name: f"{mistake[name]:.4g}" for name in ("true", "predicted")}
        shown["note"] = f"{mistake['error']:+.4g}"
    else:
        shown |= {name: str(mistake[name]) for name in ("true", "predicted")}
        shown |= {
            "note": f"{mistake['confidence']:.1%} sure",
            "true_class": numbers.get(shown["true"], -1),
            "predicted_class": numbers.get(shown["predicted"], -1),
        }
    if image := mistake.get("image"):
        shown |= {"image": _make_address(image), "size": _choose_size(image)}
    if text := mistake.get("text"):
        cut = _find_cut(text)
        shown |= {"text": text[:cut], "rest": text[cut:]}
    if features := mistake.get("features"):
        pairs = [(str(name), f"{value:.4g}") for name, value in features]
        shown |= {"features": pairs[:_FEW_FEATURES], "more_features": pairs[_FEW_FEATURES:]}
    return Mistake(**shown)


def _find_cut(text: str) -> int:
    """Return where the first part of a text ends: after a word, if there is one."""
    if len(text) <= _SHORT_TEXT:
        return len(text)
    space = text.rfind(" ", _SHORT_TEXT // 2, _SHORT_TEXT)
    return space if space > 0 else _SHORT_TEXT


def _make_address(image: str) -> str:
    """Return the `data:` address of a PNG in base64; of a large one as JPEG, a quarter of it.

    300 photographs as PNG would alone make a page of more than 5 MB.
    """
    if len(image) > _LARGEST_PNG:
        from PIL import Image

        buffer = io.BytesIO()
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(image)))
            picture.convert("RGB").save(buffer, "JPEG", quality=80)
            jpeg = base64.b64encode(buffer.getvalue()).decode("ascii")
            return f"data:image/jpeg;base64,{jpeg}"
        except (OSError, ValueError):
            pass  # No picture after all: the browser shows the row's name in its place.
    return f"data:image/png;base64,{image}"


def _choose_size(image: str) -> tuple[int, int]:
    """Return width and height to show a PNG (base64) at; (0, 0) if it isn't one.

    Its header has them at byte 16 (PNG specification, 11.2.2).
    """
    try:
        header = base64.b64decode(image[:32], validate=True)
        width, height = struct.unpack(">II", header[16:24])
    except (binascii.Error, struct.error, ValueError):
        return 0, 0
    if not width or not height:
        return 0, 0
    scale = max(1, -(-_SMALLEST_SIDE // max(width, height)))
    return width * scale, height * scale
