"""Which config would suit data of one's own? Its kind, and what any such config says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from dltrain.catalog.suggest import nearest
from dltrain.config.class_folders import SUFFIXES, find_suffixes
from dltrain.config.proposed_arrays import propose_arrays
from dltrain.config.proposed_folder import propose_images, propose_texts
from dltrain.config.proposed_lines import propose_lines
from dltrain.config.proposed_table import propose_table
from dltrain.config.proposed_text import Proposal, quote
from dltrain.errors import DataError, UsageError

_FILES: Mapping[str, Callable[[Path], Proposal]] = {
    ".csv": lambda path: propose_table(path, "csv"),
    ".tsv": lambda path: propose_table(path, "csv"),
    ".tab": lambda path: propose_table(path, "csv"),
    ".parquet": lambda path: propose_table(path, "parquet"),
    ".jsonl": propose_lines,
    ".npz": propose_arrays,
}


def propose_config(path: Path, *, folder: Path | None) -> str:
    """Look at the data at `path` and return a commented config for it.

    The config's `path:` is taken from `folder`, where the config will lie; without one it is
    absolute. Raises UsageError if there is nothing that could be read, DataError if what is there
    can't be trained on.
    """
    try:
        path = path.expanduser().resolve()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"--from: {path} is no path: {error}.") from None
    if is_file:
        propose = _FILES.get(path.suffix.lower())
        if propose is None:
            *first, last = _FILES
            raise UsageError(
                f"--from: {path} is no {', '.join(first)} or {last} file.",
                hint="Give one of these, or the folder that holds a folder a class.",
            )
        proposal = propose(path)
    elif is_folder:
        proposal = _propose_folder(path)
    else:
        raise UsageError(f"--from: there is no {path}.", hint=_suggest(path))
    return _write(proposal, path, folder)


def _propose_folder(path: Path) -> Proposal:
    suffixes = find_suffixes(path)
    kinds = [kind for kind, known in SUFFIXES.items() if suffixes & set(known)]
    if len(kinds) > 1:
        raise DataError(
            f"{path} holds images and texts; expected files of one kind.",
            hint="Move one kind into a folder of its own.",
        )
    if kinds == ["image_folder"]:
        return propose_images(path)
    if kinds == ["text_folder"]:
        return propose_texts(path)
    tables = sorted(each.name for each in path.iterdir() if each.suffix.lower() in _FILES)
    raise DataError(
        f"{path} holds no folder of images ({', '.join(SUFFIXES['image_folder'])}) and none of "
        "texts (.txt).",
        hint=f"For a table: --from {path / tables[0]}"
        if tables
        else f"Expected {path.name}/CLASS/FILE, a folder for each class.",
    )


def _write(proposal: Proposal, path: Path, folder: Path | None) -> str:
    shown, note = str(path), ""
    if folder is not None:
        shown, note = os.path.relpath(path, folder.resolve()), " # from the folder of this file"
    lines = [
        f"# {proposal.title}",
        "#",
        "# Proposed by `dltrain init --from` after a look at the data; every line is yours to "
        "change.",
        "",
        f"name: {_run_name(path)} # names the run directory",
        "seed: 42 # initial weights, order of the rows, dropout, the rows held out",
        "",
        "dataset:",
        f"  type: {proposal.type}",
        f"  path: {quote(shown)}{note}",
        *(f"  # {line}" for line in proposal.seen),
        *(f"  {line}" for line in proposal.dataset),
        "",
        "model:",
        "  layers:",
        *(f"    - {line}" for line in proposal.layers),
        "",
        *proposal.loss,
        "",
        "training:",
        *(f"  {line}" for line in proposal.training),
    ]
    return "\n".join(lines) + "\n"


def _run_name(path: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem if path.is_file() else path.name)
    return quote(name.strip("-._")[:100] or "mine")


def _suggest(path: Path) -> str:
    try:
        near = nearest(path.name, [each.name for each in path.parent.iterdir()])
    except OSError:
        return f"There is no folder {path.parent} either."
    return f"Did you mean '{near}'?" if near else ""
