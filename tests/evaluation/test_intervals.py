"""Do the fast forms of the bootstrap equal plain scikit-learn on the same resamples?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from dltrain.evaluation.intervals import (
    Floats,
    Integers,
    draw_row_counts,
    make_auc,
    make_number,
    resample,
    resample_cells,
    score_cells,
    wilson_interval,
)


def draw_rows(counts: Integers) -> Integers:
    """Return the row numbers that a resample took."""
    return np.repeat(np.arange(len(counts)), counts)


def make_scores(rows: int, classes: int, *, seed: int, decimals: int) -> tuple[Integers, Floats]:
    """Make labels and scores, with ties when `decimals` is small."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    scores = generator.random((rows, classes))
    scores[np.arange(rows), labels] += 0.3
    return labels, np.round(scores / scores.sum(axis=1, keepdims=True), decimals)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
    # Medicine 17 (1998), table I: 81 of 263 and 0 of 20, by the score method.
    low, high = wilson_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson_interval(0, 20)
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)


def test_resamples_take_as_many_rows_as_there_are_and_repeat_with_the_seed() -> None:
    (counts,) = draw_row_counts(50, seed=3, resamples=1000)
    assert counts.shape == (1000, 50)
    assert (counts.sum(axis=1) == 50).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.15)
    (again,) = draw_row_counts(50, seed=3, resamples=1000)
    assert (counts == again).all()
    (other,) = draw_row_counts(50, seed=4, resamples=1000)
    assert (counts != other).any()


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = draw_row_counts(7, seed=0, resamples=100)
    monkeypatch.setattr("dltrain.evaluation.intervals._CHUNK_CELLS", 7 * 33)
    parts = list(draw_row_counts(7, seed=0, resamples=100))
    assert [len(part) for part in parts] == [33, 33, 33, 1]
    assert (np.concatenate(parts) == whole).all()


@pytest.mark.parametrize("decimals", [16, 1], ids=["no ties", "many ties"])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_weighted_auc_is_scikit_learns_on_the_drawn_rows(classes: int, decimals: int) -> None:
    labels, scores = make_scores(60, classes, seed=1, decimals=decimals)
    ranked = [1] if classes == 2 else list(range(classes))
    (counts,) = draw_row_counts(60, seed=0, resamples=40)
    fast = make_auc(labels, scores, classes=ranked)(counts.astype(float))
    for value, row_counts in zip(fast, counts, strict=True):
        rows = draw_rows(row_counts)
        plain = [roc_auc_score(labels[rows] == index, scores[rows, index]) for index in ranked]
        assert value == pytest.approx(np.mean(plain), abs=1e-9)


def test_a_resample_without_a_class_averages_the_auc_over_the_others() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    scores = np.array(
        [[0.6, 0.2, 0.2], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.4, 0.3, 0.3], [0, 0, 1]]
    )
    compute = make_auc(labels, scores, classes=[0, 1, 2])
    without_two, only_zero = compute(np.array([[1.0, 1, 2, 1, 0], [3, 2, 0, 0, 0]]))
    rows = [0, 1, 2, 2, 3]
    plain = [roc_auc_score(labels[rows] == index, scores[rows, index]) for index in (0, 1)]
    assert without_two == pytest.approx(np.mean(plain), abs=1e-9)
    assert np.isnan(only_zero)


@pytest.mark.parametrize("classes", [2, 5])
def test_scores_of_many_matrices_are_scikit_learns_on_each(classes: int) -> None:
    generator = np.random.default_rng(0)
    pairs = [generator.integers(0, classes, (2, 12)) for _ in range(40)]
    matrices = [confusion_matrix(*pair, labels=range(classes)) for pair in pairs]
    fast = score_cells(np.array(matrices, dtype=float))
    for position, (true, predicted) in enumerate(pairs):
        # Averages are over the classes that have rows.
        present = np.unique(true)
        for average in ("macro", "weighted"):
            plain = precision_recall_fscore_support(
                true, predicted, labels=present, average=average, zero_division=0
            )
            for name, value in zip(("precision", "recall", "f1"), plain, strict=False):
                assert fast[f"{name}_{average}"][position] == pytest.approx(value, abs=1e-9)
        if classes == 2 and 1 in present:
            plain = precision_recall_fscore_support(
                true, predicted, average="binary", zero_division=0
            )
            for name, value in zip(("precision", "recall", "f1"), plain, strict=False):
                assert fast[f"{name}_binary"][position] == pytest.approx(value, abs=1e-9)


def test_drawing_cells_spreads_as_drawing_rows() -> None:
    labels, scores = make_scores(400, 3, seed=2, decimals=16)
    predicted = scores.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted).astype(np.int64)
    by_cells = resample_cells(confusion, score_cells, seed=0, resamples=4000)["f1_macro"]
    counts = np.concatenate(list(draw_row_counts(400, seed=0, resamples=4000)))
    cells = np.stack([counts[:, labels * 3 + predicted == cell].sum(axis=1) for cell in range(9)])
    by_rows = score_cells(cells.T.reshape(-1, 3, 3).astype(float))["f1_macro"]
    assert by_cells.std() == pytest.approx(by_rows.std(), rel=0.05)
    assert by_cells.mean() == pytest.approx(by_rows.mean(), abs=0.002)


def test_resampled_means_come_out_in_order_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(10.0)
    metrics = {"mean": lambda weights: weights @ values / 10}
    whole = resample(10, metrics, seed=5)["mean"]
    monkeypatch.setattr("dltrain.evaluation.intervals._CHUNK_CELLS", 370)
    assert resample(10, metrics, seed=5)["mean"] == pytest.approx(whole, abs=1e-12)


def test_an_interval_spans_the_middle_95_percent_of_the_known_samples() -> None:
    samples = np.append(np.arange(1001.0), np.nan)
    expected = {"value": 500.0, "low": 25.0, "high": 975.0}
    assert make_number(500.0, samples) == pytest.approx(expected)
    nothing = {"value": 1.0, "low": None, "high": None}
    assert make_number(1.0, np.array([np.nan])) == make_number(1.0) == nothing
    assert make_number(None, samples) == {"value": None, "low": None, "high": None}
