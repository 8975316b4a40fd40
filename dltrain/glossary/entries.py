"""What is said of one thing, in one language? Entries that go to JSON and to the terminal alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from dltrain.catalog.arguments import describe_argument
from dltrain.catalog.components import Component, Kind, components
from dltrain.catalog.datasets import DATASETS, DatasetInfo
from dltrain.config.placement import is_augmentation
from dltrain.glossary.examples import place_example
from dltrain.glossary.keys import Key, keys_below
from dltrain.glossary.lookup import KINDS_AT, Argument, KindName, Thing
from dltrain.glossary.phrases import say_expected
from dltrain.glossary.texts import Concept, Lang, chapters, concepts, notes

_MAX_RELATED = 8


@dataclass(frozen=True, slots=True)
class Row:
    """What an argument or a key may be; `default` is null where `required`."""

    name: str
    text: str
    expected: str
    required: bool
    default: Any
    default_note: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """A component by its kind and name."""

    of: Kind
    name: str


@dataclass(frozen=True, slots=True)
class ConceptEntry:
    """An idea of the tutorial; `supported` is false if this version has nothing for it."""

    name: str
    title: str
    names: tuple[str, ...]
    text: str
    supported: bool
    keys: tuple[str, ...]
    components: tuple[Named, ...]
    commands: tuple[str, ...]
    example: str | None
    see: tuple[str, ...]
    kind: Literal["concept"] = field(default="concept", init=False)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key of the config; `keys` stand below it, `choices` are the names that it may hold."""

    name: str
    text: str
    expected: str
    required: bool
    default: Any
    default_note: str | None
    keys: tuple[Row, ...]
    choices: tuple[str, ...]
    example: str
    concepts: tuple[str, ...]
    kind: Literal["key"] = field(default="key", init=False)


@dataclass(frozen=True, slots=True)
class KindEntry:
    """A kind of component, where it stands, and all of its names."""

    name: Kind
    text: str
    where: str
    choices: tuple[str, ...]
    kind: Literal["kind"] = field(default="kind", init=False)


@dataclass(frozen=True, slots=True)
class ComponentEntry:
    """A component of Keras; `refused` says why dltrain doesn't take it, `example` is then null."""

    of: Kind
    name: str
    class_name: str
    module: str
    aliases: tuple[str, ...]
    text: str
    refused: str | None
    arguments: tuple[Row, ...]
    example: str | None
    concepts: tuple[str, ...]
    see: tuple[str, ...]
    kind: Literal["component"] = field(default="component", init=False)


