"""Which directory does a new run get?"""

from __future__ import annotations

import re
from pathlib import Path

from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk
from dltrain.runs.layout import DEFAULT_ROOT, RunPaths, format_number, parse_number
from dltrain.runs.lock import hold_run, release_run

# A name is one folder: no separators, nothing hidden, nothing that a shell or tar misreads.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def create_run_directory(name: str, *, root: Path = DEFAULT_ROOT) -> RunPaths:
    """Make `root/name/0001`, or the number after the highest there is, and hold it.

    Safe when several processes do it at once: each gets a number of its own. The directory is
    held by this process (see `lock`) until `release_run` or its end. Raises RunError for a name
    that is no folder's, MachineError if the place can't be written.
    """
    if not _NAME.fullmatch(name):
        raise RunError(
            f"'{name}' can't name a run: expected letters, digits, '.', '_' and '-', beginning "
            "with a letter or a digit, at most 100 of them.",
            hint="Change `name:` in the config.",
        )
    folder = root / name
    with explaining_disk(folder):
        _make(folder)
        while True:
            paths = RunPaths(folder / format_number(_highest_number(folder) + 1))
            try:
                paths.root.mkdir()
            except FileExistsError:
                continue  # another process took this number between the look and the mkdir
            break
    hold_run(paths)
    return paths


def claim_run_directory(path: Path) -> RunPaths:
    """Make `path` the directory of a new run, and hold it; it must not exist, or be empty.

    Raises RunError if something is in it or another process holds it, MachineError if it can't
    be written.
    """
    paths = RunPaths(path)
    with explaining_disk(path):
        _make(path)
        _refuse_content(paths)
        hold_run(paths)
        try:
            # Once more: another process may have had the whole run between the look and the lock.
            _refuse_content(paths)
        except RunError:
            release_run(paths)
            raise
    return paths


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise RunError(
            f"{path} can't be a run directory: it, or a folder above it, is a file.",
            hint="Choose another with --run-dir.",
        ) from None


def _refuse_content(paths: RunPaths) -> None:
    if any(entry != paths.lock for entry in paths.root.iterdir()):
        is_run = paths.looks_like_run()
        look = f", or look at what is there: dltrain eval {paths.root}" if is_run else ""
        raise RunError(
            f"{paths.root} exists and is not empty{': it holds a run' if is_run else ''}.",
            hint=f"Nothing in it was touched. Choose another --run-dir{look}",
        )


def _highest_number(folder: Path) -> int:
    numbers = (parse_number(entry.name) for entry in folder.iterdir())
    return max((number for number in numbers if number is not None), default=0)
