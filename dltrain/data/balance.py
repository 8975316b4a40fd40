"""Which rows are trained on, and how much does each count, where classes are of unequal size?

Only the table of the training rows is given here; what is evaluated keeps its true proportions.
Everything follows from the seed alone: a training that goes on takes the same rows again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.catalog.datasets import Feature
from dltrain.config.balance import count_balanced
from dltrain.config.schema import Spec
from dltrain.data.batches import Table
from dltrain.data.normalize import Scaling
from dltrain.errors import DataError, MachineError

# Sets these draws apart from others of the same seed.
_RESAMPLING = 6

# A note names as many classes as this.
_NAMED_CLASSES = 12


@dataclass(frozen=True)
class Balanced:
    """Hold the rows that are trained on, and what was done to them.

    `had` and `has` count the rows of each class before and after, `note` says it to people; all
    are empty where nothing was asked for.
    """

    table: Table
    had: tuple[int, ...] = ()
    has: tuple[int, ...] = ()
    note: str = ""

    def counts_by_class(self, class_names: Sequence[str]) -> dict[str, dict[str, int]] | None:
        """Return what environment.json keeps: the rows that each class had and has."""
        if not self.note:
            return None
        rows = zip(class_names, self.had, self.has, strict=True)
        return {name: {"had": had, "has": has} for name, had, has in rows}


def balance_rows(
    table: Table,
    spec: Spec | None,
    *,
    class_names: Sequence[str],
    seed: int,
    scaling: Scaling | None = None,
    features: Sequence[Feature] = (),
) -> Balanced:
    """Return the rows to train on, as `training.balance` asks.

    `scaling` and `features` are for SMOTE, whose neighbours are sought among scaled features.
    Raises DataError if a class has too few rows for SMOTE, and MachineError without its package.
    """
    if spec is None or spec["type"] == "focal_loss":
        return Balanced(table)
    had = np.bincount(table.labels.astype(np.int64), minlength=len(class_names))
    if spec["type"] == "class_weight":
        weights = weigh_classes(had, spec["weights"], class_names)
        note = _describe([f"{weight:.3g} times" for weight in weights], class_names)
        return Balanced(
            weigh_rows(table, weights),
            tuple(had.tolist()),
            tuple(had.tolist()),
            f"class_weight: the loss counts rows of {note}.",
        )
    wanted = count_balanced(had.tolist(), spec)
    notes = ""
    if spec["type"] == "smote":
        grown = {number: after for number, after in enumerate(wanted) if after > had[number]}
        neighbours = _count_neighbours(had, grown, spec["k_neighbors"], class_names)
        if neighbours < spec["k_neighbors"]:
            notes = f" SMOTE looked at {neighbours} neighbours: the smallest class has no more."
        if grown:
            sampler = _make_sampler(grown, neighbours, seed=seed)
            table = _add_smote_rows(table, sampler, scaling, features)
    else:
        table = table.select(_choose_rows(table.labels, had, wanted, seed=seed))
    changes = [
        "" if before == after else f"from {before:,} to {after:,}"
        for before, after in zip(had, wanted, strict=True)
    ]
    note = _describe(changes, class_names) or "no class changes"
    return Balanced(
        table,
        tuple(had.tolist()),
        tuple(wanted),
        f"{spec['type']}: {sum(had):,} training rows become {len(table):,}: {note}.{notes}",
    )


def weigh_classes(
    counts: npt.NDArray[np.int64], given: Mapping[str, float] | None, class_names: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return how much a row of each class counts.

    `given` are weights by name, 1 where a class has none. Otherwise each class counts as much as
    any other, and a row 1 on average: n / (classes * rows of the class), King and Zeng 2001,
    "Logistic Regression in Rare Events Data", also scikit-learn's "balanced".
    """
    if given is not None:
        return np.array([given.get(name, 1.0) for name in class_names], dtype=np.float32)
    present = counts > 0
    weights = counts.sum() / (present.sum() * np.maximum(counts, 1))
    return np.where(present, weights, 0.0).astype(np.float32)


