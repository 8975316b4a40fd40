"""Which groups of rows are held out, so that none lies in two splits? Seeded, nearly stratified."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.config.rules import count_held_out
from dltrain.data.splits import Indices, check_present, find_strata
from dltrain.errors import DataError

# Orders of the groups that are tried; the best one is taken.
_TRIALS = 64


def hold_out_groups(
    rows: Indices,
    labels: npt.NDArray[Any],
    groups: npt.NDArray[np.int64],
    *,
    fraction: float,
    seed: int,
    split: str,
    class_names: tuple[str, ...] = (),
) -> tuple[Indices, Indices]:
    """Hold out about `fraction` of `rows`, whole groups of them.

    `rows` are indices `(n,)` into `labels` and `groups`. Groups are taken in a seeded order until
    the share is reached as nearly as they allow; of several orders the one whose classes (deciles
    of a number) are shared out most evenly is taken. Returns the rows kept and those held out, each
    in rising order. Raises DataError if there is one group only, or a class would vanish.
    """
    if fraction == 0:
        return rows, rows[:0]
    strata = labels[rows] if class_names else find_strata(labels[rows], len(rows) // 2)
    strata = np.zeros(len(rows), dtype=np.int64) if strata is None else strata.astype(np.int64)
    members, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        raise DataError(
            f"all {len(rows):,} rows are of one group: none can be held out for {split}.",
            hint=f"Choose another group_column, or set dataset.{split}_split: 0.",
        )
    # How many rows of each stratum each group has.
    table = np.zeros((len(sizes), int(strata.max()) + 1), dtype=np.int64)
    np.add.at(table, (members, strata), 1)
    wanted = table.sum(axis=0) * (count_held_out(len(rows), fraction) / len(rows))
    random = np.random.default_rng(seed)
    chosen = min(
        (_take_groups(random.permutation(len(sizes)), sizes, wanted.sum()) for _ in range(_TRIALS)),
        key=lambda taken: _measure_unevenness(table, taken, wanted),
    )
    is_held = np.isin(members, chosen)
    kept, held = rows[~is_held], rows[is_held]
    if class_names:
        check_present(labels, kept, "training", class_names)
        check_present(labels, held, split, class_names)
    return np.sort(kept), np.sort(held)


def _take_groups(
    order: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], wanted: float
) -> npt.NDArray[np.int64]:
    """Return the first groups of `order` whose rows come nearest to `wanted`; at least one."""
    reached = np.cumsum(sizes[order])[:-1]
    return order[: int(np.abs(reached - wanted).argmin()) + 1]


def _measure_unevenness(
    table: npt.NDArray[np.int64], taken: npt.NDArray[np.int64], wanted: npt.NDArray[np.float64]
) -> float:
    """Return by how many rows the strata miss what is wanted; a vanished one counts for all."""
    held = table[taken].sum(axis=0)
    total = table.sum(axis=0)
    vanished = np.count_nonzero((held == 0) | (held == total))
    return float(np.abs(held - wanted).sum() + vanished * total.sum())
