"""May a run go on, and from where? Its config, its state and its last whole checkpoint."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.config.load import LoadedConfig, load_config
from dltrain.config.schema import RunConfig
from dltrain.errors import ConfigError, DataError, RunError
from dltrain.runs.atomic import remove_leftovers, replacing
from dltrain.runs.checkpoint import Checkpoint, read_last_checkpoint
from dltrain.runs.layout import RunPaths
from dltrain.runs.records import read_record
from dltrain.runs.status import Status, read_status

# What may change without changing what was trained so far.
_MAY_CHANGE = (
    "training.epochs",
    "training.early_stopping.patience",
    "training.reduce_lr_on_plateau.patience",
    "training.checkpoint",
    "training.input",
)
_TRACKERS = {"csv_logger", "tensorboard", "remote_monitor"}

# What decides the last bits of a sum; see docs/resume.md.
_SAME_BITS = ("cpu", "usable_cpu_count", "packages", "variables")


@dataclass(frozen=True)
class Resumption:
    """Where a run goes on. Without a checkpoint it begins anew; `notes` are for people."""

    checkpoint: Checkpoint | None
    environment: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def epochs_done(self) -> int:
        """Return the finished epochs."""
        return self.checkpoint.epoch if self.checkpoint else 0

    @property
    def is_over(self) -> bool:
        """Tell whether the training itself came to its end: only the evaluation is left."""
        return bool(self.checkpoint and self.checkpoint.state["stop_training"])


def plan_resumption(paths: RunPaths, loaded: LoadedConfig) -> Resumption:
    """Return where the run goes on with `loaded`, which may differ in a few things only.

    Call it while holding the run: what killed writes left in it is removed. Raises RunError for a
    finished run whose goal isn't raised, for another config, and if no checkpoint is whole.
    """
    recorded = read_run_config(paths)
    refuse_differences(paths, recorded.config, loaded.config)
    for folder in (paths.root, paths.checkpoints):
        if folder.is_dir():
            remove_leftovers(folder)
    checkpoint, notes = read_last_checkpoint(paths.checkpoints)
    status = read_status(paths.status) if paths.status.is_file() else None
    goal = loaded.config.training.epochs
    if checkpoint is None:
        if status is not None and status.state == "finished":
            raise RunError(f"{paths.root} has finished, and holds no checkpoint to go on from.")
        notes = [*notes, "No checkpoint was written yet: the run begins anew."]
    else:
        if checkpoint.epoch > goal:
            raise RunError(
                f"{paths.root} has trained {checkpoint.epoch} epochs; --epochs {goal} is less.",
                hint=f"Give more than {checkpoint.epoch}, or train anew.",
            )
        checkpoint = _let_go_on(checkpoint, recorded.config, loaded.config)
        step = f" and step {checkpoint.step}" if checkpoint.step else ""
        notes = [*notes, f"Going on after {checkpoint.epoch} of {goal} epochs{step}."]
        if status is not None and status.state == "finished":
            _refuse_finished(paths, status, checkpoint, goal)
        rate = loaded.config.optimizer.get("learning_rate")
        is_one_cycle = isinstance(rate, dict) and rate["type"] == "one_cycle"
        if is_one_cycle and recorded.config.training.epochs != goal:
            notes = [*notes, f"The one_cycle schedule spans {goal} epochs from now on."]
    environment: Mapping[str, Any] = {}
    if paths.environment.is_file():
        environment = read_record(paths.environment, format_number=1)
    return Resumption(checkpoint, environment, tuple(notes))


def read_run_config(
    paths: RunPaths,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    epochs: int | None = None,
) -> LoadedConfig:
    """Return the config that the run was begun with, changed by flags.

    Raises RunError if it is gone, ConfigError if it is wrong. Of a run on data of one's own it was
    right when it was written: then it is a DataError that says that the data changed.
    """
    if not paths.config.is_file():
        raise RunError(f"{paths.config} doesn't exist: the run is damaged, or never began.")
    try:
        return load_config(paths.config, overrides=overrides, seed=seed, epochs=epochs)
    except (ConfigError, DataError) as error:
        own = _find_own_data(paths)
        by_flag = isinstance(error, ConfigError) and not all(each.line for each in error.problems)
        if own is None or by_flag:
            raise
        raise DataError(
            f"{own} is not the data that {paths.root} was trained on, or {paths.config} was "
            f"changed:\n{error.message}",
            hint="Put back what was there, or train again.",
        ) from error


def _find_own_data(paths: RunPaths) -> str | None:
    """Return the path of the data of one's own that the run was trained on, if it was."""
    try:
        recorded = read_record(paths.environment, format_number=1).get("dataset")
    except RunError:
        return None
    return recorded.get("path") if isinstance(recorded, dict) else None


