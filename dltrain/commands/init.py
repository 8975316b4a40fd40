"""`dltrain init`: what does a config to start from look like?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dltrain.commands.completion import complete_template
from dltrain.config.templates import DEFAULT_TEMPLATE
from dltrain.errors import UsageError


def init(
    template: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE",
            help=f"Which one; --list shows them [default: {DEFAULT_TEMPLATE}].",
            show_default=False,
            autocompletion=complete_template,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Propose a config for data of your own: a table (CSV, Parquet), JSON lines, .npz "
            "arrays, or a folder that holds a folder of images or .txt files for each class.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to a file, not to stdout.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the file if it is there.")
    ] = False,
    list_all: Annotated[bool, typer.Option("--list", help="Show the templates.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --list: print one JSON document.")
    ] = False,
) -> None:
    """Print a config to start from, with comments that say what each key means."""
    from dltrain.commands.output import put_text
    from dltrain.config.templates import read_template

    if list_all:
        if template or output or data:
            raise UsageError(
                "--list shows all templates; expected no TEMPLATE, no --from and no --output "
                "beside it."
            )
        _list_templates(as_json=as_json)
        return
    if as_json:
        raise UsageError("--json: a config is YAML.", hint="It goes with --list.")
    if force and output is None:
        raise UsageError("--force: nothing is overwritten without --output.")
    if data is None:
        text = read_template(template or DEFAULT_TEMPLATE).text
    else:
        if template:
            raise UsageError(
                f"--from proposes a config by itself; expected no TEMPLATE, received '{template}'."
            )
        from dltrain.config.proposal import propose_config

        text = propose_config(data, folder=output.parent if output else None)
    put_text(text, output, overwrite=force)
    if output is not None:
        typer.echo(f"{output} is written. Next: dltrain fit {output}", err=True)


def _list_templates(*, as_json: bool) -> None:
    from dltrain.config.templates import read_templates

    templates = read_templates()
    if as_json:
        from dltrain.runs.atomic import to_json

        typer.echo(to_json([{"name": each.name, "summary": each.summary} for each in templates]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("template", no_wrap=True)
    table.add_column("shows")
    for each in templates:
        table.add_row(each.name, each.summary)
    Console(highlight=False).print(table)
