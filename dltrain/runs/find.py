"""Which run does someone mean by a path or a name?"""

from __future__ import annotations

from pathlib import Path

from dltrain.catalog.suggest import nearest
from dltrain.errors import RunError
from dltrain.runs.layout import DEFAULT_ROOT, RunPaths, parse_number


def resolve_run(path_or_name: str | Path, *, root: Path = DEFAULT_ROOT) -> RunPaths:
    """Return the run that `path_or_name` means.

    It is the path of a run directory; or `NAME`, the latest run of that name in `root`; or
    `NAME/0003` (`NAME/3` too). The run may be unfinished or damaged: `read_status` tells. Raises
    RunError, with the nearest names, if there is no such run.
    """
    given = Path(path_or_name)
    for place in (given, root / given):
        if RunPaths(place).looks_like_run() or _is_numbered(place):
            return RunPaths(place)
    number = given.name
    if number.isascii() and number.isdigit():
        for folder in (given.parent, root / given.parent):
            for run in _numbered_runs(folder):
                if run.number == int(number):
                    return run
    for folder in (root / given, given):
        if runs := _numbered_runs(folder):
            return runs[-1]
    raise _explain(given, root)


def find_numbered_runs(name: str | Path, *, root: Path = DEFAULT_ROOT) -> list[RunPaths]:
    """Return all runs of NAME, or of a folder of numbered runs, oldest first; [] for a run's own.

    `name` is what `resolve_run` takes for the latest of them.
    """
    given = Path(name)
    if any(
        RunPaths(place).looks_like_run() or _is_numbered(place) for place in (given, root / given)
    ):
        return []
    for folder in (root / given, given):
        if runs := _numbered_runs(folder):
            return runs
    return []


def _is_numbered(place: Path) -> bool:
    return parse_number(place.name) is not None and place.is_dir()


def _numbered_runs(folder: Path) -> list[RunPaths]:
    """Return the numbered runs of `folder`, oldest first."""
    try:
        runs = [RunPaths(entry) for entry in folder.iterdir() if _is_numbered(entry)]
    except OSError:
        return []
    return sorted(runs, key=lambda run: run.number or 0)


def _explain(given: Path, root: Path) -> RunError:
    if given.is_file():
        return RunError(
            f"{given} is a file; expected a run directory.",
            hint=f"Did you mean {given.parent}?" if RunPaths(given.parent).looks_like_run() else "",
        )
    if given.is_dir():
        return RunError(
            f"{given} is not a run directory: it has no status.json.",
            hint="`dltrain runs` lists the runs.",
        )
    if runs := _numbered_runs(root / given.parent if given.parent.name else root):
        there = ", ".join(run.root.name for run in runs[-5:])
        return RunError(
            f"There is no run '{given}' in {root}.", hint=f"The latest of that name: {there}."
        )
    names = (
        sorted(entry.name for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []
    )
    if not names:
        return RunError(
            f"There is no run '{given}': {root} holds no runs.",
            hint="Train one with `dltrain fit CONFIG`, or give the path of a run directory.",
        )
    near = nearest(given.parts[0] if given.parts else "", names)
    hint = f"Did you mean '{near}'?" if near else f"The runs there: {', '.join(names[:10])}."
    return RunError(f"There is no run '{given}' in {root}.", hint=hint)
