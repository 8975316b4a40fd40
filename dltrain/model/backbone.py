"""How does a model of keras.applications become the first part of a network? Weights and input.

It is one layer of the network, whose own layers can be frozen. What it expects of its input stands
before it as layers, so that the saved model takes the images as they are stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from dltrain.catalog.applications import PREPROCESSING, Application
from dltrain.config.layers import Layer, free_name
from dltrain.errors import DataError


@dataclass(frozen=True)
class Backbone:
    """A built application (a Keras model without its last layers), and how images come to it.

    `largest` is the largest value that a pixel may hold; `image_size` None keeps their size.
    """

    model: Any
    application: Application
    largest: float
    image_size: tuple[int, int] | None

    def apply(self, images: Any, layers: Sequence[Layer]) -> Any:
        """Return what it makes of `images` `(batch, height, width, channels)`, from 0 to `largest`.

        Grey images become three equal channels. `layers` are the head's, whose names are taken.
        """
        import keras

        def name(wanted: str) -> str:
            return free_name(wanted, layers)

        tensor = images
        if self.image_size is not None:
            tensor = keras.layers.Resizing(*self.image_size, name=name("resizing"))(tensor)
        if self.largest != 255.0:
            scale = 255.0 / self.largest
            tensor = keras.layers.Rescaling(scale, name=name("to_255"))(tensor)
        if tensor.shape[-1] == 1:
            tensor = keras.layers.Concatenate(name=name("grey_to_rgb"))([tensor] * 3)
        order, mean, deviation = PREPROCESSING[self.application.preprocessing]
        if order != (0, 1, 2):
            with _counting_anew():
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
    weights: str | None,
    name: str,
    offline: bool,
    filled: bool = True,
) -> Any:
    """Return the application without its last layers, for images of `size` (height, width).

    `weights` is None, "imagenet" (Keras fetches them once, into its own cache) or the path of what
    its `save_weights` wrote. Without `filled` its weights are new ones, and nothing is read:
    with ImageNet's the layers are not quite the same as without. Raises DataError if the weights
    aren't there or don't fit, and ValueError if Keras refuses the size.
    """
    import keras

    function = getattr(keras.applications, application.function)
    options = {
        "include_top": False,
        "input_shape": (*size, 3),
        "pooling": pooling,
        "name": name,
    }
    if weights == "imagenet":
        with _getting_weights(application, offline=offline, filled=filled), _counting_anew():
            return function(weights="imagenet", **options)
    with _counting_anew():
        model = function(weights=None, **options)
    if weights is not None and filled:
        _load(model, Path(weights), application)
    return model


@contextmanager
def _counting_anew() -> Iterator[None]:
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


def _load(model: Any, path: Path, application: Application) -> None:
    try:
        model.load_weights(path)
    except Exception as error:  # Keras, HDF5 and zip each raise their own
        detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{path} doesn't hold weights of {application.name} without its last layers: "
            f"{detail[:200]}",
            hint=f"Write them with keras.applications.{application.function}"
            "(include_top=False, …).save_weights('NAME.weights.h5').",
        ) from error


@contextmanager
def _getting_weights(application: Application, *, offline: bool, filled: bool) -> Iterator[None]:
    """Let Keras fetch ImageNet's weights, or only find them, or go without (not `filled`).

    Keras has no argument for it: its own fetching and reading are replaced for the block.
    """
    from keras.src.models.model import Model
    from keras.src.utils import file_utils

    # The wanted file is named by the hint; Keras would also print it, and a bar, to stdout.
    fetch, get_file, load = file_utils.urlretrieve, file_utils.get_file, Model.load_weights
    wanted: list[tuple[str, str]] = []

    def refuse(origin: str, target: str, *_: Any) -> None:
        raise OSError(f"{origin} isn't in Keras's cache, and nothing may be fetched")

    def noting(fname: str, origin: str, **options: Any) -> Any:
        wanted.append((origin, fname))
        return get_file(fname, origin, **options) if filled else fname

    file_utils.get_file = noting
    file_utils.urlretrieve = refuse if offline else lambda origin, target, *_: fetch(origin, target)
    if not filled:
        Model.load_weights = lambda self, *_, **__: None
    try:
        with redirect_stdout(StringIO()):
            yield
    except Exception as error:  # Keras raises plain Exceptions where fetching fails
        if not wanted:
            raise
        origin, file_name = wanted[-1]
        folder = Path(_cache_folder()) / "models"
        raise DataError(
            f"the ImageNet weights of {application.name} can't be had: {str(error)[:200]}.",
            hint=f"Fetch {origin} where there is a network, and put it into {folder} as "
            f"{file_name}; or set model.pretrained.weights to the path of a file, or to none.",
        ) from error
    finally:
        file_utils.get_file, file_utils.urlretrieve = get_file, fetch
        Model.load_weights = load


def _cache_folder() -> str:
    from keras.src.backend import config

    return str(config.keras_home())
