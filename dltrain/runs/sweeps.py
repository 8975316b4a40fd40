"""What does a sweep leave on disk, and where are its trials?

runs/NAME/sweep-0001/
  sweep.json         how it stands: its trials, their values, the best
  source.yaml        the config as it was written, with `sweep:`
  config.yaml        the same, resolved: what `--resume` is held against
  study.journal      Optuna's record of the study, unless that lies in a database
  configs/0001.yaml  the config of each trial
  0001/ 0002/ …      each trial, a run like any other
  retrained/trial-0007/0043/   of `sweep.retrain`: trial 7 trained again with seed 43
  best.yaml          the config of the best
  report.html        its plots, if Plotly is installed
  workers/1.log      what a worker process had to say
  .lock              while a process works on it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.errors import RunError
from dltrain.runs.atomic import explaining_disk, write_json
from dltrain.runs.layout import RETRAINED, SWEEP_PREFIX, RunPaths, format_number
from dltrain.runs.lock import hold_run
from dltrain.runs.records import read_record

FORMAT = 1

_FOLDER = re.compile(rf"{SWEEP_PREFIX}\d{{4,}}")


# What every trial has in sweep.json.
_ROW = {"trial", "run", "state", "reason", "values", "results", "epochs"}


@dataclass(frozen=True)
class SweepPaths:
    """Name the files of the sweep in `root`; none of them is read or written."""

    root: Path

    @property
    def record(self) -> Path:
        return self.root / "sweep.json"

    @property
    def source(self) -> Path:
        return self.root / "source.yaml"

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def journal(self) -> Path:
        return self.root / "study.journal"

    @property
    def best(self) -> Path:
        return self.root / "best.yaml"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def workers(self) -> Path:
        return self.root / "workers"

    def trial_config(self, trial: int) -> Path:
        """Return where the config of trial `trial` (from 1) lies."""
        return self.root / "configs" / f"{format_number(trial)}.yaml"

    def trial(self, trial: int) -> RunPaths:
        """Return the run of trial `trial` (from 1)."""
        return RunPaths(self.root / format_number(trial))

    def retrained(self, trial: int, seed: int) -> RunPaths:
        """Return the run of a finalist: trial `trial` trained again with `seed`, above 0.

        Its number is the seed, so that the trial's folder is compared as one of numbered runs.
        """
        folder = self.root / RETRAINED / f"trial-{format_number(trial)}"
        return RunPaths(folder / format_number(seed))

    def retrained_config(self, trial: int, seed: int) -> Path:
        """Return where the config of that run lies."""
        return self.root / "configs" / f"{format_number(trial)}-seed-{seed}.yaml"

    @property
    def label(self) -> str:
        """Return what `dltrain sweep show` takes: `mnist-mlp/sweep-0001`."""
        folder = self.root.absolute()
        return f"{folder.parent.name}/{folder.name}"


def create_sweep(name: str, *, root: Path) -> SweepPaths:
    """Make `root/NAME/sweep-0001`, or the number after the highest there is, and hold it.

    Raises MachineError if the place can't be written.
    """
    folder = root / name
    with explaining_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        number = len(find_sweeps(name, root=root))
        while True:
            number += 1
            paths = SweepPaths(folder / f"{SWEEP_PREFIX}{format_number(number)}")
            try:
                paths.root.mkdir()
            except FileExistsError:
                continue
            break
    hold_run(RunPaths(paths.root))
    make_folders(paths)
    return paths


def make_folders(paths: SweepPaths) -> None:
    """Make what is missing of the folders inside a sweep's own; call it while holding it."""
    for inner in (paths.workers, paths.trial_config(1).parent):
        with explaining_disk(inner):
            inner.mkdir(exist_ok=True)


def find_sweeps(name: str, *, root: Path) -> list[SweepPaths]:
    """Return the sweeps of NAME, oldest first."""
    folder = root / name
    if not folder.is_dir():
        return []
    found = [each for each in folder.iterdir() if _FOLDER.fullmatch(each.name) and each.is_dir()]
    return [
        SweepPaths(each)
        for each in sorted(found, key=lambda each: int(each.name.removeprefix(SWEEP_PREFIX)))
    ]


def resolve_sweep(given: str, *, root: Path) -> SweepPaths:
    """Return the sweep that is meant: a path, NAME/sweep-0001, or NAME for its latest.

    Raises RunError if there is none.
    """
    for place in (Path(given), root / given):
        if SweepPaths(place).record.is_file():
            return SweepPaths(place)
    if begun := [each for each in find_sweeps(given, root=root) if each.record.is_file()]:
        return begun[-1]
    raise RunError(
        f"There is no sweep '{given}' in {root}.",
        hint="Begin one with `dltrain sweep CONFIG`; they lie in runs/NAME/sweep-0001.",
    )


def write_sweep(paths: SweepPaths, document: Mapping[str, Any]) -> None:
    """Replace sweep.json. Raises MachineError as `atomic` does."""
    write_json(paths.record, {"format": FORMAT, **document})


def read_sweep_record(paths: SweepPaths) -> dict[str, Any]:
    """Return what sweep.json holds. Raises RunError if it is missing, damaged or too new."""
    record = read_record(paths.record, format_number=FORMAT)
    trials = record.get("trials")
    if not isinstance(trials, list) or not isinstance(record.get("goal"), int):
        raise RunError(f"{paths.record} is damaged: it lists no trials.")
    for position, row in enumerate(trials):
        if not isinstance(row, dict) or not row.keys() >= _ROW:
            raise RunError(f"{paths.record} is damaged: trials[{position}] is no trial.")
    # What older ones haven't.
    record = {"member": None, "retrained": None, **record}
    record["trials"] = [{"at": None, **row} for row in record["trials"]]
    return record
