"""`dltrain schema`: which JSON Schema does an editor need to complete and check configs?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to a file, not to stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of configs, with which editors complete and underline.

    The line `# yaml-language-server: $schema=FILE` at the top of a config names it.
    """
    from dltrain.commands.output import put_text
    from dltrain.config.json_schema import format_json_schema, make_json_schema

    put_text(format_json_schema(make_json_schema()), output, overwrite=True)
