"""Does `model.pretrained` name a model or a preset, and can it take the data?"""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Any

from dltrain.catalog.applications import applications
from dltrain.catalog.datasets import DatasetInfo
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.keras_hub import KERAS_HUB, check_preset, check_preset_fits
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.trainable import check_trainable

PATH: Path = ("model", "pretrained")
IMAGENET, NO_WEIGHTS = "imagenet", "none"


def check_pretrained(model: dict[str, Any], problems: Problems) -> None:
    """Bring a bare name into the form of a mapping; check its name, weights and `trainable`.

    The path of a weights file is made absolute, from the folder of the file that says it (or from
    the current one, if a flag does). The rest of its form is the schema's to tell.
    """
    raw = model.get("pretrained")
    if isinstance(raw, str):
        model["pretrained"] = raw = {"type": raw}
    if not isinstance(raw, dict):
        return
    raw = model["pretrained"] = dict(raw)
    if model.get("from_run") is not None:
        problems.add(
            PATH,
            "a model starts from pretrained weights or from a run, not from both.",
            hint="Leave one of them out.",
            of_key=True,
            expected="pretrained or from_run",
            received="both",
        )
    kind = raw.get("type")
    if kind == KERAS_HUB:
        check_preset(raw, problems)
    elif isinstance(kind, str):
        _refuse_presets_keys(raw, problems)
    if isinstance(kind, str) and kind not in (KERAS_HUB, *applications()):
        written = (*PATH, "type") in problems.document.values
        problems.add(
            (*PATH, "type") if written else PATH,
            f"keras.applications has no model '{kind}'.",
            hint=f"It has {', '.join(applications())}. A preset of KerasHub is `type: keras_hub`.",
            expected="a model of keras.applications, or keras_hub",
            received=f"'{kind}'",
            suggestion=nearest(kind, (KERAS_HUB, *applications())),
        )
    if raw.get("trainable") is not None:
        raw["trainable"] = check_trainable(raw["trainable"], (*PATH, "trainable"), problems)
    weights = raw.get("weights")
    if isinstance(weights, str) and kind != KERAS_HUB and weights not in (IMAGENET, NO_WEIGHTS):
        _check_file(raw, weights, problems)


def check_pretrained_fits(
    model: dict[str, Any], dataset: dict[str, Any], info: DatasetInfo, problems: Problems
) -> None:
    """Refuse data that isn't images, images that are too small, and a normalization besides.

    The model's own preprocessing takes pixels as they are: `dataset.normalize` becomes none.
    """
    asked = model["pretrained"]
    if asked["type"] == KERAS_HUB:
        check_preset_fits(asked, dataset, info, problems)
        return
    application = applications().get(asked["type"])
    if info.modality != "image":
        problems.add(
            PATH,
            f"pretrained models take images; {info.name} holds none.",
            hint="Leave it out.",
            of_key=True,
            expected="no pretrained",
            received=str(asked["type"]),
        )
        return
    if dataset.get("normalize") not in (None, "none"):
        problems.add(
            ("dataset", "normalize"),
            "a pretrained model prepares the pixels itself, as it was trained with them.",
            hint="Leave it out.",
            expected="none",
            received=str(dataset["normalize"]),
        )
    dataset["normalize"] = "none"
    if application is None:
        return
    size = asked["image_size"] or info.shape[:2]
    least = application.min_size
    if min(size) < least:
        where = (*PATH, "image_size") if asked["image_size"] else PATH
        problems.add(
            where,
            f"{application.name} takes images of {least} × {least} pixels or more; "
            f"these have {size[0]} × {size[1]}.",
            hint=f"Write `image_size: [{least}, {least}]` under model.pretrained: it resizes them.",
            expected=f"height and width >= {least}",
            received=f"{size[0]} × {size[1]}",
        )


def _refuse_presets_keys(raw: dict[str, Any], problems: Problems) -> None:
    """Refuse what only a preset of KerasHub has, on a model of keras.applications."""
    if raw.get("preset") is not None:
        problems.add(
            (*PATH, "preset"),
            "preset is for `type: keras_hub`.",
            of_key=True,
            expected="no preset",
            received="preset",
        )
        raw["preset"] = None
    if raw.get("pooling") == "first":
        problems.add(
            (*PATH, "pooling"),
            "first is for `type: keras_hub`; expected avg, max or none.",
            expected="avg, max or none",
            received="first",
        )


def _check_file(raw: dict[str, Any], weights: str, problems: Problems) -> None:
    place = problems.document.place((*PATH, "weights"))
    base = FilePath(place.source).parent if place.line else FilePath()
    try:
        path = (base / FilePath(weights).expanduser()).resolve()
        exists, there = path.is_file(), os.path.lexists(path)
    except (OSError, ValueError, RuntimeError):  # too long, a null character, no such user
        path, exists, there = base / weights, False, False
    raw["weights"] = str(path)
    if not exists:
        problems.add(
            (*PATH, "weights"),
            f"{path} is no file." if there else f"there is no {path}.",
            hint="A relative path is taken from the folder of the config.",
            expected="imagenet, none, or the path of a weights file",
            received=describe(weights),
            suggestion=nearest(weights, (IMAGENET, NO_WEIGHTS)),
        )
