"""Are splits seeded, stratified, disjoint and complete, and vanishing classes refused?"""

from __future__ import annotations

import numpy as np
import pytest

from dltrain.data.splits import hold_out, thin_classes
from dltrain.errors import DataError

NAMES = ("cat", "dog", "fox")


def _labels(*counts: int) -> np.ndarray:
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(0).permutation(labels).astype(np.int64)


def _hold_out(
    labels: np.ndarray, fraction: float = 0.2, *, seed: int = 1, names: tuple[str, ...] = NAMES
) -> tuple[np.ndarray, np.ndarray]:
    return hold_out(
        np.arange(len(labels)),
        labels,
        fraction=fraction,
        seed=seed,
        split="validation",
        class_names=names,
    )


def test_parts_are_disjoint_complete_and_in_rising_order() -> None:
    kept, held = _hold_out(_labels(50, 30, 20))
    assert (len(kept), len(held)) == (80, 20)
    assert sorted([*kept, *held]) == list(range(100))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()


def test_each_class_keeps_its_share() -> None:
    labels = _labels(50, 30, 20)
    kept, held = _hold_out(labels)
    assert np.bincount(labels[held]).tolist() == [10, 6, 4]
    assert np.bincount(labels[kept]).tolist() == [40, 24, 16]


def test_same_seed_holds_out_the_same_rows_and_another_seed_others() -> None:
    labels = _labels(50, 30, 20)
    first, again, other = (_hold_out(labels, seed=seed)[1] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_only_the_rows_given_are_split() -> None:
    labels = _labels(50, 30, 20)
    rows = np.arange(0, 100, 2)
    kept, held = hold_out(rows, labels, fraction=0.2, seed=1, split="validation", class_names=NAMES)
    assert sorted([*kept, *held]) == rows.tolist()


def test_share_of_nothing_holds_out_nothing() -> None:
    kept, held = _hold_out(_labels(5, 5, 5), 0)
    assert (len(kept), len(held)) == (15, 0)


def test_regression_holds_out_rows_from_the_whole_range() -> None:
    targets = np.random.default_rng(0).normal(size=200).astype(np.float32)
    kept, held = _hold_out(targets, 0.1, names=())
    assert (len(kept), len(held)) == (180, 20)
    deciles = np.quantile(targets, np.arange(1, 10) / 10)
    assert np.bincount(np.searchsorted(deciles, targets[held]), minlength=10).tolist() == [2] * 10


@pytest.mark.parametrize("targets", [np.zeros(20), np.arange(3.0), np.repeat([1.0, 2.0], 10)])
def test_regression_with_few_distinct_targets_is_split(targets: np.ndarray) -> None:
    kept, held = _hold_out(targets.astype(np.float32), 0.34, names=())
    assert sorted([*kept, *held]) == list(range(len(targets)))
    assert len(held) == round(len(targets) * 0.34)


@pytest.mark.parametrize(
    ("counts", "fraction", "message", "hint"),
    [
        (
            (20, 20, 1),
            0.2,
            "the class 'fox' has 1 row; it would vanish from training or from validation, since "
            "each needs one.",
            "Add rows of it, or set dataset.validation_split: 0.",
        ),
        (
            (20, 0, 20),
            0.2,
            "the class 'dog' has 0 rows; it would vanish from training or from validation, since "
            "each needs one.",
            "Add rows of it, or set dataset.validation_split: 0.",
        ),
        (
            (10, 10, 10),
            0.07,
            "validation would have 2 of 30 rows, fewer than one for each of the 3 classes: a "
            "class would vanish.",
            "Change dataset.validation_split.",
        ),
        (
            (10, 10, 10),
            0.95,
            "validation would have 28 of 30 rows, fewer than one for each of the 3 classes: a "
            "class would vanish.",
            "Change dataset.validation_split.",
        ),
        (
            (100, 100, 2),
            0.1,
            "no row of 'fox' is left in the validation split.",
            "Hold out a larger or smaller share, or add rows of it.",
        ),
        (
            (1, 1, 1),
            0.99,
            "0.99 of 3 rows leaves 0 rows to train on and 3 for validation.",
            "Change dataset.validation_split.",
        ),
    ],
)
def test_class_that_would_vanish_is_refused(
    counts: tuple[int, ...], fraction: float, message: str, hint: str
) -> None:
    with pytest.raises(DataError) as caught:
        _hold_out(_labels(*counts), fraction)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_class_is_thinned_by_the_seed_and_the_others_stay_whole() -> None:
    labels = np.array([0, 1] * 50 + [2] * 7)
    rows = np.arange(3, len(labels))
    shares = {"b": 0.1, "c": 0.01}
    kept, same, other = (
        thin_classes(rows, labels, shares=shares, seed=seed, class_names=("a", "b", "c"))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(np.bincount(labels[kept]), [48, 5, 1])
    assert np.all(np.diff(kept) > 0)
    assert set(kept) <= set(rows)
    np.testing.assert_array_equal(kept, same)
    assert not np.array_equal(kept, other)
