"""How does a preset of KerasHub become the first part of a network? Its input, and its features.

It is one layer of the network: a model of the backbone, what prepares its input, and the pooling
of what it gives. All but the backbone are Keras's own layers, so that the saved model takes images
as they are stored, and texts as ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from dltrain.config.keras_hub import SAVE_IT
from dltrain.config.layers import Layer, free_name
from dltrain.errors import DataError, MachineError
from dltrain.model.backbone import counting_anew

Pooling = Literal["avg", "max", "first", "none"]

_INSTALL = "pip install 'dltrain[keras-hub]'"
# What a backbone of texts may take. Segments are there for pairs of texts: these have one.
_TEXT_INPUTS = {"token_ids", "padding_mask", "segment_ids"}


class UnfitPresetError(ValueError):
    """A preset that can't stand before layers; the text says why."""


@dataclass(frozen=True)
class PresetFront:
    """A loaded backbone, and how the data come to it.

    `converter` is the preset's image converter, or None. `image_size` (height, width) is what
    images are resized to, None for texts; `largest` is the largest value that a pixel may hold.
    `padding_id` is the id of what pads texts.
    """

    model: Any
    converter: Any
    name: str
    pooling: Pooling
    image_size: tuple[int, int] | None
    largest: float
    padding_id: int | None

    def apply(self, inputs: Any, layers: Sequence[Layer]) -> Any:
        """Return its features: of images `(batch, height, width, channels)`, or of ids.

        They are `(batch, features)` unless pooling is none. Grey images become three equal
        channels. `layers` are the head's, whose names are taken. Raises UnfitPresetError.
        """
        import keras

        if self.image_size is not None:
            inputs = self._resize(inputs, layers)
        own = keras.Input(inputs.shape[1:], dtype=inputs.dtype, name="inputs")
        with counting_anew():
            features = self._see(own) if self.image_size is not None else self._read(own)
        return keras.Model(own, features, name=self.name)(inputs)

    def _resize(self, images: Any, layers: Sequence[Layer]) -> Any:
        """Resize as the converter does, where the size differs."""
        import keras

        assert self.image_size is not None
        if tuple(images.shape[1:3]) == self.image_size:
            return images
        options = {}
        if self.converter is not None:
            names = ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "interpolation", "antialias")
            options = {name: getattr(self.converter, name) for name in names}
        name = free_name("resizing", layers)
        return keras.layers.Resizing(*self.image_size, name=name, **options)(images)

    def _see(self, images: Any) -> Any:
        import keras

        converter = self.converter
        if converter is not None and self.largest != 255.0:
            images = keras.layers.Rescaling(255.0 / self.largest, name="to_255")(images)
        wanted = self.model.input.shape[-1]
        if images.shape[-1] == 1 and wanted == 3:
            images = keras.layers.Concatenate(name="grey_to_rgb")([images] * 3)
        if converter is not None and (converter.scale is not None or converter.offset is not None):
            scale, offset = _plain(converter.scale, 1.0), _plain(converter.offset, 0.0)
            images = keras.layers.Rescaling(scale, offset=offset, name="preprocessing")(images)
        return self._pool(self.model(images), None)

    def _read(self, ids: Any) -> Any:
        import keras

        is_text = keras.ops.not_equal(ids, self.padding_id)
        given = {
            "token_ids": ids,
            "padding_mask": keras.ops.cast(is_text, "int32"),
            "segment_ids": keras.ops.zeros_like(ids),
        }
        outputs = self.model({name: given[name] for name in self.model.input})
        if isinstance(outputs, dict):
            outputs = outputs["sequence_output"]
        return self._pool(outputs, is_text)

    def _pool(self, outputs: Any, is_text: Any) -> Any:
        """Return one row of features: of a map, of patches, or of pieces that are no padding."""
        import keras

        places = len(outputs.shape) - 2
        if self.pooling == "none" or places == 0:
            return outputs
        if self.pooling == "first":
            if places != 1:
                raise UnfitPresetError(
                    "pooling: first is for texts and patches; this backbone gives a map: take avg, "
                    "max or none"
                )
            return outputs[:, 0]
        if is_text is not None and self.pooling == "max":
            least = keras.ops.cast(keras.ops.logical_not(is_text), outputs.dtype) * -1e4
            outputs = outputs + keras.ops.expand_dims(least, -1)
        kind = {"avg": "GlobalAveragePooling", "max": "GlobalMaxPooling"}[self.pooling]
        layer = getattr(keras.layers, f"{kind}{places}D")(name="pooling")
        if is_text is not None and self.pooling == "avg":
            return layer(outputs, mask=is_text)
        return layer(outputs)


