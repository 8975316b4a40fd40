"""Is a preset of KerasHub checked in its place, by its JSON files alone?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from config_problems import Load, Refuse

from dltrain.config.keras_hub import read_facts
from dltrain.shapes.infer import infer_shapes

IMAGES = (
    "dataset: {name: cifar10}\nmodel:\n  pretrained: {type: keras_hub, preset: p}\n"
    "  layers: [{type: dense, units: 10}]\n"
)
TEXTS = (
    "dataset: {name: imdb}\nmodel:\n  pretrained: {type: keras_hub, preset: p}\n"
    "  layers: [{type: dense, units: 2}]\n"
)
BERT = {"vocabulary_size": 61, "hidden_dim": 16, "max_sequence_length": 64}


def save(folder: Path, kind: str, config: dict[str, Any], **files: Any) -> Path:
    """Write the files of a preset that `check` reads."""
    folder.mkdir()
    described = {
        "class_name": kind,
        "config": config,
        "registered_name": f"keras_hub>{kind}",
    }
    (folder / "config.json").write_text(json.dumps(described))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_texts_become_the_presets_ids_and_its_features_are_known(
    load: Load, tmp_path: Path
) -> None:
    folder = save(tmp_path / "p", "BertBackbone", BERT, metadata={"parameter_count": 6784})
    loaded = load(TEXTS)
    assert loaded.config.model.pretrained is not None
    assert loaded.config.model.pretrained.model_dump() == {
        "type": "keras_hub",
        "preset": str(folder),
        "weights": "preset",
        "trainable": "none",
        "pooling": "avg",
        "image_size": None,
    }
    assert (loaded.config.dataset.max_words, loaded.config.dataset.max_length) == (61, 64)
    table = infer_shapes(loaded)
    assert [(row.name, row.output, row.parameters) for row in table.rows] == [
        ("keras_hub", (16,), 6784),
        ("dense", (2,), 34),
    ]


def test_a_resolved_config_is_taken_again(load: Load, tmp_path: Path) -> None:
    save(tmp_path / "p", "BertBackbone", BERT)
    from dltrain.config.dump import dump_config

    config = load(TEXTS).config
    assert load(dump_config(config)).config == config


def test_images_are_of_the_size_that_the_preset_says(load: Load, tmp_path: Path) -> None:
    config = {"image_shape": [None, None, 3]}
    converter = {"config": {"image_size": [224, 200]}}
    save(tmp_path / "p", "ResNetBackbone", config, image_converter=converter)
    loaded = load(IMAGES)
    assert loaded.config.dataset.normalize == "none"
    facts = read_facts(str(tmp_path / "p"))
    assert facts.find_image_size(None, (32, 32, 3)) == (224, 200)
    assert facts.find_image_size([64, 48], (32, 32, 3)) == (64, 48)
    save(tmp_path / "v", "ViTBackbone", {"image_shape": [16, 24, 3], "hidden_dim": 8})
    facts = read_facts(str(tmp_path / "v"))
    assert facts.find_image_size(None, (32, 32, 3)) == (16, 24)


def test_without_an_image_converter_the_pixels_are_normalized_as_ever(
    load: Load, tmp_path: Path
) -> None:
    save(tmp_path / "p", "ResNetBackbone", {"image_shape": [None, None, 3]})
    assert load(IMAGES).config.dataset.normalize == "unit"


@pytest.mark.parametrize(
    "name", ["resnet_18_imagenet", "kaggle://keras/resnetv1/keras/r", "hf://a/b"]
)
def test_of_a_name_nothing_is_known_before_it_is_fetched(load: Load, name: str) -> None:
    loaded = load(IMAGES.replace("preset: p", f"preset: '{name}'"))
    assert loaded.config.model.pretrained is not None
    assert loaded.config.model.pretrained.preset == name
    assert [(row.output, row.parameters) for row in infer_shapes(loaded).rows] == [
        (None, None),
        (None, None),
    ]


def test_a_runs_config_may_name_a_preset_that_is_gone(
    load: Load, refuse: Refuse, tmp_path: Path
) -> None:
    save(tmp_path / "preset", "BertBackbone", BERT)
    loaded = load(TEXTS.replace("preset: p", "preset: /gone/bert"))
    assert loaded.config.model.pretrained is not None
    assert loaded.config.model.pretrained.preset == "/gone/bert"
    (tmp_path / "preset" / "config.json").unlink()
    assert refuse(TEXTS.replace("preset: p", "preset: /gone/bert")) == [
        "c.yaml:3:41 model.pretrained.preset: there is no folder /gone/bert. A relative path is "
        "taken from the folder of the config."
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"preset: p": "weights: none"},
            "c.yaml:3:15 model.pretrained: keras_hub needs `preset:`, a folder or a name of "
            "KerasHub. `bert_tiny_en_uncased` would be fetched; a folder is what save_to_preset "
            "wrote.",
        ),
        (
            {"preset: p": "preset: p, weights: imagenet"},
            "c.yaml:3:53 model.pretrained.weights: the weights of a preset lie in it: expected "
            "preset, or none for new ones.",
        ),
        (
            {"preset: p": "preset: a/b"},
            "c.yaml:3:41 model.pretrained.preset: there is no folder a/b. A relative path "
            "is taken from the folder of the config.",
        ),
        (
            {"imdb": "cifar10", "units: 2": "units: 10"},
            "c.yaml:3:3 model.pretrained: this preset takes texts; cifar10 holds none. Leave it "
            "out, or take another preset.",
        ),
        (
            {"imdb": "diabetes", "units: 2": "units: 1"},
            "c.yaml:3:3 model.pretrained: this preset takes texts; diabetes holds none. Leave it "
            "out, or take another preset.",
        ),
        (
            {"imdb": "imdb, ngrams: 2"},
            "c.yaml:1:31 dataset.ngrams: texts become ids by the preset's own tokenizer: expected "
            "1. Leave it out.",
        ),
        (
            {"imdb": "imdb, word_dropout: 0.1"},
            "c.yaml:1:37 dataset.word_dropout: texts become ids by the preset's own tokenizer: "
            "expected 0.0. Leave it out.",
        ),
        (
            {"imdb": "imdb, max_words: 99"},
            "c.yaml:1:34 dataset.max_words: texts become ids by the preset's own tokenizer: "
            "expected 61. Leave it out.",
        ),
        (
            {"imdb": "imdb, truncate: start"},
            "c.yaml:1:33 dataset.truncate: texts become ids by the preset's own tokenizer: "
            "expected end. Leave it out.",
        ),
        (
            {"imdb": "imdb, max_length: 65"},
            "c.yaml:1:35 dataset.max_length: BertBackbone reads 3 to 64 pieces of a text, the "
            "marks of its begin and end among them.",
        ),
        (
            {"preset: p": "preset: p, image_size: [8, 8]"},
            "c.yaml:3:44 model.pretrained.image_size: image_size is for images; the data are "
            "texts.",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_its_place(
    refuse: Refuse, tmp_path: Path, changes: dict[str, str], problem: str
) -> None:
    save(tmp_path / "p", "BertBackbone", BERT)
    text = TEXTS
    for old, new in changes.items():
        text = text.replace(old, new)
    assert refuse(text) == [problem]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "it has no config.json"),
        ({"config.json": "{"}, "config.json can't be read (Expecting property name"),
        ({"config.json": "[]"}, "config.json holds no mapping"),
        ({"config.json": "{}"}, "p/config.json describes no backbone of KerasHub"),
    ],
)
def test_a_folder_that_is_no_preset_is_told(
    refuse: Refuse, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    (tmp_path / "p").mkdir()
    for name, content in files.items():
        (tmp_path / "p" / name).write_text(content)
    (problem,) = refuse(TEXTS)
    start = "c.yaml:3:41 model.pretrained.preset: p is no preset: "
    assert problem.startswith(start + reason)
    assert problem.endswith("A preset is what save_to_preset of a keras_hub backbone wrote.")


@pytest.mark.parametrize(
    ("dataset", "more", "problem"),
    [
        (
            "cifar10, normalize: unit",
            "",
            "c.yaml:1:37 dataset.normalize: a preset's image converter prepares the pixels itself. "
            "Leave it out.",
        ),
        (
            "cifar10",
            ", image_size: [8, 8]",
            "c.yaml:3:56 model.pretrained.image_size: this preset takes images of 16 × 24 pixels, "
            "and no other. Leave it out: they are resized to that.",
        ),
    ],
)
def test_images_that_do_not_fit_are_refused(
    refuse: Refuse, tmp_path: Path, dataset: str, more: str, problem: str
) -> None:
    config = {"image_shape": [16, 24, 3]}
    save(tmp_path / "p", "ViTBackbone", config, image_converter={"config": {"image_size": None}})
    text = IMAGES.replace("cifar10", dataset).replace("preset: p", f"preset: p{more}")
    assert refuse(text) == [problem]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "{type: vgg16, preset: p}",
            "c.yaml:3:29 model.pretrained.preset: preset is for `type: keras_hub`.",
        ),
        (
            "{type: vgg16, pooling: first}",
            "c.yaml:3:38 model.pretrained.pooling: first is for `type: keras_hub`; expected avg, "
            "max or none.",
        ),
    ],
)
def test_a_model_of_keras_applications_has_no_preset(
    refuse: Refuse, written: str, problem: str
) -> None:
    assert refuse(IMAGES.replace("{type: keras_hub, preset: p}", written)) == [problem]
