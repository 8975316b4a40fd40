"""How is the diagnosis of a training shown? A sentence on stderr, and what to try, a line each."""

from __future__ import annotations

from rich.console import Console

from dltrain.evaluation.advice import Diagnosis


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """Print it; lines of the config stand by themselves, so that they can be copied."""
    console = Console(stderr=True, highlight=False)
    console.print(diagnosis.sentence, markup=False, soft_wrap=not console.is_terminal)
    for suggestion in diagnosis.suggestions:
        console.print(f"  {suggestion.text}", style="dim", markup=False, soft_wrap=True)
        console.print(f"    {suggestion.line}", markup=False, soft_wrap=True)
