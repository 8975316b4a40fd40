"""How does a model of keras.applications become the first part of a network? Weights and input.

It is one layer of the network, whose own layers can be frozen. What it expects of its input stands
before it as layers, so that the saved model takes the images as they are stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dltrain.catalog.applications import IMAGENET_DEVIATIONS, PREPROCESSING, Application
from dltrain.config.layers import Layer, free_name
from dltrain.errors import DataError


class Front(Protocol):
    """What stands before the layers: a Keras model that was trained, and how data come to it."""

    @property
    def model(self) -> Any:
        """Return the model whose layers can be frozen."""

    def apply(self, inputs: Any, layers: Sequence[Layer]) -> Any:
        """Return what it makes of the tensor `inputs`; `layers` follow, and have their names."""


@dataclass(frozen=True)
class Backbone:
    """A built application (a Keras model without its last layers), and how images come to it.

    `largest` is the largest value that a pixel may hold; `image_size` None keeps their size.
    """

    model: Any
    application: Application
    largest: float
    image_size: tuple[int, int] | None

    def apply(self, inputs: Any, layers: Sequence[Layer]) -> Any:
        """Return what it makes of images `(batch, height, width, channels)`, from 0 to `largest`.

        Grey images become three equal channels. `layers` are the head's, whose names are taken.
        """
        import keras

        def name(wanted: str) -> str:
            return free_name(wanted, layers)

        tensor = inputs
        if self.image_size is not None:
            tensor = keras.layers.Resizing(*self.image_size, name=name("resizing"))(tensor)
        if self.largest != 255.0:
            scale = 255.0 / self.largest
            tensor = keras.layers.Rescaling(scale, name=name("to_255"))(tensor)
        if tensor.shape[-1] == 1:
            tensor = keras.layers.Concatenate(name=name("grey_to_rgb"))([tensor] * 3)
        order, mean, deviation = PREPROCESSING[self.application.preprocessing]
        if order != (0, 1, 2):
            with counting_anew():
                tensor = keras.ops.flip(tensor, axis=-1)
        if self.application.preprocessing != "built_in":
            tensor = keras.layers.Rescaling(
                [1.0 / each for each in deviation],
                offset=[-m / d for m, d in zip(mean, deviation, strict=True)],
                name=name("preprocessing"),
            )(tensor)
        return self.model(tensor)


def build_backbone(
    application: Application,
    *,
    size: tuple[int, int],
    pooling: str | None,
    weights: Path | None,
    is_imagenet: bool,
    name: str,
) -> Any:
    """Return the application without its last layers, for images of `size` (height, width).

    `weights` is a file that Keras or its `save_weights` wrote; None: new ones. `is_imagenet`: they
    are, or were before they were trained on, ImageNet's, which some models divide the pixels for
    once more. Raises DataError if the weights don't fit, and ValueError if Keras refuses the size.
    """
    import keras

    function = getattr(keras.applications, application.function)
    with counting_anew():
        model = function(include_top=False, input_shape=(*size, 3), pooling=pooling, weights=None)
        if is_imagenet and application.is_rescaled:
            model = _rescale_once_more(model)
    model.name = name  # as an argument EfficientNetV2 takes it for the name of the variant
    if weights is not None:
        _load(model, weights, application, is_imagenet=is_imagenet)
    return model


def _rescale_once_more(model: Any) -> Any:
    """Return an EfficientNet as Keras makes it for ImageNet's weights.

    They were trained on pixels divided by the variance, where the layer divides by its root
    (tensorflow/tensorflow#49930).
    """
    import keras

    rescaling = keras.layers.Rescaling(
        [deviation**-0.5 for deviation in IMAGENET_DEVIATIONS], name="rescaling_1"
    )

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        outputs = layer(*arguments, **options)
        return rescaling(outputs) if layer.name == "normalization" else outputs

    return keras.models.clone_model(model, call_function=call)


@contextmanager
def counting_anew() -> Iterator[None]:
    """Let Keras number the layers without a name from 0 for the block.

    It counts through the whole process; a model built twice would be saved with other names.
    """
    from keras.src.backend.common import global_state

    key = "object_name_uids"
    before = global_state.get_global_attribute(key)
    global_state.set_global_attribute(key, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(key, before)


def _load(model: Any, path: Path, application: Application, *, is_imagenet: bool) -> None:
    try:
        model.load_weights(path)
    except Exception as error:  # Keras, HDF5 and zip each raise their own
        detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = (
            "It is damaged: remove it, and it is fetched again."
            if is_imagenet
            else f"Write them with keras.applications.{application.function}"
            "(include_top=False, …).save_weights('NAME.weights.h5')."
        )
        raise DataError(
            f"{path} doesn't hold weights of {application.name} without its last layers: "
            f"{detail[:200]}",
            hint=hint,
        ) from error
