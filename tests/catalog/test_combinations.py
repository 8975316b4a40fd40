"""Are arguments that can't stand beside each other refused, with the reason?"""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.catalog.combinations import check_together
from dltrain.catalog.components import KINDS, Kind, components

CLASHES: list[tuple[Kind, str, dict[str, Any], str, str]] = [
    (
        "optimizers",
        "adam",
        {"clipnorm": 1.0, "clipvalue": 0.5},
        "clipvalue",
        "only one of clipnorm, clipvalue, global_clipnorm can be given, and clipnorm is there too",
    ),
    (
        "layers",
        "conv2d",
        {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": [1, 2]},
        "dilation_rate",
        "dilation_rate and strides can't both be greater than 1",
    ),
    (
        "layers",
        "conv1d",
        {"filters": 4, "kernel_size": 3, "groups": 3},
        "groups",
        "groups must divide filters, and 4 is no multiple of it",
    ),
    (
        "layers",
        "group_query_attention",
        {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2},
        "num_key_value_heads",
        "num_key_value_heads must divide num_query_heads",
    ),
    (
        "schedules",
        "piecewise_constant_decay",
        {"boundaries": [10, 20], "values": [0.1, 0.01]},
        "values",
        "expected one value more than boundaries (3), received 2",
    ),
    (
        "layers",
        "discretization",
        {},
        "num_bins",
        "discretization needs one of num_bins and bin_boundaries, not both",
    ),
    ("layers", "category_encoding", {}, "num_tokens", "category_encoding needs 'num_tokens'"),
    (
        "callbacks",
        "model_checkpoint",
        {"filepath": "best.keras", "save_weights_only": True},
        "filepath",
        "with save_weights_only the path must end in .weights.h5",
    ),
]


@pytest.mark.parametrize(("kind", "name", "arguments", "where", "sentence"), CLASHES)
def test_a_clash_names_the_argument_and_the_reason(
    kind: Kind, name: str, arguments: dict[str, Any], where: str, sentence: str
) -> None:
    assert check_together(components(kind)[name], arguments) == [(where, sentence)]


def test_the_defaults_of_keras_never_clash() -> None:
    made_with = {
        "discretization": {"num_bins": 3},
        "category_encoding": {"num_tokens": 3},
        "piecewise_constant_decay": {"boundaries": [1], "values": [0.1, 0.2]},
    }
    for kind in KINDS:
        for component in components(kind).values():
            assert check_together(component, made_with.get(component.name, {})) == [], component


def test_values_of_the_wrong_type_are_left_to_the_other_check() -> None:
    conv2d = components("layers")["conv2d"]
    assert check_together(conv2d, {"filters": "many", "strides": None, "groups": 0}) == []
