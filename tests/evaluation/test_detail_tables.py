"""Can a person read thresholds, slices and fairness in 80 columns?"""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console
from rich.table import Table

from dltrain.evaluation.detail_tables import (
    describe_fairness,
    make_fairness_table,
    make_gap_table,
    make_slice_table,
    make_threshold_table,
)
from dltrain.evaluation.fairness import score_fairness
from dltrain.evaluation.slice_columns import Grouping
from dltrain.evaluation.slices import score_slice
from dltrain.evaluation.thresholds import parse_threshold, score_threshold
from dltrain.runs.predictions import Predictions

NAMES = ("no", "[red]yes")


def draw(table: Table) -> list[str]:
    """Return what is printed on a terminal of 80 columns, without trailing blanks."""
    file = io.StringIO()
    Console(width=80, file=file).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def classify(rows: int = 1_000) -> Predictions:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, rows)
    scores = np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    probabilities = np.stack([1 - scores, scores], axis=1)
    ids = [f"test/{row}" for row in range(rows)]
    predicted = probabilities.argmax(axis=1)
    return Predictions("classification", NAMES, ids, labels, predicted, probabilities)


def test_a_threshold_stands_beside_a_half_with_how_it_was_chosen() -> None:
    predictions = classify()
    assert predictions.probabilities is not None
    scores = predictions.probabilities[:, 1]
    result = score_threshold(
        parse_threshold("recall>=0.9"),
        0.3217654321,
        labels=predictions.true,
        scores=scores,
        predicted=predictions.predicted,
        class_names=NAMES,
        validation=(predictions.true, scores),
    )
    lines = draw(make_threshold_table(result))
    assert lines[0] == "threshold: 0.321765, by recall>=0.9 on the 1,000 rows of validation"
    heading = next(line for line in lines if "metric" in line)
    assert heading.split("  ")[-1].strip() == "95% interval"
    assert "at 0.321765" in heading
    assert "at 0.5" in heading
    for name in ("accuracy", "precision", "recall", "F1", "specificity", "true positives"):
        assert any(line.strip().startswith(name) for line in lines)
    text = " ".join(line.strip() for line in lines)
    assert "A row is called '[red]yes' if that has at least this probability." in text
    assert "On validation, where it was chosen: precision" in text
    assert max(map(len, lines)) <= 80


def test_a_slice_has_a_row_a_group_and_says_what_is_small_and_undefined() -> None:
    members = np.array([0] * 500 + [1] * 480 + [2] * 20)
    predictions = classify()
    true = np.where(members == 2, 0, predictions.true)
    changed = Predictions("classification", NAMES, predictions.ids, true, predictions.predicted)
    labels = ("a group of a rather long name indeed", "[bold]b", "c")
    result = score_slice(Grouping("[i]town", "categories", labels, members), changed)
    lines = draw(make_slice_table(result))
    assert lines[0] == "slice: [i]town"
    assert max(map(len, lines)) <= 80
    (small,) = (line for line in lines if line.strip().startswith("c "))
    assert "20*" in small
    assert "undef." in small
    assert any(line.strip().startswith("[bold]b") for line in lines)
    notes = " ".join(line.strip() for line in lines[-3:])
    assert "*: fewer than 30 rows, which say little" in notes
    assert "undef.: no such number, since the group has no rows to compute it from" in notes
    gaps = make_gap_table(result)
    assert gaps is not None
    lines = draw(gaps)
    assert max(map(len, lines)) <= 80
    assert "p: how often groups of the same sizes, drawn at random" in " ".join(lines)
    assert any("chance: " in line for line in lines)


def test_of_many_groups_the_worst_are_shown_and_the_others_counted() -> None:
    classes = 60
    true = np.repeat(np.arange(classes), 50)
    wrong = np.arange(50 * classes) % 50 < true % 50
    predicted = np.where(wrong, (true + 1) % classes, true)
    names = tuple(f"class {index}" for index in range(classes))
    predictions = Predictions("classification", names, [""] * len(true), true, predicted)
    result = score_slice(Grouping("class", "classes", names, true), predictions)
    lines = draw(make_slice_table(result))
    shown = [line for line in lines if line.strip().startswith("class ")]
    assert [line.split()[1] for line in shown] == [str(index) for index in range(30, 50)]
    assert "the worst 20 groups; --json has 40 more" in lines[-1]


def test_one_group_is_compared_with_none() -> None:
    grouping = Grouping("town", "categories", ("a",), np.zeros(1_000, dtype=np.int64))
    assert make_gap_table(score_slice(grouping, classify())) is None


def test_fairness_names_the_rates_and_the_differences() -> None:
    predictions = classify()
    members = np.arange(1_000) % 2
    grouping = Grouping("sex", "categories", ("f", "m"), members)
    result = score_fairness(
        grouping, predictions.true, predictions.predicted, class_names=NAMES, threshold=0.25
    )
    lines = draw(make_fairness_table(result))
    assert lines[0] == "sensitive: sex, at the threshold 0.25"
    assert max(map(len, lines)) <= 80
    parity, odds = describe_fairness(result)
    value = result["demographic_parity_difference"]["value"]
    assert parity.startswith(f"demographic parity difference: {value:.4f} (may be chance: p 0.")
    assert odds.startswith("equalised odds difference: ")
    true = np.where(members == 1, 0, predictions.true)
    result = score_fairness(grouping, true, predictions.predicted, class_names=NAMES)
    assert describe_fairness(result)[1] == (
        "equalised odds difference: undefined, the group m has no rows of the class '[red]yes'"
    )
