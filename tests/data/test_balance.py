"""Are rows repeated, left out, weighed or made as asked, from the seed alone?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.catalog.datasets import Feature
from dltrain.data.balance import balance_rows
from dltrain.data.batches import Table
from dltrain.data.normalize import Scaling
from dltrain.errors import DataError, MachineError

NAMES = ("common", "rare", "middle")
LABELS = np.array([0] * 20 + [1] * 3 + [2] * 8, dtype=np.int64)


def make_table(**options: Any) -> Table:
    inputs = np.random.default_rng(0).normal(size=(len(LABELS), 2)).astype(np.float32)
    return Table(inputs, LABELS, **options)


def balance(table: Table, kind: str, *, seed: int = 1, **options: Any) -> Any:
    defaults = {"ratio": 1.0, "weights": None, "k_neighbors": 5}
    spec = {"type": kind, **defaults}
    given = {name: options.pop(name) for name in list(options) if name in defaults}
    return balance_rows(table, {**spec, **given}, class_names=NAMES, seed=seed, **options)


def test_oversampling_repeats_the_rows_of_a_class_evenly_behind_all_rows() -> None:
    table = make_table()
    found = balance(table, "oversample")
    assert (found.had, found.has) == ((20, 3, 8), (20, 20, 20))
    assert found.note == (
        "oversample: 31 training rows become 60: 'rare' from 3 to 20, 'middle' from 8 to 20."
    )
    taken = found.table.positions
    np.testing.assert_array_equal(taken[:31], np.arange(31))
    assert sorted(np.bincount(taken)[20:23]) == [6, 7, 7]
    assert sorted(np.bincount(taken)[23:]) == [2] * 4 + [3] * 4
    np.testing.assert_array_equal(found.table.labels, LABELS[taken])
    np.testing.assert_array_equal(found.table.take(slice(None)), table.inputs[taken])


def test_undersampling_leaves_rows_out_and_keeps_the_order() -> None:
    found = balance(make_table(), "undersample", ratio=0.5)
    assert (found.had, found.has) == ((20, 3, 8), (6, 3, 6))
    assert found.note == (
        "undersample: 31 training rows become 15: 'common' from 20 to 6, 'middle' from 8 to 6."
    )
    assert np.all(np.diff(found.table.positions) > 0)
    np.testing.assert_array_equal(np.bincount(found.table.labels), [6, 3, 6])


@pytest.mark.parametrize("kind", ["oversample", "undersample", "smote"])
def test_which_rows_are_taken_follows_from_the_seed(kind: str) -> None:
    first, same, other = (balance(make_table(), kind, seed=seed).table for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.in_memory().inputs, same.in_memory().inputs)
    assert not np.array_equal(first.in_memory().inputs, other.in_memory().inputs)


def test_rows_that_are_a_part_of_a_file_are_balanced_without_reading_it() -> None:
    inputs = np.arange(100, dtype=np.float32).reshape(50, 2)
    positions = np.arange(49, 49 - len(LABELS), -1)
    found = balance(Table(inputs, LABELS, positions), "oversample").table
    assert found.inputs is inputs
    np.testing.assert_array_equal(found.take(slice(0, 3)), inputs[[49, 48, 47]])
    np.testing.assert_array_equal(found.labels, LABELS[49 - found.positions])


def test_balanced_weights_are_those_of_scikit_learn_and_one_on_average() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    found = balance(make_table(), "class_weight")
    expected = compute_sample_weight("balanced", LABELS)
    np.testing.assert_allclose(found.table.weights, expected, rtol=1e-6)
    assert found.table.weights.mean() == pytest.approx(1)
    assert found.note == (
        "class_weight: the loss counts rows of 'common' 0.517 times, 'rare' 3.44 times, "
        "'middle' 1.29 times."
    )
    assert found.table.positions is None
    assert found.has == found.had == (20, 3, 8)


def test_weights_by_name_multiply_those_of_the_rows() -> None:
    own = np.linspace(1, 2, len(LABELS), dtype=np.float32)
    found = balance(make_table(weights=own), "class_weight", weights={"rare": 10})
    np.testing.assert_allclose(found.table.weights, own * np.where(LABELS == 1, 10, 1))


def test_rows_take_their_weights_with_them() -> None:
    own = np.arange(len(LABELS), dtype=np.float32)
    for kind in ("oversample", "undersample"):
        found = balance(make_table(weights=own), kind).table
        np.testing.assert_array_equal(found.weights, found.positions)
        np.testing.assert_array_equal(found.in_memory().weights, found.weights)
        np.testing.assert_array_equal(found.head(5).weights, found.weights[:5])


def test_nothing_asked_for_and_a_focal_loss_leave_the_rows_alone() -> None:
    table = make_table()
    assert balance_rows(table, None, class_names=NAMES, seed=1).table is table
    focal = {"type": "focal_loss", "gamma": 2.0, "alpha": None}
    found = balance_rows(table, focal, class_names=NAMES, seed=1)
    assert (found.table, found.note) == (table, "")


def test_smote_puts_new_rows_between_two_rows_of_their_class() -> None:
    table = make_table()
    found = balance(table, "smote")
    assert found.has == (20, 20, 20)
    assert found.note == (
        "smote: 31 training rows become 60: 'rare' from 3 to 20, 'middle' from 8 to 20. "
        "SMOTE looked at 2 neighbours: the smallest class has no more."
    )
    np.testing.assert_array_equal(found.table.inputs[:31], table.inputs)
    np.testing.assert_array_equal(found.table.labels[:31], LABELS)
    parents = table.inputs[LABELS == 1]
    for row in found.table.inputs[31:][found.table.labels[31:] == 1]:
        on_a_line = [
            np.linalg.norm(row - one) + np.linalg.norm(row - other) - np.linalg.norm(one - other)
            for one in parents
            for other in parents
        ]
        assert min(on_a_line) < 1e-6


def test_smote_seeks_neighbours_among_scaled_features_and_keeps_categories_whole() -> None:
    # Only the second feature tells the two groups of the class apart, once both are scaled.
    group = np.array([0, 0, 0, 1, 1, 1])
    wide = np.array([0, 1000, 2000, 100, 1100, 2100])
    rare = np.stack([wide, group, group, 1 - group], axis=1)
    common = np.zeros((30, 4))
    table = Table(np.concatenate([common, rare]).astype(np.float32), np.array([0] * 30 + [1] * 6))
    features = [
        Feature("wide", "number"),
        Feature("narrow", "number"),
        Feature("kind", "category", "a"),
        Feature("kind", "category", "b"),
    ]
    made = balance_rows(
        table,
        {"type": "smote", "ratio": 1.0, "k_neighbors": 2},
        class_names=("no", "yes"),
        seed=3,
        scaling=Scaling(mean=(0, 0, 0, 0), scale=(1e4, 0.1, 0.1, 0.1)),
        features=features,
    ).table.inputs[36:]
    assert len(made) == 24
    assert set(made[:, 1]) == {0.0, 1.0}, "no row lies between the groups"
    np.testing.assert_array_equal(made[:, 2], made[:, 1])
    np.testing.assert_array_equal(made[:, 3], 1 - made[:, 1])
    mixed = balance_rows(
        table,
        {"type": "smote", "ratio": 1.0, "k_neighbors": 5},
        class_names=("no", "yes"),
        seed=3,
        features=features,
    ).table.inputs[36:]
    assert len(set(mixed[:, 1])) > 2, "without scaling the groups are mixed"
    assert set(mixed[:, 2]) == {0.0, 1.0}


def test_smote_refuses_a_class_of_one_row() -> None:
    table = Table(np.zeros((5, 2), np.float32), np.array([0, 0, 0, 2, 1]))
    with pytest.raises(DataError) as caught:
        balance(table, "smote")
    assert caught.value.message == (
        "training.balance: smote needs two rows of a class, and 'rare' has 1 to train on."
    )
    assert caught.value.hint == "Use oversample or class_weight, or add rows of it."


def test_smote_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imblearn.over_sampling", None)
    with pytest.raises(MachineError) as caught:
        balance(make_table(), "smote")
    assert caught.value.message == (
        "training.balance: smote needs the package imbalanced-learn, which isn't installed."
    )
    assert caught.value.hint == "pip install 'dltrain[imbalanced]', or use oversample."


def test_a_note_names_a_dozen_classes_at_most() -> None:
    names = tuple(str(number) for number in range(20))
    labels = np.repeat(np.arange(20), np.arange(1, 21))
    table = Table(np.zeros((len(labels), 1), np.float32), labels)
    spec = {"type": "oversample", "ratio": 1.0}
    note = balance_rows(table, spec, class_names=names, seed=0).note
    assert note.endswith("'11' from 12 to 20 and 7 more classes.")
