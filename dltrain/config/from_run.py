"""What does `model.from_run` ask for? Its forms, and which layers are to be taken from the run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dltrain.config.document import Problems
from dltrain.config.layers import Layer
from dltrain.config.paths import Path
from dltrain.config.phases import check_layer_names
from dltrain.config.schema import FromRunConfig, RunConfig
from dltrain.config.trainable import check_trainable

PATH: Path = ("model", "from_run")


def check_from_run(model: dict[str, Any], problems: Problems) -> None:
    """Bring a bare name into the form of a mapping, and check `trainable`.

    The rest of its form is the schema's to tell.
    """
    raw = model.get("from_run")
    if isinstance(raw, str):
        model["from_run"] = raw = {"run": raw}
    if isinstance(raw, dict) and raw.get("trainable") is not None:
        trainable = check_trainable(raw["trainable"], (*PATH, "trainable"), problems)
        model["from_run"] = {**raw, "trainable": trainable}


def check_from_run_fits(config: RunConfig, layers: Sequence[Layer], problems: Problems) -> None:
    """Refuse layers that the model doesn't have, or that are asked for and skipped."""
    asked = config.model.from_run
    if asked is None:
        return
    names = [layer.name for layer in layers]
    check_layer_names(asked.layers or (), (*PATH, "layers"), names, problems)
    check_layer_names(asked.skip, (*PATH, "skip"), names, problems)
    for index, name in enumerate(asked.skip):
        if name in (asked.layers or ()):
            problems.add(
                (*PATH, "skip", index),
                f"'{name}' stands under layers, too.",
                expected="a layer that is not under layers",
                received=f"'{name}'",
            )


def choose_taken(
    asked: FromRunConfig, layers: Sequence[Layer], known: Collection[str] | None
) -> tuple[str, ...]:
    """Return the names of the layers to take from the run, in the model's order.

    `known` are the names that the run's model has; None: the run isn't there to be looked at.
    Layers without weights may be among them.
    """
    wanted = asked.layers
    return tuple(
        layer.name
        for layer in layers
        if layer.name not in asked.skip
        and (layer.name in wanted if wanted is not None else known is None or layer.name in known)
    )
