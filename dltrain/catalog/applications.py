"""Which pretrained models can a config name? Those of keras.applications, as a committed table.

scripts/generate_catalog.py writes it from the installed Keras, so that `check` needs none.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

APPLICATIONS_PATH = Path(__file__).with_name("applications.json")

Triple = tuple[float, float, float]

# The order of the channels (of red, green, blue), then what is subtracted and what divides, for
# pixels from 0 to 255. Constants of keras/src/applications/imagenet_utils.py (Keras 3.15):
# means and deviations of ImageNet's images.
PREPROCESSING: Mapping[str, tuple[tuple[int, int, int], Triple, Triple]] = {
    "built_in": ((0, 1, 2), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "tf": ((0, 1, 2), (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "torch": ((0, 1, 2), (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "caffe": ((2, 1, 0), (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
}
"""How images are prepared, by Keras's own name of the way; built_in: the model does it itself."""

IMAGENET_DEVIATIONS = (0.229, 0.224, 0.225)
"""Of red, green and blue, from 0 to 1, as keras/src/applications/efficientnet.py has them."""


@dataclass(frozen=True)
class WeightsFile:
    """Say where Keras's project publishes a model's ImageNet weights, and as what it keeps them.

    `file` is its name in `~/.keras/models`. `digest` is None where Keras knows no checksum.
    """

    file: str
    url: str
    digest: str | None


@dataclass(frozen=True)
class Application:
    """Describe one model without the layers that classify (`include_top=False`).

    `features` are the channels of its output, `min_size` the least height and width in pixels.
    `layers` counts its layers, the input among them; `is_rescaled` tells that Keras adds one to
    them for ImageNet's weights, which divides the normalized pixels once more (EfficientNet).
    """

    name: str
    function: str
    preprocessing: str
    min_size: int
    features: int
    parameters: int
    trainable_parameters: int
    layers: int
    is_rescaled: bool
    weights: WeightsFile


@functools.cache
def applications() -> Mapping[str, Application]:
    """Return every application by its name in YAML."""
    table = json.loads(APPLICATIONS_PATH.read_text(encoding="utf-8"))
    return {name: _read(name, entry) for name, entry in table["applications"].items()}


def _read(name: str, entry: dict[str, Any]) -> Application:
    return Application(name, **{**entry, "weights": WeightsFile(**entry["weights"])})
