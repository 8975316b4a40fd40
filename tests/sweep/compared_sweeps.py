"""What is a tiny sweep, never stopped, to which the tests hold those that were?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from compared_runs import compare_runs
from killing_points import Point, read_points
from sweep_killing import Act, SweepEnded, SweepNursery
from tiny_runs import REGRESSION, change

PLACE = Path("runs/line/sweep-0001")

# With one worker everything depends on what was before: values, and what is pruned.
ONE: dict[str, Any] = {
    "method": "bayesian",
    "pruner": "successive_halving",
    "trials": 5,
    "space": {
        "optimizer.learning_rate": {"log_uniform": [1e-3, 0.3]},
        "training.batch_size": {"choice": [8, 16]},
    },
}
TWO: dict[str, Any] = {**ONE, "method": "random", "pruner": "none"}


@dataclass(frozen=True)
class Reference:
    """A sweep that was never stopped, how many work at it, and each process's points."""

    folder: Path
    sweep: dict[str, Any]
    workers: int
    points: dict[int, list[Point]]


def write(folder: Path, sweep: dict[str, Any]) -> None:
    """Write the config of a sweep into a new folder."""
    changes: dict[str, Any] = {"training__checkpoint": {"every_epochs": 1}, "training__epochs": 3}
    folder.mkdir()
    config = change(REGRESSION, sweep=sweep, **changes)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def read_sweep(folder: Path) -> dict[str, Any]:
    """Return what sweep.json holds."""
    document: dict[str, Any] = json.loads((folder / PLACE / "sweep.json").read_text())
    return document


def make_reference(
    nursery: SweepNursery, folder: Path, sweep: dict[str, Any], *, workers: int
) -> Reference:
    """Run a sweep from its beginning to its end."""
    write(folder, sweep)
    ended = go(nursery, folder, workers, resume=False)
    assert ended.code == 0, ended.err
    return Reference(folder, sweep, workers, read_record(folder))


def go(
    nursery: SweepNursery,
    folder: Path,
    workers: int,
    *,
    resume: bool,
    acts: Sequence[Act] = (),
    wait_for_orphans: bool = True,
) -> SweepEnded:
    """Begin the sweep in `folder`, or go on with it, and note every point for `read_record`."""
    record = folder / "record"
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir()
    return nursery.run(
        *("sweep", "config.yaml", "--quiet", "--workers", workers),
        *(["--resume"] if resume else []),
        folder=folder,
        acts=acts,
        record=record,
        wait_for_orphans=wait_for_orphans,
    )


def read_record(folder: Path) -> dict[int, list[Point]]:
    """Return the points that each process met in the last `go`."""
    return {int(path.name): read_points(path) for path in (folder / "record").iterdir()}


def check_the_same(reference: Reference, folder: Path) -> None:
    """Hold a sweep to the one that was never stopped; it left nothing beside its files."""
    whole, torn = reference.folder / PLACE, folder / PLACE
    one, other = read_sweep(reference.folder), read_sweep(folder)
    assert one == other, (one, other)
    assert one["state"] == "finished"
    assert (whole / "best.yaml").read_bytes() == (torn / "best.yaml").read_bytes()
    # A trial that was killed before it heard that it is pruned may lack a checkpoint.
    ended = {row["run"] for row in one["trials"] if row["state"] == "pruned"}
    in_one_only = _list_files(whole, ended) ^ _list_files(torn, ended)
    assert not in_one_only, sorted(in_one_only)
    hidden = [str(path) for path in torn.glob("**/.*")]
    assert not hidden, hidden
    for row in one["trials"]:
        if row["state"] == "finished":
            assert compare_runs(whole / row["run"], torn / row["run"]) == []
            continue
        for sweep in (whole, torn):
            status = json.loads((sweep / row["run"] / "status.json").read_text())
            assert (status["state"], status["stopped_by"]) == ("interrupted", "pruned")
        assert _read_rows(whole / row["run"]) == _read_rows(torn / row["run"])


def _list_files(sweep: Path, left_out: set[str]) -> set[str]:
    names = (path.relative_to(sweep) for path in sweep.glob("**/*"))
    return {str(name) for name in names if name.parts[0] not in {"workers", *left_out}}


def _read_rows(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
