"""For how many configs have a dataset's test rows been scored? Each one weakens what they prove.

Who chooses, among many configs, the one with the best test score, reports the luckiest: the test
rows have become validation rows (Hastie, Tibshirani & Friedman, "The Elements of Statistical
Learning", 2nd edition, section 7.2).

A family is what such a choice is made from: the runs beside each other in one folder (runs/NAME/)
whose configs have the same `name` and whose data has the same fingerprint. Two runs of it are
different choices if their configs differ, the seed included. The same config trained again is one
choice, and so are all repeats of a `fit --repeats`. Counted whenever it is asked for, and kept
nowhere: the number belongs to the family, and grows after a run has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.errors import RunError
from dltrain.runs.layout import RunPaths
from dltrain.runs.records import read_record
from dltrain.runs.status import read_status

# Which software read the rows, and where they lie, doesn't make them other rows.
_NOT_DATA = ("origin", "path")


@dataclass(frozen=True)
class TestUses:
    """How many different `configs` of `name` were scored on the test rows of `dataset`."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    configs: int
    name: str
    dataset: str

    @property
    def sentence(self) -> str:
        """Return what a person should know; "" while there is but one config."""
        if self.configs < 2:
            return ""
        return (
            f"The test rows of {self.dataset} have now been scored for {self.configs} different "
            f"configs of {self.name}: choose between them on validation."
        )


def count_test_uses(paths: RunPaths) -> TestUses | None:
    """Count the configs in the family of the run in `paths`, itself included.

    None if its own test rows weren't scored, it is a smoke run, or its files don't tell. Of other
    runs, those that can't be read don't count.
    """
    own = paths.whole or paths
    described = _describe(own)
    if described is None:
        return None
    name, data, _ = described
    configs = set()
    try:
        siblings = [RunPaths(entry) for entry in own.root.absolute().parent.iterdir()]
    except OSError:
        siblings = [own]
    for sibling in siblings:
        found = _describe(sibling)
        if found is not None and found[:2] == (name, data):
            configs.add(found[2])
    return TestUses(max(1, len(configs)), name, str(data.get("name", "the dataset")))


def _describe(paths: RunPaths) -> tuple[str, dict[str, Any], str] | None:
    """Return (name, the data's fingerprint, config) of a run that scored test rows, or None."""
    try:
        text = paths.config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    first = text.partition("\n")[0]
    if not first.startswith("name: "):
        return None
    scored = _find_scored(paths)
    if scored is None:
        return None
    try:
        environment = read_record(scored.environment, format_number=1)
        if read_status(scored.status).data != "real":
            return None
    except RunError:
        return None
    data, rows = environment.get("dataset"), environment.get("rows")
    if not isinstance(data, dict) or not isinstance(rows, dict) or "test" not in rows:
        return None
    fingerprint = {key: value for key, value in data.items() if key not in _NOT_DATA}
    return first.removeprefix("name: ").strip("'\""), fingerprint, text


def _find_scored(paths: RunPaths) -> RunPaths | None:
    """Return the run itself, or the first of its repeats, if its model was evaluated."""
    number = 1
    candidate = paths.repeat(1) if paths.repeats.is_file() else paths
    while not _is_scored(candidate):
        number += 1
        candidate = paths.repeat(number)
        if not candidate.root.is_dir():
            return None
    return candidate


def _is_scored(paths: RunPaths) -> bool:
    return paths.metrics.is_file() or (paths.root / Path("evaluation-test.json")).is_file()