def weigh_rows(table: Table, weights: npt.NDArray[np.float32]) -> Table:
    """Return `table` with each row's weight multiplied by that of its class."""
    own = weights[table.labels]
    if table.weights is not None:
        own = own * table.weights
    return Table(table.inputs, table.labels, table.positions, own)


def _choose_rows(
    labels: npt.NDArray[Any],
    had: npt.NDArray[np.int64],
    wanted: Sequence[int],
    *,
    seed: int,
) -> npt.NDArray[np.int64]:
    """Return the rows to take, those of the table in its order and copies behind them.

    No row of a class is taken twice more often than another: first all of them, as often as they
    fit, then some drawn without replacement.
    """
    rows, copies = [], []
    for number, (before, after) in enumerate(zip(had, wanted, strict=True)):
        found = np.flatnonzero(labels == number)
        drawn = np.random.default_rng([seed, number, _RESAMPLING]).permutation(found)
        if after < before:
            rows.append(drawn[:after])
            continue
        rows.append(found)
        if before:
            times, rest = divmod(after - before, int(before))
            copies += [np.tile(found, times), drawn[:rest]]
    return np.concatenate([np.sort(np.concatenate(rows)), *copies]).astype(np.int64)


def _count_neighbours(
    had: npt.NDArray[np.int64], grown: Mapping[int, int], wanted: int, class_names: Sequence[str]
) -> int:
    """Return among how many neighbours of a class rows are made, for all classes that grow."""
    smallest = min(grown, key=lambda number: int(had[number]), default=None)
    if smallest is None:
        return wanted
    if had[smallest] < 2:
        raise DataError(
            f"training.balance: smote needs two rows of a class, and '{class_names[smallest]}' has "
            "1 to train on.",
            hint="Use oversample or class_weight, or add rows of it.",
        )
    return min(wanted, int(had[smallest]) - 1)


def _make_sampler(grown: Mapping[int, int], neighbours: int, *, seed: int) -> Any:
    try:
        from imblearn.over_sampling import SMOTE
    except ImportError as error:
        raise MachineError(
            "training.balance: smote needs the package imbalanced-learn, which isn't installed.",
            hint="pip install 'dltrain[imbalanced]', or use oversample.",
        ) from error
    return SMOTE(sampling_strategy=dict(grown), k_neighbors=neighbours, random_state=seed)


def _add_smote_rows(
    table: Table, sampler: Any, scaling: Scaling | None, features: Sequence[Feature]
) -> Table:
    """Return `table` with rows behind it that lie between two neighbours of a class.

    A category, or whether a value is missing, is that of the nearer of the two.
    """
    inputs = np.asarray(table.in_memory().inputs, dtype=np.float32)
    scaling = scaling or Scaling(mean=(0.0,), scale=(1.0,))
    mean, scale = np.array(scaling.mean, np.float32), np.array(scaling.scale, np.float32)
    resampled, labels = sampler.fit_resample((inputs - mean) / scale, table.labels)
    made = (resampled[len(inputs) :] * scale + mean).astype(np.float32)
    for index, feature in enumerate(features):
        if feature.kind != "number":
            made[:, index] = np.round(made[:, index])
    return Table(np.concatenate([inputs, made]), labels.astype(table.labels.dtype))


def _describe(changes: Sequence[str], class_names: Sequence[str]) -> str:
    """Return `'a' 9.9 times, 'b' 0.5 times`, of the first few classes that have something."""
    pairs = zip(class_names, changes, strict=True)
    told = [f"'{name}' {change}" for name, change in pairs if change]
    more = len(told) - _NAMED_CLASSES
    return ", ".join(told[:_NAMED_CLASSES]) + (f" and {more} more classes" if more > 0 else "")
