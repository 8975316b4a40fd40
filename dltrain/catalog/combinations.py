"""Which arguments of one component can't stand beside each other?

Each rule is one that Keras enforces itself, later and without naming the place in the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dltrain.catalog.components import Component

Clash = tuple[str, str]
"""An argument, and the sentence (without its full stop) that says what is wrong with it."""

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def check_together(component: Component, arguments: Mapping[str, Any]) -> list[Clash]:
    """Return (argument, sentence) for every clash between the given `arguments`.

    Values that `check_value` refuses, and nested components, are the caller's to check; a rule
    that meets one of the wrong type says nothing.
    """
    values = {name: spec.default for name, spec in component.arguments.items()} | dict(arguments)
    clashes = []
    for rule in _RULES:
        try:
            clash = rule(component, values)
        except (TypeError, ValueError):
            continue
        if clash is not None:
            clashes.append(clash)
    return clashes


def _largest(value: Any) -> int:
    return max(value) if isinstance(value, (list, tuple)) else int(value)


def _clips(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.kind != "optimizers":
        return None
    given = [name for name in _CLIPS if values.get(name) is not None]
    if len(given) < 2:
        return None
    return given[1], f"only one of {', '.join(_CLIPS)} can be given, and {given[0]} is there too"


def _strides_or_dilation(component: Component, values: Mapping[str, Any]) -> Clash | None:
    convolution = component.kind == "layers" and {"strides", "dilation_rate"} <= values.keys()
    # The depthwise and separable layers leave this to the backend, which may allow it.
    if not convolution or component.name.startswith(("depthwise", "separable")):
        return None
    if _largest(values["strides"]) > 1 and _largest(values["dilation_rate"]) > 1:
        return "dilation_rate", "dilation_rate and strides can't both be greater than 1"
    return None


def _groups(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.kind != "layers" or not {"filters", "groups"} <= values.keys():
        return None
    if values["filters"] % values["groups"] == 0:
        return None
    return "groups", f"groups must divide filters, and {values['filters']} is no multiple of it"


def _query_heads(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "group_query_attention":
        return None
    if values["num_query_heads"] % values["num_key_value_heads"] == 0:
        return None
    return "num_key_value_heads", "num_key_value_heads must divide num_query_heads"


def _piecewise(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "piecewise_constant_decay":
        return None
    boundaries, rates = len(values["boundaries"]), len(values["values"])
    if rates == boundaries + 1:
        return None
    return "values", f"expected one value more than boundaries ({boundaries + 1}), received {rates}"


def _bins(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "discretization":
        return None
    if (values["num_bins"] is None) != (values["bin_boundaries"] is None):
        return None
    return "num_bins", "discretization needs one of num_bins and bin_boundaries, not both"


def _tokens(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "category_encoding" or values["num_tokens"] is not None:
        return None
    return "num_tokens", "category_encoding needs 'num_tokens'"


def _checkpoint_path(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "model_checkpoint" or not values["save_weights_only"]:
        return None
    if str(values["filepath"]).endswith(".weights.h5"):
        return None
    return "filepath", "with save_weights_only the path must end in .weights.h5"


_RULES: tuple[Callable[[Component, Mapping[str, Any]], Clash | None], ...] = (
    _clips,
    _strides_or_dilation,
    _groups,
    _query_heads,
    _piecewise,
    _bins,
    _tokens,
    _checkpoint_path,
)
