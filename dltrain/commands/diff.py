"""`dltrain diff`: in what do two configs or runs differ? Without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.options import RunsDirOption
from dltrain.config.compare import Difference, compare_configs, format_value
from dltrain.config.load import LoadedConfig, load_config
from dltrain.runs.atomic import to_json
from dltrain.runs.find import resolve_run
from dltrain.runs.layout import DEFAULT_ROOT

if TYPE_CHECKING:
    from rich.table import Table

_WHICH = "a config file, a run directory, NAME/0001, or NAME for its latest run."


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help=f"What to compare: {_WHICH}")],
    second: Annotated[str, typer.Argument(metavar="B", help="What to compare it with.")],
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show in what the configs A and B differ, by meaning: defaults and blocks are resolved.

    The exit code is 0 whether they differ or not.
    """
    one, two = (_load(given, runs_dir) for given in (first, second))
    differences = compare_configs(one, two)
    if as_json:
        typer.echo(to_json(_describe(one, two, differences)))
        return
    if not differences:
        typer.echo(f"No difference: {first} and {second} mean the same.")
        return
    from rich.console import Console

    typer.echo(f"A: {one.document.source}\nB: {two.document.source}")
    Console(highlight=False).print(_make_table(differences))
    count = len(differences)
    typer.echo(f"{count} difference{'' if count == 1 else 's'}.")


def _load(given: str, runs_dir: Path) -> LoadedConfig:
    """Load a config file, or the config of a run."""
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_config(path)
    return load_config(resolve_run(given, root=runs_dir).config)


def _describe(
    one: LoadedConfig, two: LoadedConfig, differences: Sequence[Difference]
) -> dict[str, Any]:
    return {
        "a": one.document.source,
        "b": two.document.source,
        "same": not differences,
        "differences": [
            {
                "change": each.change,
                "key_a": each.first_key,
                "key_b": each.second_key,
                "a": each.first,
                "b": each.second,
            }
            for each in differences
        ],
    }


def _make_table(differences: Sequence[Difference]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("key", "A", "B"):
        table.add_column(heading, overflow="fold")
    for each in differences:
        first = "(not there)" if each.first_key is None else format_value(each.first)
        second = "(not there)" if each.second_key is None else format_value(each.second)
        table.add_row(*map(Text, (_name(each), first, second)))
    return table


def _name(difference: Difference) -> str:
    """Return the key; both, where the same thing stands at another place in B."""
    first, second = difference.first_key, difference.second_key
    if first is None or second is None or first == second:
        return str(first or second)
    return f"{first}\n(B: {second})"
