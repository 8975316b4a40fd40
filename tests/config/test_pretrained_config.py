"""Is `model.pretrained` checked in its place, and held against the images?"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_problems import Load, Refuse

from dltrain.shapes.infer import infer_shapes

CIFAR = (
    "dataset: {name: cifar10}\nmodel:\n  pretrained: WRITTEN\n"
    "  layers: [{type: dense, units: 10}]\n"
)


def text(written: str, *, dataset: str = "name: cifar10") -> str:
    return CIFAR.replace("WRITTEN", written).replace("name: cifar10", dataset)


def test_a_bare_name_has_imagenets_weights_frozen_and_averages(load: Load) -> None:
    loaded = load(text("mobilenet_v3_small"))
    assert loaded.config.model.pretrained is not None
    assert loaded.config.model.pretrained.model_dump() == {
        "type": "mobilenet_v3_small",
        "preset": None,
        "weights": "imagenet",
        "trainable": "none",
        "pooling": "avg",
        "image_size": None,
    }
    assert loaded.config.dataset.normalize == "none"
    table = infer_shapes(loaded)
    assert [(row.name, row.output, row.parameters) for row in table.rows] == [
        ("mobilenet_v3_small", (576,), 939_120),
        ("dense", (10,), 5_770),
    ]


def test_a_path_is_taken_from_the_folder_of_the_config(load: Load, tmp_path: Path) -> None:
    (tmp_path / "w.h5").touch()
    loaded = load(text("{type: vgg16, weights: w.h5}"))
    assert loaded.config.model.pretrained is not None
    assert loaded.config.model.pretrained.weights == str(tmp_path / "w.h5")


@pytest.mark.parametrize(
    ("written", "dataset", "problem"),
    [
        (
            "resnet5",
            "name: cifar10",
            "c.yaml:3:15 model.pretrained: keras.applications has no model 'resnet5'. "
            "Did you mean 'resnet50'?",
        ),
        (
            "{type: vggg16}",
            "name: cifar10",
            "c.yaml:3:22 model.pretrained.type: keras.applications has no model 'vggg16'. "
            "Did you mean 'vgg16'?",
        ),
        (
            "{type: vgg16, trainable: some}",
            "name: cifar10",
            "c.yaml:3:40 model.pretrained.trainable: expected all, none or last_n: a whole number "
            ">= 1, received the text 'some'.",
        ),
        (
            "vgg16",
            "name: mnist",
            "c.yaml:3:15 model.pretrained: vgg16 takes images of 32 × 32 pixels or more; these "
            "have 28 × 28. Write `image_size: [32, 32]` under model.pretrained: it resizes them.",
        ),
        (
            "{type: xception, image_size: [64, 80]}",
            "name: cifar10",
            "c.yaml:3:44 model.pretrained.image_size: xception takes images of 71 × 71 pixels or "
            "more; these have 64 × 80. Write `image_size: [71, 71]` under model.pretrained: it "
            "resizes them.",
        ),
        (
            "vgg16",
            "name: cifar10, normalize: unit",
            "c.yaml:1:37 dataset.normalize: a pretrained model prepares the pixels itself, as it "
            "was trained with them. Leave it out.",
        ),
        (
            "vgg16",
            "name: diabetes",
            "c.yaml:3:3 model.pretrained: pretrained models take images; diabetes holds none. "
            "Leave it out.",
        ),
        (
            "vgg16\n  from_run: other",
            "name: cifar10",
            "c.yaml:3:3 model.pretrained: a model starts from pretrained weights or from a run, "
            "not from both. Leave one of them out.",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_its_place(
    refuse: Refuse, written: str, dataset: str, problem: str
) -> None:
    assert problem in refuse(text(written, dataset=dataset))


def test_a_weights_file_that_is_not_there_is_told(refuse: Refuse, tmp_path: Path) -> None:
    assert refuse(text("{type: vgg16, weights: imagenett}")) == [
        "c.yaml:3:38 model.pretrained.weights: there is no imagenett. Did you mean 'imagenet'?"
    ]
