"""Does a pretrained model get its weights, and images as it was trained with them?"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.catalog.applications import applications
from dltrain.errors import DataError
from dltrain.model.backbone import Backbone, build_backbone

SMALL = applications()["mobilenet_v3_small"]


def build(**changes: Any) -> Any:
    options: dict[str, Any] = {"size": (32, 32), "pooling": "avg", "weights": None}
    options |= {"name": "front", "offline": True, **changes}
    return build_backbone(options.pop("application", SMALL), **options)


def prepare(name: str, images: Any, *, largest: float = 255.0, size: Any = None) -> Any:
    """Return what stands before a model, as a model of its own that was saved and loaded."""
    import keras

    inputs = keras.Input(images.shape[1:])
    through = keras.Sequential([keras.layers.Identity()])
    backbone = Backbone(through, applications()[name], largest, size)
    return keras.Model(inputs, backbone.apply(inputs, []))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mobilenet", "mobilenet"),
        ("densenet121", "densenet"),
        ("resnet50", "resnet"),
        ("efficientnet_b0", "efficientnet"),
    ],
)
def test_images_are_prepared_as_keras_does_also_after_saving(
    name: str, module: str, tmp_path: Path
) -> None:
    import keras

    images = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    model = prepare(name, images)
    expected = importlib.import_module(f"keras.applications.{module}").preprocess_input(
        images.copy()
    )
    assert np.allclose(model(images), expected, atol=1e-4)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert np.array_equal(loaded(images), model(images))


def test_grey_images_of_other_ranges_become_three_channels_of_the_size_asked_for() -> None:
    images = np.full((1, 8, 8, 1), 16.0, dtype="float32")
    made = np.asarray(prepare("efficientnet_b0", images, largest=16.0, size=(6, 4))(images))
    assert made.shape == (1, 6, 4, 3)
    assert np.allclose(made, 255.0)


def test_weights_that_keras_saved_are_loaded(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "w.weights.h5"
    other = keras.applications.MobileNetV3Small(
        weights=None, include_top=False, input_shape=(64, 64, 3)
    )
    other.save_weights(path)
    made = build(weights=str(path))
    for one, two in zip(made.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(one, two)
    fresh = build(weights=str(path), filled=False)
    pairs = zip(fresh.get_weights(), other.get_weights(), strict=True)
    assert not all(np.array_equal(one, two) for one, two in pairs)


def test_a_file_of_something_else_is_a_data_error(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "w.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(DataError) as error:
        build(weights=str(path))
    start = f"{path} doesn't hold weights of mobilenet_v3_small without its last layers: "
    assert error.value.message.startswith(start)
    assert error.value.hint == (
        "Write them with keras.applications.MobileNetV3Small(include_top=False, …)"
        ".save_weights('NAME.weights.h5')."
    )


def test_imagenet_without_a_network_says_what_to_fetch_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from keras.src.backend import config
    from keras.src.utils import file_utils

    monkeypatch.setattr(config, "keras_home", lambda: str(tmp_path))
    before = file_utils.get_file, file_utils.urlretrieve
    with pytest.raises(DataError) as error:
        build(weights="imagenet")
    url = (
        "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v3/"
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"
    )
    assert error.value.message == (
        "the ImageNet weights of mobilenet_v3_small can't be had: "
        f"{url} isn't in Keras's cache, and nothing may be fetched."
    )
    assert error.value.hint == (
        f"Fetch {url} where there is a network, and put it into {tmp_path}/models as "
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5; or set model.pretrained.weights "
        "to the path of a file, or to none."
    )
    assert capsys.readouterr().out == ""
    assert (file_utils.get_file, file_utils.urlretrieve) == before


def test_a_network_that_fails_is_a_data_error_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urllib.error import URLError

    from keras.src.backend import config
    from keras.src.utils import file_utils

    def fail(origin: str, target: str) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setattr(file_utils, "urlretrieve", fail)
    with pytest.raises(DataError, match=r"can't be had: URL fetch failure on .*no route to host"):
        build(weights="imagenet", offline=False)


def test_without_the_weights_the_layers_are_those_that_imagenets_need() -> None:
    """EfficientNet has a layer more with them: a run that goes on must have it, too."""
    application = applications()["efficientnet_b0"]
    plain = build(application=application)
    ready = build(application=application, weights="imagenet", filled=False)
    assert len(ready.layers) == len(plain.layers) + 1


def test_a_model_built_twice_in_a_process_has_the_same_names() -> None:
    one, other = build(), build()
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
