"""Which checkpoints stay, whatever was killed while they were written?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dltrain.runs.checkpoint import (
    Checkpoint,
    list_checkpoints,
    read_last_checkpoint,
    remove_earlier,
    write_checkpoint,
)


def names(folder: Path) -> list[str]:
    return [path.name for path in list_checkpoints(folder)]


def test_what_a_killed_write_left_goes_when_the_run_goes_on_but_never_what_it_goes_on_from(
    tmp_path: Path,
) -> None:
    made = [Checkpoint(epoch, 0, {"a": np.arange(3)}, {}) for epoch in (1, 2, 3, 4)]
    for each in made:
        write_checkpoint(tmp_path, each)
    assert names(tmp_path) == ["0003-000000.npz", "0004-000000.npz"]
    for epoch in (1, 2):  # as if nothing had been removed
        (tmp_path / f"{epoch:04}-000000.npz").write_bytes(
            (tmp_path / "0003-000000.npz").read_bytes()
        )
    for epoch in (3, 4):
        (tmp_path / f"{epoch:04}-000000.npz").write_bytes(b"torn")
    last, notes = read_last_checkpoint(tmp_path)
    assert last is not None
    assert (last.epoch, len(notes)) == (2, 2)

    remove_earlier(tmp_path, last)
    assert names(tmp_path) == [f"000{epoch}-000000.npz" for epoch in (1, 2, 3, 4)]
    remove_earlier(tmp_path, made[3])
    assert names(tmp_path) == ["0003-000000.npz", "0004-000000.npz"]
