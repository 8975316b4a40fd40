"""Does a preset of KerasHub get its weights, and its input as it was trained with?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_presets import save_bert, save_resnet, save_vit

from dltrain.errors import DataError, MachineError
from dltrain.model import preset as presets
from dltrain.model.preset import (
    PresetFront,
    UnfitPresetError,
    check_image_inputs,
    check_text_inputs,
    describe_preset,
    load_backbone,
    load_image_converter,
)


def load(folder: Path, **changes: Any) -> PresetFront:
    options: dict[str, Any] = {
        "model": load_backbone(str(folder), name="keras_hub_backbone", is_filled=True),
        "converter": None,
        "name": "keras_hub",
        "pooling": "avg",
        "image_size": None,
        "largest": 255.0,
        "padding_id": None,
    }
    return PresetFront(**{**options, **changes})


def build(front: PresetFront, shape: tuple[int, ...], tmp_path: Path, *, dtype: str) -> Any:
    """Return a model of the front alone, saved and loaded as a run's is."""
    import keras

    inputs = keras.Input(shape, dtype=dtype)
    model = keras.Model(inputs, front.apply(inputs, []))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True, compile=False)
    assert loaded.layers[-1].name == "keras_hub"
    return loaded


def test_images_are_prepared_as_the_presets_converter_does(tmp_path: Path) -> None:
    import keras

    saved = save_resnet(tmp_path / "preset")
    converter = load_image_converter(str(tmp_path / "preset"))
    front = load(tmp_path / "preset", converter=converter, image_size=(12, 16))
    images = np.random.default_rng(0).uniform(0, 255, (2, 20, 20, 3)).astype("float32")
    found = build(front, (20, 20, 3), tmp_path, dtype="float32")(images, training=False)
    expected = keras.ops.mean(saved(converter(images), training=False), axis=(1, 2))
    assert found.shape == (2, 16)
    assert np.allclose(found, expected, atol=1e-5)
    for one, two in zip(front.model.get_weights(), saved.get_weights(), strict=True):
        assert np.array_equal(one, two)


def test_grey_images_of_another_range_are_the_same_as_in_colour(tmp_path: Path) -> None:
    save_resnet(tmp_path / "preset")
    converter = load_image_converter(str(tmp_path / "preset"))
    options = {"converter": converter, "image_size": (12, 16), "pooling": "max"}
    grey = np.random.default_rng(0).uniform(0, 16, (2, 12, 16, 1)).astype("float32")
    colour = np.repeat(grey, 3, axis=-1) * (255 / 16)
    one = build(
        load(tmp_path / "preset", largest=16.0, **options), (12, 16, 1), tmp_path, dtype="float32"
    )
    other = build(load(tmp_path / "preset", **options), (12, 16, 3), tmp_path, dtype="float32")
    assert np.allclose(one(grey, training=False), other(colour, training=False), atol=1e-4)


@pytest.mark.parametrize("pooling", ["avg", "max", "first", "none"])
@pytest.mark.parametrize("kind", ["Bert", "DistilBert"])
def test_padding_is_no_part_of_a_texts_features(kind: str, pooling: str, tmp_path: Path) -> None:
    saved = save_bert(tmp_path / "preset", kind=kind)
    front = load(tmp_path / "preset", padding_id=0, pooling=pooling)
    ids = np.zeros((1, 10), dtype="int32")
    ids[0, :4] = [2, 57, 58, 3]
    found = np.asarray(build(front, (10,), tmp_path, dtype="int32")(ids))
    given = {
        "token_ids": ids[:, :4],
        "padding_mask": np.ones((1, 4), dtype="int32"),
        "segment_ids": np.zeros((1, 4), dtype="int32"),
    }
    outputs = saved({name: given[name] for name in saved.input}, training=False)
    states = np.asarray(outputs["sequence_output"] if kind == "Bert" else outputs)
    expected = {
        "avg": states.mean(axis=1),
        "max": states.max(axis=1),
        "first": states[:, 0],
        "none": states,
    }[pooling]
    if pooling == "none":
        found = found[:, :4]
    assert np.allclose(found, expected, atol=1e-5)


def test_patches_are_pooled_like_texts(tmp_path: Path) -> None:
    saved = save_vit(tmp_path / "preset")
    assert load_image_converter(str(tmp_path / "preset")) is None
    front = load(tmp_path / "preset", image_size=(16, 16), pooling="first")
    images = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 1)).astype("float32")
    found = build(front, (8, 8, 1), tmp_path, dtype="float32")(images, training=False)
    import keras

    resized = keras.layers.Resizing(16, 16)(np.repeat(images, 3, axis=-1))
    assert np.allclose(found, saved(resized)[:, 0], atol=1e-5)


def test_the_first_of_a_map_is_refused(tmp_path: Path) -> None:
    save_resnet(tmp_path / "preset")
    front = load(tmp_path / "preset", image_size=(12, 16), pooling="first")
    with pytest.raises(UnfitPresetError, match="pooling: first is for texts and patches; this"):
        build(front, (12, 16, 3), tmp_path, dtype="float32")


def test_what_describes_a_preset_makes_the_same_backbone_again(tmp_path: Path) -> None:
    import json

    save_resnet(tmp_path / "preset")
    converter = load_image_converter(str(tmp_path / "preset"))
    front = load(tmp_path / "preset", converter=converter, image_size=(12, 16))
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, content in describe_preset(front).items():
        (copy / name).write_text(json.dumps(content))
    again = load_backbone(str(copy), name="keras_hub_backbone", is_filled=False)
    assert [weight.shape for weight in again.weights] == [
        weight.shape for weight in front.model.weights
    ]
    assert [layer.name for layer in again.layers] == [layer.name for layer in front.model.layers]
    assert load_image_converter(str(copy)).scale == converter.scale
    with pytest.raises(DataError, match=r"the preset .*copy can't be loaded: "):
        load_backbone(str(copy), name="other", is_filled=True)


def test_a_backbone_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    text = load(tmp_path / "bert") if save_bert(tmp_path / "bert") else None
    image = load(tmp_path / "resnet") if save_resnet(tmp_path / "resnet") else None
    assert text is not None
    assert image is not None
    check_text_inputs(text.model)
    check_image_inputs(image.model)
    with pytest.raises(UnfitPresetError, match="ResNetBackbone takes images, and not texts alone"):
        check_text_inputs(image.model)
    names = "token_ids, segment_ids, padding_mask"
    with pytest.raises(UnfitPresetError, match=f"BertBackbone takes {names}, and not images"):
        check_image_inputs(text.model)


def test_without_keras_hub_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "find_spec", lambda package: None)
    with pytest.raises(MachineError) as error:
        load_backbone("bert_tiny_en_uncased", name="b", is_filled=True)
    assert error.value.message == (
        "a preset of KerasHub needs the package keras-hub, which isn't installed."
    )
    assert error.value.hint == "pip install 'dltrain[keras-hub]'"


def test_a_damaged_preset_is_a_data_error(tmp_path: Path) -> None:
    save_resnet(tmp_path)
    (tmp_path / "model.weights.h5").write_bytes(b"\x89HDF" + b"0" * 50)
    with pytest.raises(DataError) as error:
        load_backbone(str(tmp_path), name="b", is_filled=True)
    assert error.value.message.startswith(f"the preset {tmp_path} can't be loaded: ")
    assert error.value.hint == (
        "Save it where there is a network, with keras_hub.models.Backbone.from_preset(NAME)"
        ".save_to_preset(FOLDER), of texts keras_hub.models.Tokenizer too, and set "
        "model.pretrained.preset to the folder."
    )
