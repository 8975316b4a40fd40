"""Are the keys of a config read off its schema: types, bounds, defaults?"""

from __future__ import annotations

import pytest

from dltrain.config.schema import RunConfig
from dltrain.glossary.keys import keys, keys_below


@pytest.mark.parametrize(
    ("name", "expected", "default"),
    [
        ("seed", "a whole number >= 0 and < 2147483648", 0),
        ("dataset.validation_split", "a number >= 0 and < 1", 0.1),
        ("dataset.normalize", "one of unit, standard, none, or null", None),
        ("dataset.augment", "a list of layers, each a name or a mapping with type", []),
        ("model.blocks", "a mapping", {}),
        ("regularization.l2", "a number >= 0", 0.0),
        ("training.batch_size", "a whole number >= 1, or full", 32),
        ("training.shuffle", "true or false", True),
        ("training.monitor", "a text, or null", None),
        ("training.jit_compile", "auto, or true or false", "auto"),
        ("training.early_stopping", "a mapping, or null", None),
        ("training.early_stopping.patience", "a whole number >= 0", 5),
        ("training.reduce_lr_on_plateau.factor", "a number > 0 and < 1", 0.1),
        ("training.checkpoint.every_seconds", "a number > 0, or null", 300.0),
    ],
)
def test_a_key_says_what_it_may_be_and_its_default(
    name: str, expected: str, default: object
) -> None:
    key = keys()[name]
    assert (key.expected, key.default, key.required) == (expected, default, False)


def test_required_keys_are_those_without_a_default() -> None:
    required = [key.name for key in keys().values() if key.required]
    assert required == [
        "dataset",
        "model",
        "model.from_run.run",
        "model.pretrained.type",
        "model.layers",
        "sweep.space",
        "model.layers[].type",
        "model.blocks[].layers",
        "trackers[].type",
    ]


def test_every_field_of_the_schema_is_a_key_at_any_depth() -> None:
    top = [key.name for key in keys_below("")]
    assert top == [*RunConfig.model_fields, "extends"]
    assert [key.last for key in keys_below("training.checkpoint")] == [
        "every_epochs",
        "every_seconds",
        "every_steps",
    ]


def test_a_section_without_a_description_is_said_by_its_docstring() -> None:
    assert keys()["model"].text["en"] == "The layers, in order or as a graph."
