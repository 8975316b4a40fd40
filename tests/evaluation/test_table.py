"""Can a person read a split's numbers in 80 columns?"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dltrain.evaluation.baseline import score_baseline
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.regression import score_regression
from dltrain.evaluation.table import make_class_table, make_confusion_table, make_results_table


def draw(table: Table, *, encoding: str = "utf-8") -> list[str]:
    """Return what is printed on a terminal of 80 columns, without trailing blanks."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    Console(width=80, file=file).print(table)
    file.flush()
    return [line.rstrip() for line in raw.getvalue().decode(encoding).splitlines()]


def make_scores(classes: int) -> dict[str, Any]:
    rows = 600
    labels = np.arange(rows) % classes
    probabilities = np.full((rows, classes), 0.1 / classes)
    right = (labels + (np.arange(rows) % 5 == 0)) % classes
    probabilities[np.arange(rows), right] += 0.9
    names = [f"a class named {index}" for index in range(classes)]
    return score_classification(labels, probabilities, class_names=names)


def test_results_stand_beside_the_baseline() -> None:
    scores = make_scores(10)
    scores["baseline"] = score_baseline(
        "classification", np.arange(10), np.arange(10), scores["classes"]
    )
    lines = draw(make_results_table(scores, split="test"))
    assert lines[0] == "test: 600 rows"
    accuracy = next(line for line in lines if "accuracy" in line).split()
    assert accuracy == ["accuracy", "0.8000", "0.7661", "to", "0.8301", "0.1000"]
    assert any("(majority)" in line for line in lines)
    assert not any("binary" in line for line in lines)


def test_two_classes_name_the_positive_one() -> None:
    lines = draw(make_results_table(make_scores(2), split="test"))
    assert any(line.strip().startswith("F1 (binary)") for line in lines)
    assert "binary: of the class 'a class named 1'" in lines
    assert not any("baseline" in line for line in lines)


def test_what_is_undefined_says_so() -> None:
    scores = score_classification(
        np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), class_names=["[red]", "dog"]
    )
    lines = draw(make_results_table(scores, split="validation"))
    assert next(line for line in lines if "AUC" in line).split() == ["AUC-ROC", "undefined", "-"]
    lines = draw(make_class_table(scores))
    assert next(line for line in lines if "dog" in line).split()[1:] == ["undefined"] * 4 + ["0"]
    # A class name is text, not markup.
    assert any("[red]" in line for line in lines)


def test_a_regression_shows_its_numbers_in_the_targets_unit() -> None:
    targets = np.array([100.0, 200.0, 300.0, 9000.0])
    baseline = score_baseline("regression", targets, targets)
    lines = draw(
        make_results_table(score_regression(targets, targets + 50), split="test", baseline=baseline)
    )
    assert (
        next(line for line in lines if "MSE" in line and "RMSE" not in line).split()[1] == "2,500.0"
    )
    assert next(line for line in lines if "R²" in line).split()[-1] == "0.0000"


def test_a_confusion_matrix_of_ten_classes_fits_80_columns() -> None:
    scores = make_scores(10)
    scores["confusion_matrix"][3][3] = 6000
    lines = draw(make_confusion_table(scores))
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.strip().startswith("3 "))
    assert row.split() == ["3", "a", "class", "named~", *"...", "6000", *"......"]


def test_confusions_stand_off_the_diagonal() -> None:
    lines = draw(make_confusion_table(make_scores(3)))
    assert lines[-4].split() == ["0", "a", "class", "named~", "160", "40", "."]


def test_many_classes_list_the_most_frequent_confusions() -> None:
    lines = draw(make_confusion_table(make_scores(30)))
    assert lines[0] == "most frequent confusions"
    expected = ["a", "class", "named", "0", "a", "class", "named", "1", "20"]
    assert any(line.split() == expected for line in lines)
    assert max(map(len, lines)) <= 80


def test_tables_need_no_unicode() -> None:
    scores = make_scores(10)
    for table in (make_class_table(scores), make_confusion_table(scores)):
        assert draw(table, encoding="ascii")
