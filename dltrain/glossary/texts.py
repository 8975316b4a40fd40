"""What do the glossary's data files say? Sentences, concepts and examples in both languages."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from dltrain.catalog.components import Kind

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = get_args(Lang)
Words = Mapping[Lang, str]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of one component or dataset.

    `example` is a YAML flow mapping, empty where the bare name will do; `refused` says why dltrain
    doesn't take it, None if it does; `where` is the key at which a kind of component stands.
    """

    text: Words
    example: str = ""
    refused: Words | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """One idea of the tutorial, and by what a config says it.

    `names` has the title first; `keys` may be arguments of what stands at a key
    (`optimizer.momentum`); `components` are (kind, name); `see` are ids of other concepts.
    Without keys, components and commands it is an idea that this version has nothing for.
    """

    id: str
    names: Mapping[Lang, tuple[str, ...]]
    text: Words
    keys: tuple[str, ...]
    components: tuple[tuple[Kind, str], ...]
    commands: tuple[str, ...]
    example: str
    see: tuple[str, ...]

    @property
    def supported(self) -> bool:
        """Tell whether this version has a key, a component or a command for the idea."""
        return bool(self.keys or self.components or self.commands)

    def title(self, lang: Lang) -> str:
        """Return the name that stands at the top of the entry."""
        return self.names[lang][0]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the tutorial: its title and its concepts, in the order of teaching."""

    title: Words
    concepts: tuple[Concept, ...]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def _words(entry: Mapping[str, Any]) -> Words:
    return {lang: entry[lang] for lang in LANGS}


@functools.cache
def notes(kind: str) -> Mapping[str, Note]:
    """Return what is said of the components of `kind`, by name.

    Besides the catalog's kinds there are "arguments", "datasets" and "kinds".
    """
    return {
        name: Note(
            text=_words(entry),
            example=entry.get("example", ""),
            refused=_words(entry["refused"]) if "refused" in entry else None,
            where=entry.get("where", ""),
        )
        for name, entry in _read(f"components/{kind}.toml").items()
    }


@functools.cache
def key_entries() -> Mapping[str, Mapping[str, Any]]:
    """Return what keys.toml says of each key of the config, by dotted name."""
    return _read("keys.toml")


@functools.cache
def chapters() -> tuple[Chapter, ...]:
    """Return the chapters in order."""
    found = []
    for path in sorted((FOLDER / "concepts").glob("*.toml")):
        data = _read(f"concepts/{path.name}")
        title = data.pop("title")
        found.append(Chapter(_words(title), tuple(_concept(*item) for item in data.items())))
    return tuple(found)


@functools.cache
def concepts() -> Mapping[str, Concept]:
    """Return every concept by its id, in the order of the chapters."""
    return {concept.id: concept for chapter in chapters() for concept in chapter.concepts}


def _concept(name: str, entry: Mapping[str, Any]) -> Concept:
    return Concept(
        id=name,
        names={lang: tuple(entry[lang]["names"]) for lang in LANGS},
        # The English paragraphs are wrapped in the file; a Chinese one is a single line there.
        text={lang: " ".join(entry[lang]["text"].split()) for lang in LANGS},
        keys=tuple(entry["keys"]),
        components=tuple(_split_component(dotted) for dotted in entry["components"]),
        commands=tuple(entry.get("commands", ())),
        example=entry.get("example", "").strip("\n"),
        see=tuple(entry["see"]),
    )


def _split_component(dotted: str) -> tuple[Kind, str]:
    kind, _, name = dotted.partition(".")
    return kind, name  # type: ignore[return-value]  # a test holds the kinds against the catalog
