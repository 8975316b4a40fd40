"""Which arguments of one component can't stand beside each other?

Each rule is one that Keras enforces itself, later and without naming the place in the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.catalog.components import Component


@dataclass(frozen=True, slots=True)
class Clash:
    """Say which argument is wrong beside the others: what was expected of it, what received."""

    argument: str
    expected: str
    received: str


_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def check_together(component: Component, arguments: Mapping[str, Any]) -> list[Clash]:
    """Return every clash between the given `arguments`.

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
    return Clash(given[1], f"only one of {', '.join(_CLIPS)}", " and ".join(given))


def _strides_or_dilation(component: Component, values: Mapping[str, Any]) -> Clash | None:
    convolution = component.kind == "layers" and {"strides", "dilation_rate"} <= values.keys()
    # The depthwise and separable layers leave this to the backend, which may allow it.
    if not convolution or component.name.startswith(("depthwise", "separable")):
        return None
    strides, dilation = values["strides"], values["dilation_rate"]
    if _largest(strides) > 1 and _largest(dilation) > 1:
        expected = "only one of strides and dilation_rate greater than 1"
        return Clash("dilation_rate", expected, f"strides {strides} and dilation_rate {dilation}")
    return None


def _groups(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.kind != "layers" or not {"filters", "groups"} <= values.keys():
        return None
    if values["filters"] % values["groups"] == 0:
        return None
    return Clash(
        "groups",
        f"a number that divides filters ({values['filters']})",
        f"the number {values['groups']}",
    )


def _query_heads(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "group_query_attention":
        return None
    if values["num_query_heads"] % values["num_key_value_heads"] == 0:
        return None
    return Clash(
        "num_key_value_heads",
        f"a number that divides num_query_heads ({values['num_query_heads']})",
        f"the number {values['num_key_value_heads']}",
    )


def _piecewise(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "piecewise_constant_decay":
        return None
    boundaries, rates = len(values["boundaries"]), len(values["values"])
    if rates == boundaries + 1:
        return None
    expected = f"one value more than boundaries, {boundaries + 1} in all"
    return Clash("values", expected, f"a list of {rates}")


def _bins(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "discretization":
        return None
    given = [name for name in ("num_bins", "bin_boundaries") if values[name] is not None]
    if len(given) == 1:
        return None
    return Clash("num_bins", "one of num_bins and bin_boundaries", " and ".join(given) or "none")


def _tokens(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "category_encoding" or values["num_tokens"] is not None:
        return None
    return Clash("num_tokens", "a whole number >= 1", "none")


def _checkpoint_path(component: Component, values: Mapping[str, Any]) -> Clash | None:
    if component.name != "model_checkpoint" or not values["save_weights_only"]:
        return None
    if str(values["filepath"]).endswith(".weights.h5"):
        return None
    path = values["filepath"]
    expected = "a path that ends in .weights.h5, as save_weights_only is true"
    return Clash("filepath", expected, f"the text '{path}'")


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
