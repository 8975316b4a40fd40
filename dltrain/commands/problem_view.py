"""How are the problems of a config shown: where each stands, what it says, the line itself."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from dltrain.errors import Problem


def print_problems(problems: Sequence[Problem], *, stream: TextIO | None = None) -> None:
    """Print the problems to `stream` (stderr), with the line of each if it is a terminal."""
    stream = stream or sys.stderr
    if not stream.isatty():
        for problem in problems:
            print(problem, file=stream)
        return
    from dltrain.commands.excerpt import Sources, draw_excerpt

    sources = Sources()
    bold, red, plain = ("\x1b[1m", "\x1b[1;31m", "\x1b[0m") if _is_coloured() else ("", "", "")
    for problem in problems:
        head, _, message = str(problem).partition("\n")
        print(f"{bold}{head}{plain}\n{message}", file=stream)
        line = sources.line(problem)
        if line is not None:
            width, encoding = _measure_width(stream), stream.encoding or "ascii"
            excerpt = draw_excerpt(line, problem, width=width, encoding=encoding)
            caret = excerpt.caret.removesuffix("^")
            print(f"{excerpt.line}\n{caret}{red}^{plain}", file=stream)


def _is_coloured() -> bool:
    """Tell whether a terminal shall show colours: https://no-color.org."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def _measure_width(stream: TextIO) -> int:
    """Return the columns of the terminal that `stream` is; stdout may go elsewhere."""
    if os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