@dataclass(frozen=True, slots=True)
class Use:
    """Components of one kind for which an argument may be the same and has the same default."""

    of: Kind
    components: tuple[str, ...]
    expected: str
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class ArgumentEntry:
    """An argument of several components, those that share most first."""

    name: str
    text: str
    uses: tuple[Use, ...]
    concepts: tuple[str, ...]
    kind: Literal["argument"] = field(default="argument", init=False)


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A dataset; `classes` is empty for a regression, `shape` for texts."""

    name: str
    text: str
    task: str
    modality: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    train_rows: int
    test_rows: int
    example: str
    kind: Literal["dataset"] = field(default="dataset", init=False)


Entry = ConceptEntry | KeyEntry | KindEntry | ComponentEntry | ArgumentEntry | DatasetEntry


@dataclass(frozen=True, slots=True)
class ChapterEntry:
    """A chapter of the map from idea to key."""

    title: str
    concepts: tuple[ConceptEntry, ...]


def make_map(lang: Lang) -> tuple[ChapterEntry, ...]:
    """Return every chapter with its ideas, in the order of teaching."""
    return tuple(
        ChapterEntry(
            chapter.title[lang],
            tuple(_concept_entry(concept, lang) for concept in chapter.concepts),
        )
        for chapter in chapters()
    )


def make_entry(thing: Thing, lang: Lang) -> Entry:
    """Return what is said of `thing` in `lang`."""
    if isinstance(thing, Concept):
        return _concept_entry(thing, lang)
    if isinstance(thing, Key):
        return _key_entry(thing, lang)
    if isinstance(thing, KindName):
        note = notes("kinds")[thing.kind]
        return KindEntry(thing.kind, note.text[lang], note.where, tuple(components(thing.kind)))
    if isinstance(thing, Component):
        return _component_entry(thing, lang)
    if isinstance(thing, Argument):
        return _argument_entry(thing, lang)
    return _dataset_entry(thing, lang)


def _concept_entry(concept: Concept, lang: Lang) -> ConceptEntry:
    return ConceptEntry(
        name=concept.id,
        title=concept.title(lang),
        names=concept.names[lang],
        text=concept.text[lang],
        supported=concept.supported,
        keys=concept.keys,
        components=tuple(Named(*pair) for pair in concept.components),
        commands=concept.commands,
        example=concept.example or None,
        see=concept.see,
    )


def _key_entry(key: Key, lang: Lang) -> KeyEntry:
    return KeyEntry(
        name=key.name,
        text=key.text[lang],
        expected=say_expected(key.expected, lang),
        required=key.required,
        default=key.default,
        default_note=key.default_note[lang] if key.default_note else None,
        keys=tuple(_key_row(each, lang) for each in keys_below(key.name)),
        choices=_choices(key.name),
        example=key.example,
        concepts=_concepts_with(lambda concept: any(_is_about(key, at) for at in concept.keys)),
    )


def _is_about(key: Key, at: str) -> bool:
    """Tell whether `at` is the key, or an argument of what stands at the key."""
    below = at.replace("[]", "").startswith(f"{key.name}.")
    return at == key.name or (key.name in KINDS_AT and below)


def _key_row(key: Key, lang: Lang) -> Row:
    return Row(
        name=key.last,
        text=key.text[lang],
        expected=say_expected(key.expected, lang),
        required=key.required,
        default=key.default,
        default_note=key.default_note[lang] if key.default_note else None,
    )


def _choices(key: str) -> tuple[str, ...]:
    if key == "dataset.name":
        return tuple(DATASETS)
    if key not in KINDS_AT:
        return ()
    names = components(KINDS_AT[key])
    if key == "loss":
        return ("cross_entropy", *names)
    if key == "dataset.augment":
        return tuple(name for name in names if is_augmentation(name) and not _is_refused(name))
    return tuple(names)


def _is_refused(layer: str) -> bool:
    return notes("layers")[layer].refused is not None


def _component_entry(component: Component, lang: Lang) -> ComponentEntry:
    note = notes(component.kind)[component.name]
    named = (component.kind, component.name)
    return ComponentEntry(
        of=component.kind,
        name=component.name,
        class_name=component.class_name,
        module=component.module,
        aliases=component.aliases,
        text=note.text[lang],
        refused=note.refused[lang] if note.refused else None,
        arguments=tuple(_argument_row(component, name, lang) for name in component.arguments),
        example=None if note.refused else place_example(component, note.example),
        concepts=_concepts_with(lambda concept: named in concept.components),
        see=_related(component),
    )


def _argument_row(component: Component, name: str, lang: Lang) -> Row:
    argument = component.arguments[name]
    return Row(
        name=name,
        text=_say_argument(name, lang),
        expected=say_expected(describe_argument(component, name), lang),
        required=argument.required,
        default=argument.default,
        default_note=None,
    )


def _related(component: Component) -> tuple[str, ...]:
    """Name others of the kind: first the family (conv1d of conv2d), then those of its ideas."""
    stem = component.name.rstrip("123d")
    family = [
        name
        for name in components(component.kind)
        if name.rstrip("123d") == stem and name != component.name
    ]
    named = (component.kind, component.name)
    beside = [
        name
        for concept in concepts().values()
        if named in concept.components
        for kind, name in concept.components
        if kind == component.kind and name != component.name
    ]
    return tuple(dict.fromkeys([*family, *beside]))[:_MAX_RELATED]


def _concepts_with(belongs: Callable[[Concept], bool]) -> tuple[str, ...]:
    return tuple(concept.id for concept in concepts().values() if belongs(concept))


def _argument_entry(argument: Argument, lang: Lang) -> ArgumentEntry:
    groups: dict[tuple[Kind, str, str], list[Component]] = {}
    for component in argument.takers:
        spec = component.arguments[argument.name]
        expected = describe_argument(component, argument.name)
        default = "required" if spec.required else repr(spec.default)
        groups.setdefault((component.kind, expected, default), []).append(component)
    uses = [
        Use(
            of=kind,
            components=tuple(component.name for component in group),
            expected=say_expected(expected, lang),
            required=group[0].arguments[argument.name].required,
            default=group[0].arguments[argument.name].default,
        )
        for (kind, expected, _), group in groups.items()
    ]
    uses.sort(key=lambda use: -len(use.components))
    ideas = _concepts_with(
        lambda concept: any(at.rpartition(".")[2] == argument.name for at in concept.keys)
    )
    return ArgumentEntry(argument.name, _say_argument(argument.name, lang), tuple(uses), ideas)


def _say_argument(name: str, lang: Lang) -> str:
    return notes("arguments")[name].text[lang]


def _dataset_entry(info: DatasetInfo, lang: Lang) -> DatasetEntry:
    return DatasetEntry(
        name=info.name,
        text=notes("datasets")[info.name].text[lang],
        task=info.task,
        modality=info.modality,
        shape=info.shape,
        classes=info.class_names,
        train_rows=info.train_rows,
        test_rows=info.test_rows,
        example=f"dataset: {{name: {info.name}}}",
    )