def note_other_machine(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Return a note for each thing that may make the last bits differ from a run never stopped."""
    return [
        f"{name} was {recorded[name]} and is {current.get(name)}: "
        "the last bits may differ from those of a run never stopped."
        for name in (*_SAME_BITS, "device")
        if name in recorded and recorded[name] != current.get(name)
    ]


def rewind_csv_logger(path: Path, *, epochs_done: int) -> None:
    """Drop the rows of epochs that are trained again from what keras.callbacks.CSVLogger wrote."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    kept = [row for row in rows if row and not (row[0].isdigit() and int(row[0]) >= epochs_done)]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(kept)


def list_differences(one: RunConfig, other: RunConfig) -> list[tuple[str, Any, Any]]:
    """Return (dotted key, its value in `one`, in `other`) for what may not change."""
    first, second = (dict(_flatten(_without_trackers(config))) for config in (one, other))
    return [
        (key, first.get(key), second.get(key))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
        and not any(key == free or key.startswith(f"{free}.") for free in _MAY_CHANGE)
    ]


def _without_trackers(config: RunConfig) -> dict[str, Any]:
    data = config.model_dump(mode="json")
    del data["trackers"]
    training = data["training"]
    training["callbacks"] = [
        spec for spec in training["callbacks"] if spec["type"] not in _TRACKERS
    ]
    return data


def _flatten(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flatten(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, item in enumerate(value):
            yield from _flatten(item, f"{key}[{index}]")
    else:
        yield key, value


def refuse_differences(paths: RunPaths, recorded: RunConfig, asked: RunConfig) -> None:
    """Raise RunError if `asked` differs from what the run was trained with in what may not."""
    found = list_differences(recorded, asked)
    if found:
        lines = [f"  {key}: {_show(before)} there, {_show(now)} here" for key, before, now in found]
        raise RunError(
            f"{paths.root} was trained with another config:\n" + "\n".join(lines),
            hint="When a run goes on, epochs, patience, checkpoints, training.input and trackers "
            "may change, nothing else. Train the new config in a run of its own.",
        )


def _show(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def _let_go_on(checkpoint: Checkpoint, recorded: RunConfig, asked: RunConfig) -> Checkpoint:
    """Take back that early stopping ended the run, if more epochs or patience are asked for."""
    before, now = recorded.training, asked.training
    raised = now.epochs > before.epochs
    if before.early_stopping and now.early_stopping:
        raised |= now.early_stopping.patience > before.early_stopping.patience
    if not raised or not checkpoint.state["stop_training"]:
        return checkpoint
    state = {**checkpoint.state, "stop_training": False}
    return Checkpoint(checkpoint.epoch, checkpoint.step, checkpoint.arrays, state)


def _refuse_finished(paths: RunPaths, status: Status, checkpoint: Checkpoint, goal: int) -> None:
    if status.stopped_by == "max_seconds":
        return
    if checkpoint.epoch >= goal or checkpoint.state["stop_training"]:
        early = status.stopped_by == "early_stopping"
        raise RunError(
            f"{paths.root} has finished: {status.epochs_done} epochs"
            + (", then early stopping." if early else "."),
            hint="Nothing was changed. Train it further with "
            f"--epochs {checkpoint.epoch + max(1, goal // 2)}"
            + (", or with more training.early_stopping.patience." if early else "."),
        )
