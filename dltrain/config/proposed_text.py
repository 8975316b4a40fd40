"""What do all proposed configs share? Their parts, and how names are written into YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dltrain.config.reading import resolve_scalar
from dltrain.errors import DataError
from dltrain.escaping import escape_unprintable

LEAST_ROWS_A_CLASS = 5
"""With fewer, a class may be missing from the training, validation or test rows."""

LEAST_ROWS = 20
"""With fewer, a regression has nothing to validate on."""

TEST_SPLIT = 0.2

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")
_SHOWN = 12


@dataclass(frozen=True)
class Proposal:
    """Hold the lines of a config, without their indentation; `seen` are comments on the data."""

    title: str
    type: str
    seen: tuple[str, ...]
    dataset: tuple[str, ...]
    layers: tuple[str, ...]
    loss: tuple[str, ...]
    training: tuple[str, ...]


def quote(text: str) -> str:
    """Return `text` as a YAML scalar that is read as this text, plain where that is possible."""
    if _PLAIN.fullmatch(text) and resolve_scalar(text) == text:
        return text
    return json.dumps(text)


def say(text: str) -> str:
    """Return `text` for a comment: on one line, at most 40 characters."""
    shown = escape_unprintable(text)
    return f"'{shown if len(shown) <= 40 else shown[:37] + '...'}'"


def count(number: int, noun: str) -> str:
    """Return the number with its noun: 1 row, 1,200 rows, 3 classes."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def describe_classes(counts: Mapping[str, int]) -> list[str]:
    """Return a line on each class, the commonest of many."""
    shown = (
        sorted(counts, key=lambda name: -counts[name])[:_SHOWN]
        if len(counts) > _SHOWN
        else [*counts]
    )
    lines = [f"  {say(name)}: {counts[name]:,}" for name in shown]
    return [*lines, f"  and {len(counts) - len(shown)} more"] if len(shown) < len(counts) else lines


def check_class_counts(where: str, counts: Mapping[str, int]) -> None:
    """Raise DataError for a class of too few rows to be in every split."""
    for name, rows in counts.items():
        if rows < LEAST_ROWS_A_CLASS:
            raise DataError(
                f"{where}: the class '{name}' has {count(rows, 'row')}; expected at least "
                f"{LEAST_ROWS_A_CLASS}, for training, validation and test rows.",
                hint="Add rows of it, or remove it.",
            )


def choose_validation_split(rows: int, least: int) -> float:
    """Return a share that leaves something to measure; `least` are the rows of the rarest class."""
    shares = (0.1, 0.15) if rows >= 5_000 else (0.15,)
    return next((share for share in shares if least * share >= 1.5), 0.25)


def choose_batch_size(rows: int) -> int:
    """Return a batch of so few rows that an epoch has enough steps to learn something."""
    for most, size in ((500, 16), (5_000, 32), (20_000, 64)):
        if rows < most:
            return max(1, min(size, rows // 2))
    return 128


def write_loss(classes: int, *, rate: str = "1e-3") -> tuple[str, ...]:
    """Return the lines from loss to metrics; `classes` is 0 for a number."""
    loss = "loss: mse # try: mae or huber, which large errors move less"
    metrics = "metrics: [mae, r2] # r2: the explained share of the variance; the mean has 0"
    if classes:
        loss = (
            "loss: cross_entropy # with one unit: binary" if classes == 2 else "loss: cross_entropy"
        )
        metrics = "metrics: [accuracy, f1] # f1: the mean over the classes, however rare one is"
    optimizer = (
        f"optimizer: {{type: adam, learning_rate: {rate}}} # too large: the loss jumps; too small: "
        "it crawls"
    )
    return loss, "", optimizer, "", metrics


def write_training(rows: int, *, epochs: int, patience: int) -> tuple[str, ...]:
    """Return the lines below `training:`; `rows` are those that are trained on."""
    size = choose_batch_size(rows)
    return (
        f"batch_size: {size} # of about {rows:,} training rows",
        f"epochs: {epochs} # at most",
        "early_stopping: # when the validation rows gain no more; the best epoch is kept",
        "  monitor: val_loss",
        f"  patience: {patience} # epochs without improvement",
    )


def write_output(classes: int) -> str:
    """Return the last dense layer; `classes` is 0 for a number."""
    if classes == 2:
        return "{type: dense, units: 1} # two classes: one unit is enough"
    if classes:
        return f"{{type: dense, units: {classes}}} # a unit a class; cross_entropy applies softmax"
    return "{type: dense, units: 1} # one number"
