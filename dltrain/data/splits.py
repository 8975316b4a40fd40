"""Which rows train, which validate, which test? Seeded, stratified, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.rules import count_held_out
from dltrain.errors import DataError

Indices = npt.NDArray[np.int64]

_STRATA = 10

# Sets these draws apart from others of the same seed.
_THINNING = 3
_LIMITING = 4

TEST_SPLIT_SEED = 0
"""The test rows of data without a published test split never depend on a run's seed."""


def hold_out(
    rows: Indices,
    labels: npt.NDArray[np.generic],
    *,
    fraction: float,
    seed: int,
    split: str,
    class_names: tuple[str, ...] = (),
) -> tuple[Indices, Indices]:
    """Hold out `fraction` of the rows by a seeded, stratified shuffle.

    `rows` are indices `(n,)` into `labels`; `class_names` is empty for a regression, whose strata
    are the target's deciles, so that a small split has the whole range of it. Returns the
    rows kept and the rows held out, each in rising order. Raises DataError if a class would vanish
    from either part, or a part would be empty.
    """
    if fraction == 0:
        return rows, rows[:0]
    held = count_held_out(len(rows), fraction)
    if not 0 < held < len(rows):
        raise DataError(
            f"{fraction:g} of {len(rows)} rows leaves {len(rows) - held} rows to train on and "
            f"{held} for {split}.",
            hint=f"Change dataset.{split}_split.",
        )
    from sklearn.model_selection import train_test_split

    chosen = labels[rows]
    if class_names:
        _check_classes(chosen, held, split, class_names, total=len(rows))
    kept, out = train_test_split(
        rows,
        test_size=held,
        random_state=seed,
        stratify=chosen if class_names else find_strata(chosen, min(held, len(rows) - held)),
    )
    if class_names:
        check_present(labels, kept, "training", class_names)
        check_present(labels, out, split, class_names)
    return np.sort(kept), np.sort(out)


def thin_classes(
    rows: Indices,
    labels: npt.NDArray[np.generic],
    *,
    shares: Mapping[str, float],
    seed: int,
    class_names: tuple[str, ...],
) -> Indices:
    """Return `rows` with only a share of those of some classes, at least one row of each, in order.

    `shares` maps class names to shares; which rows stay follows from `seed` and the class.
    """
    gone = []
    for name, share in shares.items():
        number = class_names.index(name)
        found = rows[labels[rows] == number]
        generator = np.random.default_rng([seed, number, _THINNING])
        gone.append(generator.permutation(found)[max(1, round(len(found) * share)) :])
    return np.setdiff1d(rows, np.concatenate(gone)) if gone else rows


def limit_classes(
    rows: Indices, labels: npt.NDArray[np.generic], *, most: int, seed: int
) -> Indices:
    """Return `rows` with at most so many of each class, in order.

    Which rows stay follows from `seed` and the class.
    """
    kept = []
    for label in np.unique(labels[rows]):
        found = rows[labels[rows] == label]
        generator = np.random.default_rng([seed, int(label), _LIMITING])
        kept.append(generator.permutation(found)[:most])
    return np.sort(np.concatenate(kept)) if kept else rows


def find_strata(targets: npt.NDArray[Any], largest_count: int) -> npt.NDArray[np.int64] | None:
    """Return which decile of `targets` `(n,)` each lies in; None if the rows are too few for any.

    Every stratum needs a row in both parts.
    """
    for count in range(min(_STRATA, largest_count), 1, -1):
        inner = np.quantile(targets, np.arange(1, count) / count)
        strata = np.searchsorted(np.unique(inner), targets, side="right")
        if np.bincount(strata)[np.unique(strata)].min() >= 2:
            return strata.astype(np.int64)
    return None


def _check_classes(
    labels: npt.NDArray[np.generic],
    held: int,
    split: str,
    class_names: tuple[str, ...],
    *,
    total: int,
) -> None:
    counts = np.bincount(labels.astype(np.int64), minlength=len(class_names))
    for name, count in zip(class_names, counts, strict=True):
        if count < 2:
            raise DataError(
                f"the class '{name}' has {count} row{'' if count == 1 else 's'}; it would vanish "
                f"from training or from {split}, since each needs one.",
                hint=f"Add rows of it, or set dataset.{split}_split: 0.",
            )
    if min(held, total - held) < len(class_names):
        raise DataError(
            f"{split} would have {held} of {total} rows, fewer than one for each of the "
            f"{len(class_names)} classes: a class would vanish.",
            hint=f"Change dataset.{split}_split.",
        )


def check_present(
    labels: npt.NDArray[np.generic], rows: Indices, split: str, class_names: tuple[str, ...]
) -> None:
    """Raise DataError if a class has none of `rows`, which become a split."""
    missing = set(range(len(class_names))) - set(np.unique(labels[rows]).tolist())
    if missing:
        names = ", ".join(f"'{class_names[index]}'" for index in sorted(missing))
        raise DataError(
            f"no row of {names} is left in the {split} split.",
            hint="Hold out a larger or smaller share, or add rows of it.",
        )
