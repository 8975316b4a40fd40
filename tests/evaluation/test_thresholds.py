"""Is the threshold that is chosen the one that scikit-learn's curves say is best?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_curve,
)

from dltrain.errors import DataError, UsageError
from dltrain.evaluation.thresholds import (
    apply_threshold,
    choose_threshold,
    parse_threshold,
    score_threshold,
)


def make_rows(seed: int, *, rows: int = 300, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores that go together somewhat; rounded, so that there are ties."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < 0.3).astype(np.int64)
    scores = np.clip(generator.normal(0.35 + 0.25 * labels, 0.2), 0, 1)
    return labels, np.round(scores, digits)


@pytest.mark.parametrize("seed", range(5))
def test_best_f1_is_the_best_of_scikit_learns_curve(seed: int) -> None:
    labels, scores = make_rows(seed)
    chosen = choose_threshold(parse_threshold("best-f1"), labels, scores)
    _, _, thresholds = precision_recall_curve(labels, scores)
    best = max(f1_score(labels, scores >= threshold) for threshold in thresholds)
    assert chosen in thresholds
    assert f1_score(labels, apply_threshold(scores, chosen)) == pytest.approx(best, abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_a_floor_of_recall_gives_the_best_precision_that_keeps_it(seed: int) -> None:
    labels, scores = make_rows(seed)
    chosen = choose_threshold(parse_threshold("recall>=0.9"), labels, scores)
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    allowed = recall[:-1] >= 0.9
    predicted = apply_threshold(scores, chosen)
    assert recall_score(labels, predicted) >= 0.9
    assert precision_score(labels, predicted) == pytest.approx(precision[:-1][allowed].max())
    assert chosen in thresholds[allowed]


@pytest.mark.parametrize("seed", range(5))
def test_a_floor_of_precision_gives_the_best_recall_that_keeps_it(seed: int) -> None:
    labels, scores = make_rows(seed)
    chosen = choose_threshold(parse_threshold(" precision >= 0.6 "), labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    predicted = apply_threshold(scores, chosen)
    assert precision_score(labels, predicted) >= 0.6
    best = recall[:-1][precision[:-1] >= 0.6].max()
    assert recall_score(labels, predicted) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(5))
def test_a_floor_of_specificity_gives_the_best_recall_that_keeps_it(seed: int) -> None:
    labels, scores = make_rows(seed)
    chosen = choose_threshold(parse_threshold("specificity>=0.8"), labels, scores)
    alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    predicted = apply_threshold(scores, chosen)
    assert recall_score(1 - labels, 1 - predicted) >= 0.8
    assert recall_score(labels, predicted) == pytest.approx(hits[1 - alarms >= 0.8].max())


def test_a_recall_that_is_just_reached_counts_as_reached() -> None:
    labels = np.array([1] * 10 + [0] * 10)
    scores = np.concatenate([np.linspace(0.95, 0.5, 10), np.full(10, 0.52)])
    chosen = choose_threshold(parse_threshold("recall>=0.9"), labels, scores)
    assert chosen == pytest.approx(0.55)  # nine of ten, and none of the others


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    labels, scores = np.array([0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.7, 0.9])
    # F1 at 0.4: 3 hits, 1 alarm: 6/7; nothing else is as good. Recall 1/3 with precision 1: 0.9.
    assert choose_threshold(parse_threshold("best-f1"), labels, scores) == 0.4
    assert choose_threshold(parse_threshold("recall>=0.3"), labels, scores) == 0.9
    # F1 is a half at 0.9 (one hit of three) and at 0.7 (three hits and six alarms).
    labels = np.array([1] + [0] * 6 + [1] * 2)
    scores = np.array([0.9] + [0.8] * 6 + [0.7] * 2)
    assert choose_threshold(parse_threshold("best-f1"), labels, scores) == 0.9


def test_rows_of_one_class_say_nothing_of_a_threshold() -> None:
    with pytest.raises(DataError) as caught:
        choose_threshold(parse_threshold("best-f1"), np.zeros(3, dtype=np.int64), np.ones(3))
    assert caught.value.message == (
        "--threshold 'best-f1': the validation rows are all of one class: no threshold can be "
        "chosen on them."
    )


def test_what_no_threshold_reaches_is_refused_with_what_one_would() -> None:
    labels, scores = np.array([0, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6])
    with pytest.raises(UsageError) as caught:
        choose_threshold(parse_threshold("precision>=0.75"), labels, scores)
    assert caught.value.message == (
        "--threshold 'precision>=0.75': no threshold reaches it on the validation rows. The "
        "highest precision there is 0.5, at the threshold 0.6."
    )
    assert caught.value.hint == "Ask for less, or train a better model."


def test_the_numbers_at_a_threshold_agree_with_scikit_learn() -> None:
    labels, scores = make_rows(1, rows=500)
    rule = parse_threshold("0.37")
    result = score_threshold(
        rule,
        0.37,
        labels=labels,
        scores=scores,
        predicted=(scores > 0.5).astype(np.int64),
        class_names=("no", "yes"),
        validation=None,
    )
    assert (result["value"], result["positive_class"]) == (0.37, "yes")
    assert result["chosen_on"] is None
    for side, predicted in (("at_threshold", scores >= 0.37), ("at_half", scores > 0.5)):
        found = result[side]
        assert found["confusion_matrix"] == confusion_matrix(labels, predicted).tolist()
        expected = {
            "accuracy": accuracy_score(labels, predicted),
            "precision": precision_score(labels, predicted),
            "recall": recall_score(labels, predicted),
            "f1": f1_score(labels, predicted),
            "specificity": recall_score(1 - labels, ~predicted),
        }
        for name, value in expected.items():
            assert found[name]["value"] == pytest.approx(value, abs=1e-12), name
            assert found[name]["low"] < value < found[name]["high"], name


def test_what_a_rule_was_chosen_on_stands_beside_it_without_an_interval() -> None:
    labels, scores = make_rows(2)
    others, other_scores = make_rows(3)
    rule = parse_threshold("recall>=0.9")
    value = choose_threshold(rule, others, other_scores)
    result = score_threshold(
        rule,
        value,
        labels=labels,
        scores=scores,
        predicted=(scores > 0.5).astype(np.int64),
        class_names=("no", "yes"),
        validation=(others, other_scores),
    )
    chosen = result["chosen_on"]
    assert (chosen["split"], chosen["rows"]) == ("validation", 300)
    assert chosen["recall"] == pytest.approx(recall_score(others, other_scores >= value))
    assert chosen["precision"] == pytest.approx(precision_score(others, other_scores >= value))


def test_a_threshold_that_calls_nothing_positive_has_no_precision() -> None:
    labels, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    result = score_threshold(
        parse_threshold("1"),
        1.0,
        labels=labels,
        scores=scores,
        predicted=np.zeros(4, dtype=np.int64),
        class_names=("no", "yes"),
        validation=None,
    )["at_threshold"]
    assert result["precision"] == {"value": None, "low": None, "high": None}
    assert (result["recall"]["value"], result["f1"]["value"]) == (0.0, 0.0)
    assert result["specificity"]["value"] == 1.0


FORMS = (
    "a number within 0..1, best-f1, or one of recall, precision, specificity with >= and a number"
)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("best_f1", f"expected {FORMS}.", "Did you mean 'best-f1'?"),
        ("recal", f"expected {FORMS}.", 'For example: --threshold "recall>=0.9"'),
        ("", f"expected {FORMS}.", ""),
        ("30", f"expected {FORMS}.", "Did you mean 0.3?"),
        ("30%", f"expected {FORMS}.", "Did you mean 0.3?"),
        ("-0.1", f"expected {FORMS}.", ""),
        ("nan", f"expected {FORMS}.", ""),
        ("true", f"expected {FORMS}.", ""),
        ("recall>0.9", "expected >=, received '>'.", 'Write --threshold "recall>=0.9".'),
        ("recall=0.9", "expected >=, received '='.", 'Write --threshold "recall>=0.9".'),
        ("recall>=90%", "expected a number within 0..1 after >=, received '90%'.", None),
        ("recall>=", "expected a number within 0..1 after >=, received ''.", ""),
        (
            "f1>=0.8",
            "expected one of recall, precision, specificity before '>=', received 'f1'.",
            "The threshold of the best F1 is --threshold best-f1.",
        ),
        (
            "Recal>=0.8",
            "expected one of recall, precision, specificity before '>=', received 'Recal'.",
            "Did you mean 'recall'?",
        ),
    ],
)
def test_what_is_no_threshold_is_refused(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse_threshold(text)
    assert caught.value.message == f"--threshold '{text}': {message}"
    assert caught.value.hint == ("Did you mean 0.9?" if hint is None else hint)
