"""Where does the text that a command makes go: to stdout, or into a file that was asked for?"""

from __future__ import annotations

import os
from pathlib import Path

import typer

from dltrain.errors import MachineError, UsageError


def put_text(text: str, output: Path | None, *, overwrite: bool) -> None:
    """Print `text`, or write it to `output`.

    Raises UsageError if there is no such folder, or the file is there and `overwrite` is false;
    MachineError if it may not be written.
    """
    if output is None:
        typer.echo(text, nl=False)
        return
    if output.is_dir():
        raise UsageError(f"--output: {output} is a directory; expected the path of a file.")
    try:
        # "x" and not a look beforehand: nothing that comes in between is lost.
        with output.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"--output: {output} is there already.", hint="Add --force to overwrite it."
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"--output: there is no directory {output.parent}.") from None
    except PermissionError as error:
        reason = os.strerror(error.errno or 0)
        raise MachineError(f"{output} can't be written: {reason}.") from None
