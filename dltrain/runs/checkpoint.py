"""How does a checkpoint lie on the disk, and what is done with one that is torn?

RUN/checkpoints/EPOCHS-STEP.npz (0003-000120.npz: 3 epochs done, 120 steps of the next one): NumPy
arrays and `state.json`, no pickle. It is written beside its name, synced and renamed; the last two
are kept. Its zip members carry CRC-32 sums, and reading checks every one.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk, replacing

FORMAT = 1
KEPT = 2

_NAME = re.compile(r"(\d{4,})-(\d{6,})\.npz")
_STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """Hold all that a training needs to go on: where it stood, its arrays, its other state.

    `epoch` counts the finished epochs and `step` the finished steps of the one after them. `state`
    is JSON-able; numbers in it keep every bit.
    """

    epoch: int
    step: int
    arrays: Mapping[str, npt.NDArray[Any]]
    state: Mapping[str, Any]

    @property
    def file_name(self) -> str:
        """Return the name, by which checkpoints sort in the order of training."""
        return f"{self.epoch:04d}-{self.step:06d}.npz"


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write `checkpoint` to `folder`, then remove all but the last two; return its path.

    Raises MachineError if the disk is full: the earlier ones stay as they were.
    """
    with explaining_disk(folder):
        folder.mkdir(exist_ok=True)
    path = folder / checkpoint.file_name
    state = json.dumps({"format": FORMAT, **checkpoint.state}).encode()
    with (
        replacing(path, synced="entry") as temporary,  # before the earlier ones are removed
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as file,
    ):
        file.writestr(_STATE, state)
        for name, array in checkpoint.arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                # Members have no file descriptor of their own; NumPy writes them in chunks.
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    for old in list_checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def remove_earlier(folder: Path, checkpoint: Checkpoint) -> None:
    """Remove all but `checkpoint`, the one before it and what is newer: a killed write did not."""
    paths = list_checkpoints(folder)
    until = [path.name for path in paths].index(checkpoint.file_name) + 1
    for old in paths[: max(0, until - KEPT)]:
        old.unlink(missing_ok=True)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in `folder`, the oldest first; a missing folder has none."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, key=_position)


def read_last_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that is whole, and a note for each newer one that isn't.

    None if there never was one. Raises RunError if all are damaged.
    """
    notes: list[str] = []
    paths = list_checkpoints(folder)
    for path in reversed(paths):
        try:
            return read_checkpoint(path), notes
        except RunError as error:
            notes.append(f"{error.message} Going back to the one before.")
    if paths:
        raise RunError(
            f"No checkpoint in {folder} is whole: {', '.join(path.name for path in paths)}.",
            hint="The run can't be resumed; train again from its config.yaml.",
        )
    return None, notes


def read_checkpoint(path: Path) -> Checkpoint:
    """Return what `path` holds. Raises RunError if any byte of it is damaged."""
    epoch, step = _position(path)
    try:
        with zipfile.ZipFile(path) as file:
            state = json.loads(file.read(_STATE))
            arrays = {}
            for name in file.namelist():
                if name != _STATE:
                    with file.open(name) as member:
                        array = np.lib.format.read_array(member, allow_pickle=False)
                        member.read()  # to the end, where the CRC is checked
                    arrays[name.removesuffix(".npy")] = array
    except Exception as error:  # zipfile, zlib, JSON and NumPy's header parser raise their own
        raise RunError(f"{path} is damaged: {str(error) or type(error).__name__}.") from error
    if state.get("format") != FORMAT:
        raise RunError(f"{path} has format {state.get('format')!r}; this dltrain reads {FORMAT}.")
    return Checkpoint(epoch, step, arrays, state)


def _position(path: Path) -> tuple[int, int]:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise RunError(f"{path} is no checkpoint: expected a name such as 0003-000120.npz.")
    return int(found[1]), int(found[2])
