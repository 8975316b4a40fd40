"""Does training stop, and is the best epoch chosen, by a number that says something?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.config.monitors import best_direction
from dltrain.config.paths import Path
from dltrain.lint.finding import Note

_WORDS = {"min": "smallest", "max": "largest"}


def find_wrong_direction(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a `mode` that takes the worst value of the monitor for the best."""
    for path, kind, spec in _watchers(loaded, ("early_stopping", "reduce_lr_on_plateau", "any")):
        mode, monitor = spec.get("mode", "auto"), spec.get("monitor")
        if mode not in _WORDS or not isinstance(monitor, str):
            continue
        right = best_direction(monitor, loaded.config)
        if mode != right:
            yield Note(
                (*path, "mode"),
                f"mode {mode} takes the {_WORDS[mode]} {monitor} for the best, but the "
                f"{_WORDS[right]} is: {kind} would act on the wrong epochs.",
                f"Write `mode: {right}`, or leave it out.",
            )


def find_stopping_without_validation(loaded: LoadedConfig) -> Iterator[Note]:
    """Find early stopping that watches the training rows."""
    for path, _, spec in _watchers(loaded, ("early_stopping",)):
        monitor = str(spec.get("monitor"))
        if monitor.startswith("val_"):
            continue
        if loaded.config.dataset.validation_split:
            fix = f"Write `monitor: val_{monitor}`."
        else:
            fix = f"Write `validation_split: 0.1` under dataset, and `monitor: val_{monitor}`."
        yield Note(
            (*path, "monitor"),
            f"early stopping watches {monitor} of the training rows, which goes on improving while "
            "the model learns them by heart.",
            fix,
        )


def find_selection_on_training_rows(loaded: LoadedConfig) -> Iterator[Note]:
    """Find a best epoch that is chosen by the training rows although others are held out."""
    training = loaded.config.training
    monitor = str(training.monitor)
    stopping = training.early_stopping
    if stopping and stopping.monitor == monitor:
        return  # DL402 tells it
    if loaded.config.dataset.validation_split and not monitor.startswith("val_"):
        yield Note(
            ("training", "monitor"),
            f"the best epoch is chosen by {monitor} of the training rows: it is the one that has "
            "learnt them by heart.",
            f"Write `monitor: val_{monitor}`.",
        )


def find_endless_patience(loaded: LoadedConfig) -> Iterator[Note]:
    """Find patience that the training is too short for."""
    epochs = loaded.config.training.epochs
    for path, kind, spec in _watchers(loaded, ("early_stopping", "reduce_lr_on_plateau")):
        default = {"early_stopping": 0, "reduce_lr_on_plateau": 10}[kind]
        patience, start = spec.get("patience", default), spec.get("start_from_epoch", 0)
        if patience + start < epochs:
            continue
        later = f" from epoch {start} on" if start else ""
        least = max(1, (epochs - start) // 3)
        fix = f"Write `patience: {least}`, or train longer."
        if epochs - start <= 1:
            fix = f"Train longer, or leave {kind} out."
        yield Note(
            (*path, "patience"),
            f"{kind} with a patience of {patience} epochs{later} can't act in a training of "
            f"{epochs}.",
            fix,
        )


def _watchers(
    loaded: LoadedConfig, kinds: tuple[str, ...]
) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield path, type and arguments of what watches a monitor, of the types `kinds`.

    "any" stands for every callback that has a mode.
    """
    training = loaded.config.training
    for kind in ("early_stopping", "reduce_lr_on_plateau"):
        section = getattr(training, kind)
        if section is not None and kind in kinds:
            yield ("training", kind), kind, section.model_dump()
    for index, spec in enumerate(training.callbacks):
        if spec["type"] in kinds or ("any" in kinds and "mode" in spec):
            filled = {"monitor": "val_loss", **spec}
            yield ("training", "callbacks", index), spec["type"], filled
