"""Does pruning save epochs? They are counted where they are trained, not where they are noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compared_sweeps import Reference, make_reference, read_record, read_sweep
from sweep_killing import SWEEP, SweepNursery

EPOCHS = 3
RATES = [0.06, 0.05, 1e-6, 1e-7]


def check_saving(reference: Reference, *, trials: int) -> None:
    rows = read_sweep(reference.folder)["trials"]
    assert len(rows) == trials
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned
    assert {row["state"] for row in rows} == {"finished", "pruned"}
    assert all(row["epochs"] < EPOCHS and row["results"] is None for row in pruned)
    points = [
        each for who, met in read_record(reference.folder).items() if who != SWEEP for each in met
    ]
    trained = sum(point.kind == "before send epoch" for point in points)
    assert trained == sum(row["epochs"] for row in rows) < trials * EPOCHS


def test_successive_halving_saves_epochs(whole_sweep: Reference) -> None:
    check_saving(whole_sweep, trials=5)


@pytest.mark.parametrize("pruner", ["hyperband", {"type": "median", "n_startup_trials": 1}])
def test_hyperband_and_median_save_epochs(
    sweep_nursery: SweepNursery, tmp_path: Path, pruner: Any
) -> None:
    space = {"optimizer.learning_rate": {"choice": RATES}}
    sweep = {"method": "grid", "pruner": pruner, "space": space}
    reference = make_reference(sweep_nursery, tmp_path / "sweep", sweep, workers=1)
    check_saving(reference, trials=len(RATES))
