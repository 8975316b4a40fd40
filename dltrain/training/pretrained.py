"""What does the network start from? The weights of another run, and what of it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dltrain.config.from_run import choose_taken
from dltrain.config.load import LoadedConfig
from dltrain.errors import RunError
from dltrain.model.freezing import Freezing
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.layout import RunPaths
from dltrain.runs.source_run import SourceRun, find_source, settle_source


@dataclass(frozen=True)
class Start:
    """The config with its source settled, the run that the model starts from, a note for people.

    `source` is None where the config names none, or where it is gone and isn't needed.
    """

    loaded: LoadedConfig
    source: SourceRun | None = None
    note: str = ""


def find_start(loaded: LoadedConfig, *, resumed: RunPaths | None, smoke: bool) -> Start:
    """Look for the run that `model.from_run` names. Raises as `find_source` does.

    It may be gone when a run goes on, which holds its weights itself; and in a smoke run, for
    which new weights are as good.
    """
    try:
        source = find_source(loaded)
    except RunError as error:
        if resumed is not None and list_checkpoints(resumed.checkpoints):
            return Start(loaded)
        if smoke:
            return Start(loaded, note=f"{error.message} New weights stand in for what it learned.")
        raise
    return Start(settle_source(loaded, source), source)


def give_weights(start: Start, model: Any, *, has_checkpoint: bool) -> Freezing:
    """Give the built model the weights that it starts from; return what freezes parts of it.

    With a checkpoint, whose weights come later, nothing is read. Raises ConfigError, pointing at
    the layer, if weights don't fit, and RunError if the run's model is damaged.
    """
    loaded = start.loaded
    asked = loaded.config.model.from_run
    names = [layer.name for layer in loaded.layers]
    if asked is None:
        return Freezing(model, layers=names)
    built = {layer.name: layer for layer in model.layers}
    taken = tuple(
        name
        for name in choose_taken(asked, loaded.layers, None)
        if name in built and built[name].weights
    )
    if start.source is not None and not has_checkpoint:
        _take(loaded, model, start.source.paths, taken)
    return Freezing(model, layers=names, pretrained=taken, trainable=asked.trainable)


def _take(loaded: LoadedConfig, model: Any, paths: RunPaths, names: tuple[str, ...]) -> None:
    from dltrain.evaluation.saved_model import load_saved_model
    from dltrain.model.taken_weights import TakenWeightsError, take_weights

    try:
        take_weights(model, load_saved_model(paths.model), names)
    except TakenWeightsError as error:
        path = next(layer.path for layer in loaded.layers if layer.name == error.layer)
        raise loaded.problem(
            path,
            f"{paths.root} doesn't fit: {error.message}.",
            hint=f"Make them the same, or write `skip: [{error.layer}]` under model.from_run.",
        ) from error
