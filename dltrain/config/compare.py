"""Where do two configs differ, by what they mean and not by how they are written?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from dltrain.catalog.arguments import nested_kind
from dltrain.catalog.components import Component, Kind, find
from dltrain.config.layers import INPUT, Layer
from dltrain.config.load import LoadedConfig
from dltrain.config.paths import format_path
from dltrain.config.schema import Spec

# Arguments that may be one number for all spatial axes.
_PER_AXIS = {"kernel_size", "pool_size", "strides", "dilation_rate", "size", "output_size"}


@dataclass(frozen=True)
class Difference:
    """One thing that differs: where it stands in each config (None: not there), and its value."""

    change: Literal["changed", "added", "removed"]
    first_key: str | None
    second_key: str | None
    first: Any
    second: Any


def compare_configs(first: LoadedConfig, second: LoadedConfig) -> list[Difference]:
    """Return what differs after every default is resolved, in the order of the config's sections.

    The same are `flatten` and `{type: flatten}`, `Conv2D` and `conv2d`, 3 and [3, 3] for two
    axes, an argument left out and its default, a block and its layers written out. Layers,
    augmentations and callbacks that were put in or left out are told as such: those round them are
    compared with their partners. Names of layers and the order of metrics mean nothing; the name
    counts where both configs write one.
    """
    one, two = _dump(first), _dump(second)
    if not all(("name",) in loaded.document.keys for loaded in (first, second)):
        one["name"] = two["name"]
    found: list[Difference] = []
    for section in one:
        if section == "model":
            found += _compare_layers(first.layers, second.layers)
        elif section == "loss":
            if one["loss"] != two["loss"]:
                losses = [_resolve("losses", each.targets.loss) for each in (first, second)]
                found += _compare_specs("losses", "loss", "loss", *losses)
        elif section == "optimizer":
            optimizers = [_resolve("optimizers", each["optimizer"]) for each in (one, two)]
            found += _compare_specs("optimizers", "optimizer", "optimizer", *optimizers)
        elif section == "metrics":
            found += _compare_metrics(one["metrics"], two["metrics"])
        else:
            found += _compare_values(section, one[section], two[section])
    return found


def _dump(loaded: LoadedConfig) -> dict[str, Any]:
    return loaded.config.model_dump(mode="python")


_LISTS: dict[str, Kind] = {"dataset.augment": "layers", "training.callbacks": "callbacks"}


def _compare_values(key: str, first: Any, second: Any) -> Iterator[Difference]:
    kind = _LISTS.get(key)
    if kind is not None:
        yield from _compare_lists(kind, key, first, second)
    elif isinstance(first, dict) and isinstance(second, dict):
        for name in first | second:
            below = f"{key}.{name}"
            yield from _compare_values(below, first.get(name), second.get(name))
    elif not _is_same(first, second):
        yield Difference("changed", key, key, first, second)


def _compare_metrics(first: Sequence[Spec], second: Sequence[Spec]) -> Iterator[Difference]:
    """Compare metrics by the name that each is reported by; their order means nothing."""
    ones, twos = ({spec["name"]: (i, spec) for i, spec in enumerate(x)} for x in (first, second))
    for name in ones | twos:
        pair: list[tuple[str, Spec] | None] = [
            (f"metrics[{side[name][0]}]", _resolve("metrics", side[name][1]))
            if name in side
            else None
            for side in (ones, twos)
        ]
        yield from _compare_pair("metrics", *pair)


def _compare_lists(
    kind: Kind, key: str, first: Sequence[Spec], second: Sequence[Spec]
) -> Iterator[Difference]:
    ones, twos = ([_resolve(kind, spec) for spec in specs] for specs in (first, second))
    for i, j in _align(ones, twos):
        yield from _compare_pair(
            kind,
            None if i is None else (f"{key}[{i}]", ones[i]),
            None if j is None else (f"{key}[{j}]", twos[j]),
        )


def _compare_layers(first: Sequence[Layer], second: Sequence[Layer]) -> list[Difference]:
    ones, twos = (
        [_resolve("layers", {"type": layer.type, **layer.arguments}) for layer in layers]
        for layers in (first, second)
    )
    pairs = _align(ones, twos)
    partners = {first[i].name: second[j].name for i, j in pairs if i is not None and j is not None}
    found: list[Difference] = []
    for i, j in pairs:
        one = None if i is None else (format_path(first[i].path), ones[i])
        two = None if j is None else (format_path(second[j].path), twos[j])
        found += _compare_pair("layers", one, two)
        if i is not None and j is not None:
            found += _compare_inputs(first, i, second, j, {INPUT: INPUT, **partners})
    # A block that is used several times is written once.
    return [each for n, each in enumerate(found) if each not in found[:n]]


def _compare_inputs(
    first: Sequence[Layer], i: int, second: Sequence[Layer], j: int, partners: Mapping[str, str]
) -> Iterator[Difference]:
    """Compare what two partners take: the layer before each, or partners again, is the same."""
    one, two = first[i], second[j]
    if _follows(first, i) and _follows(second, j):
        return
    if tuple(partners.get(name) for name in one.inputs) != two.inputs:
        first_key, second_key = (f"{format_path(layer.path)}.inputs" for layer in (one, two))
        yield Difference("changed", first_key, second_key, list(one.inputs), list(two.inputs))


def _follows(layers: Sequence[Layer], index: int) -> bool:
    before = layers[index - 1].name if index else INPUT
    return layers[index].inputs == (before,)


def _align(first: Sequence[Spec], second: Sequence[Spec]) -> list[tuple[int | None, int | None]]:
    """Return the partners of two lists in order: the same thing, or between those the same type.

    What has no partner stands with None.
    """
    pairs: list[tuple[int | None, int | None]] = []
    for tag, i, i_end, j, j_end in _match(*(list(map(_sign, specs)) for specs in (first, second))):
        if tag == "equal":
            pairs += zip(range(i, i_end), range(j, j_end), strict=True)
            continue
        types = ([spec["type"] for spec in x] for x in (first[i:i_end], second[j:j_end]))
        for same, k, k_end, m, m_end in _match(*types):
            if same == "equal":
                pairs += zip(range(i + k, i + k_end), range(j + m, j + m_end), strict=True)
                continue
            pairs += [(index, None) for index in range(i + k, i + k_end)]
            pairs += [(None, index) for index in range(j + m, j + m_end)]
    return pairs


def _match(first: list[str], second: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(a=first, b=second, autojunk=False).get_opcodes()


def _sign(value: Any) -> str:
    """Return a text that two values share if and only if they are the same."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_same(first: Any, second: Any) -> bool:
    return _sign(first) == _sign(second)


