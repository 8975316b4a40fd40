"""What does the network start from? A pretrained model, another run; and what is frozen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.catalog.applications import applications
from dltrain.config.from_run import choose_taken
from dltrain.config.keras_hub import KERAS_HUB, read_facts
from dltrain.config.layers import free_name
from dltrain.config.load import LoadedConfig
from dltrain.config.pretrained import IMAGENET, NO_WEIGHTS
from dltrain.data.imagenet_weights import find_imagenet_weights
from dltrain.data.load import LoadedData
from dltrain.data.preset_tokenizer import PresetTokenizer, check_preset_can_be_had
from dltrain.data.progress import SILENT, Progress
from dltrain.errors import RunError
from dltrain.model.backbone import Backbone, Front
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
    is_filled: bool = True
    """Whether `model.pretrained` gets its weights: a smoke run goes without ImageNet's."""


def find_start(loaded: LoadedConfig, *, resumed: RunPaths | None, smoke: bool) -> Start:
    """Look for the run that `model.from_run` names. Raises as `find_source` does.

    It may be gone when a run goes on, which holds its weights itself; and in a smoke run, for
    which new weights are as good.
    """
    pretrained = loaded.config.model.pretrained
    if smoke and pretrained is not None and pretrained.weights == IMAGENET:
        note = f"New weights stand in for ImageNet's of {pretrained.type}."
        return Start(loaded, note=note, is_filled=False)
    try:
        source = find_source(loaded)
    except RunError as error:
        if resumed is not None and list_checkpoints(resumed.checkpoints):
            return Start(loaded)
        if smoke:
            return Start(loaded, note=f"{error.message} New weights stand in for what it learned.")
        raise
    return Start(settle_source(loaded, source), source)


def build_front(
    loaded: LoadedConfig,
    data: LoadedData,
    *,
    offline: bool,
    is_filled: bool,
    resumed: RunPaths | None = None,
    progress: Progress = SILENT,
) -> Front | None:
    """Return the model of `model.pretrained`; None where none is asked for.

    A run that is `resumed` holds what describes its preset itself. Raises DataError if its weights
    can't be had or don't fit, and ConfigError for a size of images that Keras refuses.
    """
    asked = loaded.config.model.pretrained
    if asked is None:
        return None
    padding_id = None
    if isinstance(data.tokenizer, PresetTokenizer):
        padding_id = data.tokenizer.padding_id
    return build_asked(
        loaded,
        data.row_shape,
        largest=data.largest,
        padding_id=padding_id,
        offline=offline,
        is_filled=is_filled,
        copy=None if resumed is None else resumed.preset,
        progress=progress,
    )


def build_asked(
    loaded: LoadedConfig,
    row_shape: tuple[int, ...],
    *,
    largest: float,
    padding_id: int | None,
    offline: bool,
    is_filled: bool,
    copy: Path | None = None,
    progress: Progress = SILENT,
) -> Front:
    """Do what `build_front` does, for rows `(height, width, channels)` of values to `largest`.

    Texts are ids, `padding_id` that of what pads them. Unless `is_filled` its weights are new
    ones, and none are read or fetched; `copy` is then what describes a preset.
    """
    from dltrain.model.backbone import build_backbone
    from dltrain.model.network import one_line

    asked = loaded.config.model.pretrained
    assert asked is not None
    if asked.type == KERAS_HUB:
        preset = asked.preset or ""
        if copy is not None and (copy / "config.json").is_file():
            preset = str(copy)
        check_preset_can_be_had(preset, offline=offline)
        return _build_preset(
            loaded,
            preset,
            row_shape,
            largest=largest,
            padding_id=padding_id,
            is_filled=is_filled and asked.weights != NO_WEIGHTS,
        )
    application = applications()[asked.type]
    height, width = asked.image_size or row_shape[:2]
    resized = (height, width) if (height, width) != tuple(row_shape[:2]) else None
    weights: Path | None = None
    if is_filled and asked.weights == IMAGENET:
        weights = find_imagenet_weights(application, offline=offline, progress=progress)
    elif is_filled and asked.weights != NO_WEIGHTS:
        weights = Path(asked.weights)
    try:
        built = build_backbone(
            application,
            size=(height, width),
            pooling=None if asked.pooling == "none" else asked.pooling,
            weights=weights,
            is_imagenet=asked.weights == IMAGENET,
            name=free_name(asked.type, loaded.layers),
        )
    except ValueError as error:
        raise loaded.problem(
            ("model", "pretrained"), f"{asked.type} can't be built: {one_line(error)}"
        ) from error
    return Backbone(built, application, largest, resized)


def _build_preset(
    loaded: LoadedConfig,
    preset: str,
    row_shape: tuple[int, ...],
    *,
    largest: float,
    padding_id: int | None,
    is_filled: bool,
) -> Front:
    """Return the backbone of a preset. Raises DataError, and ConfigError if the data don't fit."""
    from dltrain.model import preset as presets

    asked = loaded.config.model.pretrained
    assert asked is not None
    name = free_name(asked.type, loaded.layers)
    backbone = presets.load_backbone(preset, name=f"{name}_backbone", is_filled=is_filled)
    converter = size = None
    try:
        if loaded.info.modality == "text":
            presets.check_text_inputs(backbone)
        else:
            presets.check_image_inputs(backbone)
            converter = presets.load_image_converter(preset)
            facts = dataclasses.replace(
                read_facts(preset),
                image_shape=tuple(backbone.input.shape[1:]),
                converter_size=converter.image_size if converter is not None else None,
            )
            size = facts.find_image_size(asked.image_size, row_shape)
    except presets.UnfitPresetError as error:
        raise loaded.problem(("model", "pretrained"), f"{error}.") from error
    return presets.PresetFront(
        model=backbone,
        converter=converter,
        name=name,
        pooling=asked.pooling,
        image_size=size,
        largest=largest,
        padding_id=padding_id,
    )


def describe_front(front: Front | None) -> dict[str, Any]:
    """Return the files, by name, that a preset is made of again; none of another model."""
    from dltrain.model.preset import PresetFront, describe_preset

    return describe_preset(front) if isinstance(front, PresetFront) else {}


def give_weights(
    start: Start, model: Any, backbone: Front | None, *, has_checkpoint: bool
) -> Freezing:
    """Give the built model the weights that it starts from; return what freezes parts of it.

    With a checkpoint, whose weights come later, nothing is read. Raises ConfigError, pointing at
    the layer, if weights don't fit, and RunError if the run's model is damaged.
    """
    loaded = start.loaded
    asked = loaded.config.model.from_run
    names = [layer.name for layer in loaded.layers]
    pretrained = loaded.config.model.pretrained
    if pretrained is not None and backbone is not None:
        trainable = pretrained.trainable
        return Freezing(model, layers=names, trainable=trainable, backbone=backbone.model)
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
