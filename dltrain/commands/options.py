"""Which arguments and options do several commands share?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dltrain.commands.completion import complete_key, complete_run

ConfigArgument = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one value; may be repeated.",
        autocompletion=complete_key,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run directory, NAME/0001, or NAME for its latest run.",
        autocompletion=complete_run,
    ),
]
RunsDirOption = Annotated[Path, typer.Option("--runs-dir", help="The folder that holds the runs.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show the traceback of every error.")
]
