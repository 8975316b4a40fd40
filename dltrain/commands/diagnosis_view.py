"""How is the diagnosis of a training shown? A sentence, and what to try, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def show_diagnosis(console: Console, diagnosis: Mapping[str, Any]) -> None:
    """Print it, in the form that metrics.json has it.

    Lines of the config stand by themselves, so that they can be copied.
    """
    console.print(diagnosis["sentence"], markup=False, soft_wrap=not console.is_terminal)
    for suggestion in diagnosis["suggestions"]:
        console.print(f"  {suggestion['text']}", style="dim", markup=False, soft_wrap=True)
        console.print(f"    {suggestion['line']}", markup=False, soft_wrap=True)
