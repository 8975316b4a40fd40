"""What does the shell propose at the TAB key, besides commands and options?

Nothing here raises or prints: who presses TAB wants proposals, or none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dltrain.runs.layout import RunPaths


def complete_template(incomplete: str) -> list[str]:
    """Propose names of templates."""
    from dltrain.config.templates import template_names

    return [name for name in template_names() if name.startswith(incomplete)]


def complete_dataset(incomplete: str) -> list[str]:
    """Propose the datasets that are fetched or added; the built-in ones need neither."""
    from dltrain.catalog.datasets import DATASETS

    names = [info.name for info in DATASETS.values() if not info.embedded]
    return [name for name in names if name.startswith(incomplete)]


def complete_run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Propose NAME, and below it NAME/0001, of the runs in --runs-dir."""
    from dltrain.runs.layout import DEFAULT_ROOT
    from dltrain.runs.listing import find_runs
    from dltrain.runs.repeats import find_repeats

    runs = list(find_runs(Path(ctx.params.get("runs_dir") or DEFAULT_ROOT)))
    labels = {run.label for run in runs}
    for run in runs:  # its repeats only once the run itself is there
        if incomplete.startswith(f"{run.label}/"):
            labels |= {repeat.label for repeat in find_repeats(run)}
    names = {_short_name(run) for run in runs}
    # The numbers only once the name is there: a hundred runs of one name are one proposal.
    proposed = labels if incomplete.partition("/")[0] in names else names
    return sorted(label for label in proposed if label.startswith(incomplete))


def _short_name(run: RunPaths) -> str:
    return run.label.partition("/")[0]


def complete_key(ctx: typer.Context, incomplete: str) -> list[str]:
    """Propose KEY= for --set: from the config on the command line, and from what it could hold."""
    from dltrain.config.keys import list_keys, propose
    from dltrain.errors import DltrainError

    key, equals, text = incomplete.partition("=")
    try:
        keys = list_keys(_find_config(ctx))
    except DltrainError:  # unreadable: `check` says why
        return []
    if equals:
        values = [_as_text(value) for value in keys.get(key, ())]
        return [f"{key}={value}" for value in values if value.startswith(text)]
    proposed = propose(keys, incomplete)
    if len(proposed) == 1 and proposed[0].endswith("="):
        # Bash writes a space behind a single proposal; a second one, with a value, prevents that.
        proposed += [f"{proposed[0]}{_as_text(value)}" for value in keys[proposed[0][:-1]]]
    return proposed


def _find_config(ctx: typer.Context) -> Path | None:
    """Return the config of the line so far; it is in `args` while an option lacks its value."""
    given = ctx.params.get("config") or next(iter(ctx.args), None)
    return Path(given) if given else None


def _as_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