def _plain(values: Any, default: float) -> float | list[float]:
    """Return one number, or a plain list of one a channel."""
    if values is None:
        return default
    return float(values) if isinstance(values, (int, float)) else [float(each) for each in values]


def require_keras_hub() -> None:
    """Raise MachineError, with what to install, unless KerasHub is there."""
    if find_spec("keras_hub") is None:
        raise MachineError(
            "a preset of KerasHub needs the package keras-hub, which isn't installed.",
            hint=_INSTALL,
        )


def load_backbone(preset: str, *, name: str, is_filled: bool) -> Any:
    """Return the backbone of a preset, fetched unless it is a folder; else with new weights.

    Raises MachineError without keras-hub, DataError if the preset can't be had or is damaged.
    """
    require_keras_hub()
    import keras_hub

    try:
        with counting_anew():
            backbone = keras_hub.models.Backbone.from_preset(preset, load_weights=is_filled)
    except Exception as error:  # kagglehub, Hugging Face, HDF5 and Keras each raise their own
        raise explain_preset(preset, error) from error
    backbone.name = name
    return backbone


def load_image_converter(preset: str) -> Any:
    """Return what prepares the preset's images, or None if it brings nothing of the kind.

    Raises DataError if it is damaged, or works in a way of its own.
    """
    import keras_hub

    kind = keras_hub.layers.ImageConverter
    try:
        converter = kind.from_preset(preset)
    except FileNotFoundError:
        return None
    except Exception as error:
        if "Unable to find a subclass" in str(error):
            return None
        raise explain_preset(preset, error) from error
    if type(converter).call is not kind.call:
        raise DataError(
            f"the preset {preset} prepares images by {type(converter).__name__}, in a way that no "
            "layer of Keras's own has.",
            hint="Take another preset.",
        )
    return converter


def check_text_inputs(backbone: Any) -> None:
    """Raise UnfitPresetError unless the backbone takes texts, and nothing besides."""
    taken = backbone.input
    if not isinstance(taken, dict) or not set(taken) <= _TEXT_INPUTS or "token_ids" not in taken:
        names = ", ".join(taken) if isinstance(taken, dict) else "images"
        raise UnfitPresetError(f"{type(backbone).__name__} takes {names}, and not texts alone")


def check_image_inputs(backbone: Any) -> None:
    """Raise UnfitPresetError unless the backbone takes images, and gives one output."""
    taken, given = backbone.input, backbone.output
    if isinstance(taken, (dict, list)) or len(taken.shape) != 4:
        names = ", ".join(taken) if isinstance(taken, dict) else "other inputs"
        raise UnfitPresetError(f"{type(backbone).__name__} takes {names}, and not images")
    if isinstance(given, (dict, list)):
        raise UnfitPresetError(f"{type(backbone).__name__} gives {len(given)} outputs, and not one")


def describe_preset(front: PresetFront) -> dict[str, Any]:
    """Return the JSON of the files that make the preset again, without weights and vocabulary."""
    import keras

    files = {
        "config.json": keras.saving.serialize_keras_object(front.model),
        "metadata.json": {"parameter_count": int(front.model.count_params())},
    }
    if front.converter is not None:
        files["image_converter.json"] = keras.saving.serialize_keras_object(front.converter)
    return files


def explain_preset(preset: str, error: Exception) -> DataError:
    """Return the DataError of a preset that can't be loaded or fetched."""
    text = str(error).strip()
    detail = text.splitlines()[0] if text else type(error).__name__
    return DataError(
        f"the preset {preset} can't be loaded: {detail[:200]}",
        hint=SAVE_IT,
    )