def _compare_pair(
    kind: Kind, first: tuple[str, Spec] | None, second: tuple[str, Spec] | None
) -> Iterator[Difference]:
    """Compare two components with their keys; one of them may not be there."""
    if first is None and second is not None:
        yield Difference("added", None, second[0], None, _shorten(kind, second[1]))
    elif second is None and first is not None:
        yield Difference("removed", first[0], None, _shorten(kind, first[1]), None)
    elif first is not None and second is not None:
        yield from _compare_specs(kind, first[0], second[0], first[1], second[1])


def _compare_specs(
    kind: Kind, first_key: str, second_key: str, first: Spec, second: Spec
) -> Iterator[Difference]:
    component = find(kind, first["type"])
    if first["type"] != second["type"] or component is None:
        if not _is_same(first, second):
            one, two = _shorten(kind, first), _shorten(kind, second)
            yield Difference("changed", first_key, second_key, one, two)
        return
    for name in first | second:
        one, two = first.get(name), second.get(name)
        if _is_same(one, two):
            continue
        keys = (f"{first_key}.{name}", f"{second_key}.{name}")
        nested = nested_kind(component, name)
        if nested and isinstance(one, dict) and isinstance(two, dict):
            yield from _compare_specs(nested, *keys, one, two)
        else:
            values = (_shorten_argument(component, name, value) for value in (one, two))
            yield Difference("changed", *keys, *values)


def _resolve(kind: Kind, spec: Spec) -> Spec:
    """Return `spec` with Keras's name and every default written out, at any depth."""
    component = find(kind, spec["type"])
    if component is None:  # cross_entropy: dltrain's own
        return dict(spec)
    resolved: Spec = {"type": component.name}
    for name, argument in component.arguments.items():
        if name in spec:
            resolved[name] = _resolve_argument(component, name, spec[name])
        elif not argument.required:
            resolved[name] = _resolve_argument(component, name, argument.default)
    return resolved | {name: value for name, value in spec.items() if name not in resolved}


def _resolve_argument(component: Component, name: str, value: Any) -> Any:
    nested = nested_kind(component, name)
    if nested == "activations" and value is None:
        value = "linear"
    if nested is not None:
        items = value if isinstance(value, list) else [value]
        items = [_resolve_nested(nested, item) for item in items]
        return items if isinstance(value, list) else items[0]
    rank = re.search("([123])d", component.name)
    if rank and name in _PER_AXIS and isinstance(value, int):
        return [value] * int(rank[1])
    return value


def _resolve_nested(kind: Kind, value: Any) -> Any:
    if isinstance(value, str) and find(kind, value) is not None:
        value = {"type": value}
    return _resolve(kind, value) if isinstance(value, dict) else value


def _shorten(kind: Kind, spec: Spec) -> Any:
    """Return a resolved `spec` without its defaults; without any argument, its bare name."""
    component = find(kind, spec["type"])
    if component is None:
        return spec
    defaults = _resolve(kind, {"type": component.name})
    short = {
        name: _shorten_argument(component, name, value)
        for name, value in spec.items()
        if name == "type" or name not in defaults or not _is_same(value, defaults[name])
    }
    return short["type"] if len(short) == 1 else short


def _shorten_argument(component: Component, name: str, value: Any) -> Any:
    nested = nested_kind(component, name) if name in component.arguments else None
    if nested is None:
        same = isinstance(value, list) and name in _PER_AXIS and len(set(map(str, value))) == 1
        return value[0] if same else value
    if isinstance(value, list):
        return [_shorten_argument(component, name, item) for item in value]
    return _shorten(nested, value) if isinstance(value, dict) else value


def format_value(value: Any) -> str:
    """Return a value as YAML has it, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {format_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(format_value, value))}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
