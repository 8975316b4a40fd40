"""Is the suggestion what the writer meant, and is there none when nothing is close?"""

from __future__ import annotations

import pytest

from dltrain.catalog.components import Kind, components
from dltrain.catalog.suggest import nearest


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("layers", "conv_2d", "conv2d"),
        ("layers", "Dens", "dense"),
        ("layers", "maxpooling2d", "max_pooling2d"),
        ("layers", "batchnormalization", "batch_normalization"),
        ("optimizers", "adm", "adam"),
        ("optimizers", "RMS-Prop", "rmsprop"),
        ("losses", "sparse_categorical_cross_entropy", "sparse_categorical_crossentropy"),
        ("activations", "sigmiod", "sigmoid"),
    ],
)
def test_unknown_component_suggests_the_nearest(kind: Kind, written: str, meant: str) -> None:
    assert nearest(written, components(kind)) == meant


def test_unknown_argument_suggests_the_nearest() -> None:
    assert nearest("filter", components("layers")["conv2d"].arguments) == "filters"
    assert nearest("stride", components("layers")["conv2d"].arguments) == "strides"
    assert nearest("learning_rat", components("optimizers")["adam"].arguments) == "learning_rate"


def test_initials_suggest_the_name_that_they_stand_for() -> None:
    assert nearest("lr", components("optimizers")["adam"].arguments) == "learning_rate"
    assert nearest("mha", components("layers")) == "multi_head_attention"
    assert nearest("xy", ["xylophone_yard", "xenon_yellow"]) is None  # Two candidates: no guess.


def test_nothing_close_suggests_nothing() -> None:
    assert nearest("banana", components("optimizers")) is None
    assert nearest("anything", []) is None


def test_equally_close_names_suggest_the_first_in_the_alphabet() -> None:
    assert nearest("l", ["l2", "l1"]) == nearest("l", ["l1", "l2"])
