"""Are two runs the same to the bit? Everything that they leave is compared, but times and ids."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from dltrain.runs.checkpoint import list_checkpoints, read_checkpoint

# What says when and how long, not what.
_TIMES = {"seconds", "elapsed_seconds"}


def compare_runs(one: Path, other: Path) -> list[str]:
    """Return what differs between two finished runs, a phrase each; none if they are equal."""
    differences = []
    names = [{path.name for path in run.iterdir()} for run in (one, other)]
    if names[0] != names[1]:
        differences.append(f"files: {sorted(names[0] ^ names[1])} are in one only")
    for name in ("config.yaml", "metrics.json"):
        if (one / name).read_bytes() != (other / name).read_bytes():
            differences.append(name)
    statuses = [_read_status(run) for run in (one, other)]
    if statuses[0] != statuses[1]:
        differences.append(f"status.json: {statuses[0]} and {statuses[1]}")
    differences += _compare_histories(one / "history.csv", other / "history.csv")
    differences += _compare_models(one / "model.keras", other / "model.keras")
    return differences + compare_checkpoints(
        list_checkpoints(one / "checkpoints")[-1], list_checkpoints(other / "checkpoints")[-1]
    )


def compare_checkpoints(one: Path, other: Path) -> list[str]:
    """Return what differs between two checkpoints: their place, arrays, state."""
    if one.name != other.name:
        return [f"checkpoints: {one.name} and {other.name}"]
    first, second = read_checkpoint(one), read_checkpoint(other)
    if set(first.arrays) != set(second.arrays):
        return [f"arrays in one only: {sorted(set(first.arrays) ^ set(second.arrays))}"]
    differences = [
        f"checkpoint: {name}"
        for name, array in first.arrays.items()
        if array.dtype != second.arrays[name].dtype
        or array.tobytes() != second.arrays[name].tobytes()
    ]
    states = _without(first.state, _TIMES), _without(second.state, _TIMES)
    return differences + [
        f"checkpoint state {name}: {states[0].get(name)!r} and {states[1].get(name)!r}"
        for name in sorted(set(states[0]) | set(states[1]))
        if states[0].get(name) != states[1].get(name)
    ]


def read_model(path: Path) -> dict[str, Any]:
    """Return what a .keras file holds: its config, and every array by its name in the HDF5 file."""
    import h5py

    found: dict[str, Any] = {}
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        # Keras numbers what layers share by its address in memory.
        found["config"] = _without(json.loads(file.read("config.json")), {"shared_object_id"})
        with file.open("model.weights.h5") as member, h5py.File(member, "r") as weights:

            def visit(name: str, node: Any) -> None:
                if isinstance(node, h5py.Dataset):
                    array = np.asarray(node[()])
                    found[name] = (array.dtype.str, array.shape, array.tobytes())

            weights.visititems(visit)
    return found


def _compare_models(one: Path, other: Path) -> list[str]:
    first, second = read_model(one), read_model(other)
    assert len(first) > 1, "no weights were found to compare"
    return [
        f"model.keras: {name}"
        for name in sorted(set(first) | set(second))
        if first.get(name) != second.get(name)
    ]


def _compare_histories(one: Path, other: Path) -> list[str]:
    rows = []
    for path in (one, other):
        with path.open(newline="") as file:
            rows.append([_without(row, _TIMES) for row in csv.DictReader(file)])
    if rows[0] == rows[1]:
        return []
    for first, second in zip(*rows, strict=False):
        if first != second:
            return [f"history.csv: {first} and {second}"]
    return [f"history.csv: {len(rows[0])} and {len(rows[1])} rows"]


def _read_status(run: Path) -> dict[str, Any]:
    status = json.loads((run / "status.json").read_text())
    return {key: status[key] for key in ("state", "reason", "epochs_done", "epochs_goal")}


def _without(value: Any, names: set[str]) -> Any:
    """Return JSON without the keys `names`, at every depth."""
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value
