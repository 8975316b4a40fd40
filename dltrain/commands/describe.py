"""`dltrain describe`: what does a key, a Keras name or an idea mean? In English and Chinese."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from dltrain.glossary.texts import Lang

_MAX_WIDTH = 100


def describe(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            help="A key (training.batch_size), a Keras name (conv2d) or an idea (overfitting); "
            "without one, the map from idea to key.",
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang", help="en or zh; without it en, but zh for a Chinese name.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Explain a key of the config, a Keras name or an idea."""
    asked = " ".join(name or ())
    language = _choose_lang(lang, asked)
    if asked:
        _describe_name(asked, language, as_json=as_json)
    else:
        _print_map(language, as_json=as_json)


def _choose_lang(lang: str | None, asked: str) -> Lang:
    if lang is None:
        return "zh" if re.search("[\u4e00-\u9fff]", asked) else "en"
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    raise UsageError(f"--lang is '{lang}'; expected en or zh.")


def _describe_name(name: str, lang: Lang, *, as_json: bool) -> None:
    from dltrain.glossary.entries import make_entry
    from dltrain.glossary.lookup import find_things

    entries = [make_entry(thing, lang) for thing in find_things(name)]
    if not entries:
        raise _unknown(name, lang)
    if as_json:
        meanings = [dataclasses.asdict(entry) for entry in entries]
        _print_json({"name": name, "lang": lang, "meanings": meanings})
        return
    from dltrain.commands.describe_view import render_entry

    lines: list[Text] = []
    for entry in entries:
        lines += [*([_blank()] if lines else []), *render_entry(entry, lang, _width())]
    _print_lines(lines, lang)


def _print_map(lang: Lang, *, as_json: bool) -> None:
    from dltrain.glossary.entries import make_map

    chapters = make_map(lang)
    if as_json:
        rows = [dataclasses.asdict(chapter) for chapter in chapters]
        _print_json({"lang": lang, "chapters": rows})
        return
    from dltrain.commands.describe_view import render_map

    _print_lines(render_map(chapters, lang, _width()), lang)


def _unknown(name: str, lang: Lang) -> UsageError:
    from dltrain.glossary.lookup import suggest, why_not

    reason = why_not(name)
    if reason is not None:
        return UsageError(reason)
    near = suggest(name)
    if lang == "zh":
        hint = f"是否想查“{near}”？" if near else ""
        return UsageError(
            f"没有叫作“{name}”的键、Keras 名字或概念。",
            hint=f"{hint}`dltrain describe --lang zh` 列出所有概念。",
        )
    hint = f"Did you mean '{near}'? " if near else ""
    return UsageError(
        f"There is no key, Keras name or idea '{name}'.",
        hint=f"{hint}`dltrain describe` lists the ideas.",
    )


def _print_json(document: Any) -> None:
    # Where stdout can't write Chinese, escapes say the same; question marks would not.
    escaped = not _can_write("中", sys.stdout.encoding)
    typer.echo(json.dumps(document, indent=2, ensure_ascii=escaped))


def _width() -> int:
    from rich.console import Console

    return min(Console().width, _MAX_WIDTH)


def _blank() -> Text:
    from rich.text import Text

    return Text("")


def _print_lines(lines: Iterable[Text], lang: Lang) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)
    if lang == "zh" and not _can_write("中", sys.stdout.encoding):
        typer.echo(
            f"note: stdout writes {sys.stdout.encoding}, which has no Chinese characters; "
            "set PYTHONUTF8=1 or a UTF-8 locale.",
            err=True,
        )


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
