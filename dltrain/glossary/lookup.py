"""Which things does a name mean: ideas, keys, components of Keras, their arguments, datasets?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dltrain.catalog.components import KINDS, Component, Kind, components, find
from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.catalog.excluded import why_excluded
from dltrain.catalog.suggest import nearest
from dltrain.config.losses import METRIC_SHORT_NAMES
from dltrain.glossary.keys import Key, keys
from dltrain.glossary.texts import LANGS, Concept, concepts

# The kind of component that stands at a key; a name after it is one of the component's arguments.
KINDS_AT: dict[str, Kind] = {
    "dataset.augment": "layers",
    "model.layers": "layers",
    "loss": "losses",
    "optimizer": "optimizers",
    "optimizer.learning_rate": "schedules",
    "metrics": "metrics",
    "training.callbacks": "callbacks",
}
_SINGULAR: dict[Kind, str] = {
    kind: {"losses": "loss"}.get(kind, kind.removesuffix("s")) for kind in KINDS
}


@dataclass(frozen=True, slots=True)
class KindName:
    """A kind of component: "layers"."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, and the components that take it."""

    name: str
    takers: tuple[Component, ...]


Thing = Concept | Key | KindName | Component | Argument | DatasetInfo


def find_things(name: str) -> list[Thing]:
    """Return all that `name` means, ideas first; empty if it means nothing.

    Case, hyphens, underscores and spaces don't matter. A dotted name is a key
    (`training.batch_size`), or an argument of a component or of a key's components
    (`conv2d.filters`, `optimizer.learning_rate`); numbers in brackets are passed over.
    """
    if "." in name:
        return list(_find_dotted(re.sub(r"\[\w*\]", "", name.strip())))
    wanted = squash(name)
    if not wanted:
        return []
    found: list[Thing] = [
        concept for concept in concepts().values() if wanted in _concept_names(concept)
    ]
    found_keys = [key for key in keys().values() if squash(key.last) == wanted]
    found += found_keys
    if not found_keys:
        found += [KindName(kind) for kind in KINDS if wanted in (kind, _SINGULAR[kind])]
    found += [
        component
        for kind in KINDS
        for component in components(kind).values()
        if wanted in _component_names(component)
    ]
    found += _find_argument(wanted, list(_all_components()))
    found += [info for info in DATASETS.values() if squash(info.name) == wanted]
    return found


def why_not(name: str) -> str | None:
    """Return why Keras's `name` has no place in a config, as a sentence, or None."""
    for kind in KINDS:
        reason = why_excluded(kind, name)
        if reason is not None:
            return f"{reason}."
    return None


def suggest(name: str) -> str | None:
    """Return the known name that is most like `name`, or None when none is close.

    Of names that differ only in writing (conv2d, Conv2D) the config's own is returned.
    """
    known = [key.last for key in keys().values()]
    for component in _all_components():
        known += [component.name, *component.arguments]
    known += [*DATASETS, *KINDS, *(keys() if "." in name else ())]
    for concept in concepts().values():
        known += [concept.id, *concept.names["en"], *concept.names["zh"]]
    by_squashed: dict[str, str] = {}
    for each in known:
        by_squashed.setdefault(squash(each), each)
    return nearest(name, by_squashed.values())


def squash(name: str) -> str:
    """Return `name` without what doesn't matter when two names are compared."""
    return re.sub(r"[\s_\-'’]", "", name).casefold()


def _concept_names(concept: Concept) -> set[str]:
    names = {squash(name) for lang in LANGS for name in concept.names[lang]}
    return names | {squash(concept.id)}


def _component_names(component: Component) -> set[str]:
    names = {component.name, component.class_name, *component.aliases}
    if component.kind == "metrics":
        names |= {short for short, name in METRIC_SHORT_NAMES.items() if name == component.name}
    return {squash(name) for name in names}


def _all_components() -> Iterator[Component]:
    for kind in KINDS:
        yield from components(kind).values()


def _find_argument(wanted: str, among: list[Component]) -> Iterator[Argument]:
    """Yield the argument that squashes to `wanted`, with those of `among` that take it."""
    names = {name for component in among for name in component.arguments}
    for name in sorted(names):
        if squash(name) == wanted:
            yield Argument(name, tuple(each for each in among if name in each.arguments))


def _find_dotted(dotted: str) -> Iterator[Thing]:
    exact = [key for key in keys().values() if key.name.replace("[]", "") == dotted]
    if exact:
        yield from exact
        return
    head, _, tail = dotted.rpartition(".")
    if head in KINDS_AT:
        takers = list(components(KINDS_AT[head]).values())
    else:
        named = [find(kind, head) for kind in KINDS]
        takers = [component for component in named if component is not None]
    yield from _find_argument(squash(tail), takers)
