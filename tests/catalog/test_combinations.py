"""Are arguments that can't stand beside each other refused, with the reason?"""

from __future__ import annotations

from typing import Any

import pytest

from dltrain.catalog.combinations import Clash, check_together
from dltrain.catalog.components import KINDS, Kind, components

CLASHES: list[tuple[Kind, str, dict[str, Any], str, str, str]] = [
    (
        "optimizers",
        "adam",
        {"clipnorm": 1.0, "clipvalue": 0.5},
        "clipvalue",
        "only one of clipnorm, clipvalue, global_clipnorm",
        "clipnorm and clipvalue",
    ),
    (
        "layers",
        "conv2d",
        {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": [1, 2]},
        "dilation_rate",
        "only one of strides and dilation_rate greater than 1",
        "strides 2 and dilation_rate [1, 2]",
    ),
    (
        "layers",
        "conv1d",
        {"filters": 4, "kernel_size": 3, "groups": 3},
        "groups",
        "a number that divides filters (4)",
        "the number 3",
    ),
    (
        "layers",
        "group_query_attention",
        {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2},
        "num_key_value_heads",
        "a number that divides num_query_heads (3)",
        "the number 2",
    ),
    (
        "schedules",
        "piecewise_constant_decay",
        {"boundaries": [10, 20], "values": [0.1, 0.01]},
        "values",
        "one value more than boundaries, 3 in all",
        "a list of 2",
    ),
    (
        "layers",
        "discretization",
        {},
        "num_bins",
        "one of num_bins and bin_boundaries",
        "none",
    ),
    (
        "layers",
        "discretization",
        {"num_bins": 2, "bin_boundaries": [0.5]},
        "num_bins",
        "one of num_bins and bin_boundaries",
        "num_bins and bin_boundaries",
    ),
    ("layers", "category_encoding", {}, "num_tokens", "a whole number >= 1", "none"),
    (
        "callbacks",
        "model_checkpoint",
        {"filepath": "best.keras", "save_weights_only": True},
        "filepath",
        "a path that ends in .weights.h5, as save_weights_only is true",
        "the text 'best.keras'",
    ),
]


@pytest.mark.parametrize(("kind", "name", "arguments", "where", "expected", "received"), CLASHES)
def test_a_clash_names_the_argument_and_the_reason(
    kind: Kind, name: str, arguments: dict[str, Any], where: str, expected: str, received: str
) -> None:
    clashes = check_together(components(kind)[name], arguments)
    assert clashes == [Clash(where, expected, received)]


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
