"""How is a command imported only when it is used? `--help` and completion read a table instead."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click import Command, Context


@dataclass(frozen=True)
class Entry:
    """Name a command's function, or the Typer app of a group, as `module:name`.

    `summary` is the first line of its docstring. `brief`: it ends within a second, so that there is
    no point in collecting garbage.
    """

    place: str
    summary: str
    brief: bool = False


class LazyGroup(TyperGroup):
    """A group whose commands are stand-ins, with a summary only, until one of them is called."""

    table: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in self.table.items():
            self.commands[name] = TyperCommand(name, help=entry.summary)
        self._loaded: set[str] = set()

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """Return the command that `args` begin with, imported now.

        Ends the pause of garbage collection that `dltrain.cli.main` begins, unless it is brief.
        """
        name = args[0]
        if name in self.table and not self.table[name].brief:
            gc.enable()
        if name in self.table and name not in self._loaded:
            self.commands[name] = load_command(name, self.table[name])
            self._loaded.add(name)
        return super().resolve_command(ctx, args)


def load_command(name: str, entry: Entry) -> Command:
    """Import the command and return it."""
    module, _, attribute = entry.place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    holder = typer.Typer(add_completion=False, pretty_exceptions_enable=False, cls=TyperGroup)
    holder.callback()(lambda: None)  # with one command and no callback, Typer makes no group
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    group = typer.main.get_command(holder)
    assert isinstance(group, TyperGroup)
    return group.commands[name]
