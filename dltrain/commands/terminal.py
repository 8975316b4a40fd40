"""Does somebody watch the output, or does it go into a file, or a CI's log?"""

from __future__ import annotations

import os

from rich.console import Console


def is_watched(console: Console) -> bool:
    """Tell whether what is printed may be drawn over: a bar, a line that grows.

    Not the same as `console.is_terminal`: FORCE_COLOR asks for colours in a pipe, some CI services
    record a terminal that nobody looks at, and TERM=dumb can't go back.
    """
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return console.file.isatty() and console.is_interactive and not in_ci
