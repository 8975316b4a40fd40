"""Are requirements read right, refused before a training, and held against the real numbers?"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from dltrain.errors import RequirementError, UsageError
from dltrain.evaluation.classification import score_classification
from dltrain.evaluation.regression import score_regression
from dltrain.evaluation.requirements import (
    Requirement,
    check_requirement_names,
    check_requirements,
    describe_results,
    find_number,
    list_metrics,
    needed_splits,
    parse_requirement,
    raise_if_unmet,
)
from dltrain.evaluation.table import make_requirements_table

ANIMALS = ("cat", "dog", "guinea pig <3")
TWO = ("negative", "positive")


def score(class_names: tuple[str, ...]) -> dict[str, Any]:
    """Return the real scores of a classifier that is mostly right, or of a regression."""
    generator = np.random.default_rng(0)
    if not class_names:
        targets = generator.normal(size=200)
        return score_regression(targets, targets + generator.normal(scale=0.1, size=200))
    labels = generator.integers(0, len(class_names), 200)
    scores = generator.random((200, len(class_names)))
    scores[np.arange(200), labels] += 0.5
    return score_classification(
        labels, scores / scores.sum(axis=1, keepdims=True), class_names=class_names
    )


def task_of(class_names: tuple[str, ...]) -> Any:
    return "classification" if class_names else "regression"


def find_leaves(scores: Any, path: str = "") -> dict[str, float]:
    """Return every number below `scores` by its path, found without the code under test."""
    leaves: dict[str, float] = {}
    for key, value in scores.items():
        below = f"{path}.{key}" if path else key
        if key == "per_class":
            for row in value:
                numbers = {name: number for name, number in row.items() if name != "class"}
                leaves |= {f"{name}[{row['class']}]": n for name, n in numbers.items()}
        elif isinstance(value, dict):
            leaves |= find_leaves(value, below)
        elif isinstance(value, int | float):
            leaves[below.removesuffix(".value")] = value
    return leaves


def refuse(text: str, class_names: tuple[str, ...] = ANIMALS, **options: Any) -> UsageError:
    """Return the error that checking the name of `text` raises."""
    known = {"splits": ("train", "validation", "test"), **options}
    with pytest.raises(UsageError) as caught:
        check_requirement_names(
            [parse_requirement(text)],
            task=task_of(class_names),
            class_names=class_names,
            **known,
        )
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith(f"--require '{text}': ")
    return caught.value


@pytest.mark.parametrize(
    ("text", "name", "comparison", "wanted"),
    [
        ("test.accuracy>=0.98", "test.accuracy", ">=", 0.98),
        ("  test.accuracy  >=  .98 ", "test.accuracy", ">=", 0.98),
        ("train.seconds<=120", "train.seconds", "<=", 120),
        ("epochs == 5", "epochs", "==", 5),
        ("test.log_loss<1e-1", "test.log_loss", "<", 0.1),
        ("validation.r2>-1", "validation.r2", ">", -1),
        ("test.recall[guinea pig <3]>=0.5", "test.recall[guinea pig <3]", ">=", 0.5),
        ("test.recall[a]b]>=0.5", "test.recall[a]b]", ">=", 0.5),
    ],
)
def test_a_requirement_is_read(text: str, name: str, comparison: str, wanted: float) -> None:
    assert parse_requirement(text) == Requirement(text, name, comparison, wanted)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        # What is left of an unquoted `test.accuracy>=0.98` in a shell.
        ("test.accuracy", "expected a name, a comparison and a number.", "in quotes"),
        ("", "expected a name, a comparison and a number.", "in quotes"),
        (">=0.98", "expected a name, a comparison and a number.", "in quotes"),
        ("test.accuracy>=", "expected a name, a comparison and a number.", "in quotes"),
        ("test.accuracy=0.9", "one of >=, <=, ==, >, <, received '='.", "Did you mean '=='?"),
        ("test.accuracy=>0.9", "received '=>'.", "Did you mean '>='?"),
        ("test.accuracy<>0.9", "received '<>'.", ""),
        ("test.accuracy>=98%", "expected a number, received '98%'.", "Write 0.98 for 98%."),
        ("test.accuracy>=high", "expected a number, received 'high'.", ""),
        ("test.accuracy>=%", "expected a number, received '%'.", ""),
        ("test.accuracy>=.nan", "expected a number, received '.nan'.", ""),
        ("test.mse<.inf", "expected a number, received '.inf'.", ""),
        ("test.accuracy>=true", "expected a number, received 'true'.", ""),
        ("test.accuracy>=0.9,epochs<3", "received '0.9,epochs<3'.", ""),
        ("epochs<9999999999999999999", "9999999999999999999 is larger than", ""),
    ],
)
def test_what_is_no_requirement_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement(text)
    assert caught.value.message.startswith(f"--require '{text}': ")
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert bool(hint) == bool(caught.value.hint)


@pytest.mark.parametrize("class_names", [ANIMALS, TWO, ()])
def test_the_names_are_exactly_the_numbers_of_metrics_json(class_names: tuple[str, ...]) -> None:
    scores = score(class_names)
    leaves = find_leaves(scores)
    names = list_metrics(task_of(class_names), class_names)
    assert sorted(names) == sorted(leaves)
    assert {name: find_number(scores, name) for name in names} == leaves


def test_a_short_name_is_the_macro_average() -> None:
    scores = score(ANIMALS)
    for name in ("precision", "recall", "f1", "auc_roc"):
        assert find_number(scores, name) == scores[name]["macro"]["value"]
        assert find_number(scores, f"{name}.low") == scores[name]["macro"]["low"]


@pytest.mark.parametrize("class_names", [ANIMALS, TWO, ()])
def test_every_name_passes_the_check(class_names: tuple[str, ...]) -> None:
    task = task_of(class_names)
    metrics = [*list_metrics(task, class_names), *(["f1", "auc_roc.high"] if class_names else [])]
    names = [f"{split}.{metric}" for split in ("train", "test") for metric in metrics]
    names += ["train.seconds", "seconds", "epochs", "best_epoch"]
    check_requirement_names(
        [parse_requirement(f"{name}>=0") for name in names],
        task=task,
        class_names=class_names,
        splits=("train", "test"),
    )


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("test.acuracy>=0.9", "test.accuracy"),
        ("tset.accuracy>=0.9", "test.accuracy"),
        ("accuracy>=0.9", "test.accuracy"),
        ("acuracy>=0.9", "test.accuracy"),
        ("f1>=0.9", "test.f1"),
        ("val_accuracy>=0.9", "validation.accuracy"),
        ("val.accuracy>=0.9", "validation.accuracy"),
        ("test_log_loss<=1", "test.log_loss"),
        ("training.f1.macro>=0.9", "train.f1.macro"),
        ("test.recall[cta]>=0.9", "test.recall[cat]"),
        ("test.recal[dog]>=0.9", "test.recall[dog]"),
        ("train.second<=9", "train.seconds"),
        ("epoch<=9", "epochs"),
        ("best-epoch<=9", "best_epoch"),
    ],
)
def test_a_misspelt_name_suggests_the_nearest(text: str, near: str) -> None:
    error = refuse(text)
    assert "there is no number '" in error.message
    assert error.hint == f"Did you mean '{near}'?"


def test_a_name_like_none_lists_those_there_are() -> None:
    error = refuse("zzz>=1", ())
    assert error.hint == (
        "There are train.seconds, seconds, epochs, best_epoch, and of train, validation, test: "
        "mse, mae, rmse, r2, rows."
    )


def test_a_metric_of_another_task_or_of_two_classes_only_is_refused() -> None:
    assert "there is no number 'test.accuracy'" in refuse("test.accuracy>=0.9", ()).message
    assert "there is no number 'test.r2'" in refuse("test.r2>=0.9").message
    assert "there is no number 'test.binary.f1'" in refuse("test.binary.f1>=0.9").message


def test_a_split_without_rows_is_refused() -> None:
    error = refuse("validation.accuracy>=0.9", splits=("test", "train"))
    assert error.message.endswith("there are no validation rows.")
    assert error.hint == "There are numbers of train and test."


def test_a_fact_that_the_command_doesn_t_know_is_refused() -> None:
    error = refuse("train.seconds<=9", splits=("train",), facts=("seconds",))
    assert error.message.endswith(
        "'train.seconds' is known where a model is trained, by dltrain fit."
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("test.accuracy>=98", "Did you mean 0.98?"),
        ("test.accuracy==100", "Did you mean 1?"),
        ("test.accuracy>1", ""),
        ("test.f1.weighted.low>1.5", "Did you mean 0.015?"),
        ("test.recall[cat]>=90", "Did you mean 0.9?"),
        ("test.auc_roc>=9000", ""),
    ],
)
def test_what_no_run_can_reach_is_refused(text: str, hint: str) -> None:
    error = refuse(text)
    assert "is at most 1, so this can't be met." in error.message
    assert error.hint == hint


def test_the_ends_of_a_range_can_be_required() -> None:
    possible = ("test.accuracy>=1", "test.accuracy<=98", "test.accuracy<1", "test.log_loss>=2")
    check_requirement_names(
        [parse_requirement(text) for text in possible],
        task="classification",
        class_names=ANIMALS,
        splits=("test",),
    )


def test_only_the_splits_that_are_spoken_of_are_needed() -> None:
    texts = ("train.seconds<=9", "seconds<=9", "epochs<=9", "train.f1>=0.1", "test.recall[a.b]>=0")
    requirements = [parse_requirement(text) for text in texts]
    assert needed_splits(requirements) == {"train", "test"}
    assert needed_splits(requirements[:3]) == frozenset()


@pytest.mark.parametrize(
    ("comparison", "met"),
    [
        (">=", (True, True, False)),
        ("<=", (False, True, True)),
        ("==", (False, True, False)),
        (">", (True, False, False)),
        ("<", (False, False, True)),
    ],
)
def test_comparisons_mean_what_they_say(comparison: str, met: tuple[bool, ...]) -> None:
    requirement = parse_requirement(f"epochs{comparison}5")
    results = [
        check_requirements([requirement], scores={}, facts={"epochs": epochs})[0]
        for epochs in (6, 5, 4)
    ]
    assert tuple(result.met for result in results) == met


@pytest.mark.parametrize("comparison", [">=", "<=", "==", ">", "<"])
@pytest.mark.parametrize("value", [math.nan, None])
def test_a_missing_or_undefined_number_is_never_met(comparison: str, value: float | None) -> None:
    scores = {"test": {"auc_roc": {"macro": {"value": value}}, "per_class": []}}
    texts = [f"{name}{comparison}1" for name in ("test.auc_roc", "test.f1[cat]", "train.f1")]
    texts += [f"seconds{comparison}1", f"epochs{comparison}1"]
    results = check_requirements(
        [parse_requirement(text) for text in texts], scores=scores, facts={"seconds": value}
    )
    assert [(result.got, result.met) for result in results] == [(None, False)] * 5


def test_results_say_what_was_wanted_and_got() -> None:
    scores = {"test": score(ANIMALS)}
    accuracy = scores["test"]["accuracy"]["value"]
    requirements = [parse_requirement(text) for text in ("test.accuracy > 0.5", "epochs<=3")]
    results = check_requirements(requirements, scores=scores, facts={"epochs": 4})
    assert describe_results(results) == [
        {"name": "test.accuracy", "comparison": ">", "wanted": 0.5, "got": accuracy, "met": True},
        {"name": "epochs", "comparison": "<=", "wanted": 3, "got": 4, "met": False},
    ]


def test_what_is_unmet_is_an_error_of_exit_code_5() -> None:
    from pathlib import Path

    requirements = [parse_requirement(text) for text in ("epochs<=3", "seconds<9", "best_epoch>9")]
    facts = {"epochs": 3, "seconds": 9.0}
    results = check_requirements(requirements, scores={}, facts=facts)
    raise_if_unmet(results[:1], run=Path("runs/a/0001"))
    with pytest.raises(RequirementError) as caught:
        raise_if_unmet(results, run=Path("runs/a/0001"))
    assert caught.value.exit_code == 5
    assert caught.value.message == (
        "2 of 3 requirements not met: seconds<9 (got 9), best_epoch>9 (got nothing)."
    )
    assert caught.value.hint == "The run itself is whole: runs/a/0001"


def test_the_table_shows_why_a_close_number_is_not_met() -> None:
    texts = ("test.accuracy>=0.98", "seconds<=60", "test.recall[guinea pig <3]>=0.5")
    results = check_requirements(
        [parse_requirement(text) for text in texts],
        scores={"test": {"accuracy": {"value": 0.97999999}, "per_class": []}},
        facts={"seconds": 59.123456789},
    )
    file = io.StringIO()
    Console(file=file, width=80).print(make_requirements_table(results))
    lines = [line.split() for line in file.getvalue().splitlines()]
    assert ["test.accuracy", ">=", "0.98", "0.97999999", "no"] in lines
    assert ["seconds", "<=", "60", "59.1235", "yes"] in lines
    assert ["test.recall[guinea", "pig", "<3]", ">=", "0.5", "nothing", "no"] in lines
