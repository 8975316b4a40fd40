"""Does a pretrained model get its weights, and images as it was trained with them?"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dltrain.catalog.applications import applications
from dltrain.errors import DataError
from dltrain.model.backbone import Backbone, build_backbone

SMALL = applications()["mobilenet_v3_small"]


def build(**changes: Any) -> Any:
    options: dict[str, Any] = {"size": (32, 32), "pooling": "avg", "weights": None}
    options |= {"name": "front", "is_imagenet": False, **changes}
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
    made = build(weights=path)
    for one, two in zip(made.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(one, two)


ARCHITECTURES = [
    "mobilenet_v3_small",
    "efficientnet_b0",
    pytest.param("mobilenet", marks=pytest.mark.slow),
    pytest.param("mobilenet_v2", marks=pytest.mark.slow),
    pytest.param("resnet50", marks=pytest.mark.slow),
    pytest.param("resnet50_v2", marks=pytest.mark.slow),
    pytest.param("densenet121", marks=pytest.mark.slow),
    pytest.param("efficientnet_v2_b0", marks=pytest.mark.slow),
    pytest.param("convnext_tiny", marks=pytest.mark.slow),
    pytest.param("nasnet_mobile", marks=pytest.mark.slow),
    pytest.param("inception_v3", marks=pytest.mark.slow),
    pytest.param("xception", marks=pytest.mark.slow),
    pytest.param("vgg16", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_imagenets_file_gives_what_keras_itself_makes_of_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is laid out as the published ones are: Keras's legacy HDF5, without the top."""
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    application = applications()[name]
    function = getattr(keras.applications, application.function)
    path = tmp_path / application.weights.file
    made = function(weights=None, include_top=False)
    for variable in made.weights:  # moving statistics, too, are other than new ones
        if variable.dtype == "float32":
            variable.assign(np.abs(np.asarray(variable)) + 0.01)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, made)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))
    size = max(application.min_size, 64)
    if "nasnet" in name:
        size = 224  # the only one that Keras takes with ImageNet's weights
    expected = function(
        weights="imagenet", include_top=False, pooling="avg", input_shape=(size, size, 3)
    )
    found = build(application=application, size=(size, size), weights=path, is_imagenet=True)
    kinds = [[type(layer) for layer in model.layers] for model in (found, expected)]
    assert kinds[0] == kinds[1]
    written = made.get_weights()
    for one, two, three in zip(found.get_weights(), expected.get_weights(), written, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    assert np.array_equal(found(images), expected(images), equal_nan=True)


def test_a_file_of_something_else_is_a_data_error(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "w.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(DataError) as error:
        build(weights=path)
    start = f"{path} doesn't hold weights of mobilenet_v3_small without its last layers: "
    assert error.value.message.startswith(start)
    assert error.value.hint == (
        "Write them with keras.applications.MobileNetV3Small(include_top=False, …)"
        ".save_weights('NAME.weights.h5')."
    )


def test_a_damaged_file_of_imagenets_weights_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "mobilenet_1_0_224_tf_no_top.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 100)
    with pytest.raises(DataError) as error:
        build(weights=path, is_imagenet=True)
    assert error.value.message.startswith(f"{path} doesn't hold weights of mobilenet_v3_small")
    assert error.value.hint == "It is damaged: remove it, and it is fetched again."


def test_without_the_weights_the_layers_are_those_that_imagenets_need() -> None:
    """EfficientNet has a layer more with them: a run that goes on must have it, too."""
    application = applications()["efficientnet_b0"]
    plain = build(application=application)
    ready = build(application=application, is_imagenet=True)
    assert len(ready.layers) == len(plain.layers) + 1
    assert ready.name == plain.name == "front"


def test_a_model_keeps_its_name_when_it_is_saved(tmp_path: Path) -> None:
    """EfficientNetV2 takes a name that it is given for that of the variant to build."""
    import keras

    application = applications()["efficientnet_v2_b0"]
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, build(application=application)(inputs)).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert [layer.name for layer in loaded.layers][1:] == ["front"]


def test_a_model_built_twice_in_a_process_has_the_same_names() -> None:
    one, other = build(), build()
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
