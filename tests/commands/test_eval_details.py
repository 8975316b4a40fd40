"""Does `dltrain eval` choose thresholds, part rows into groups, and refuse what it can't answer?"""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from own_files import write_houses, write_lines
from processes import run_dltrain
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from tiny_runs import REGRESSION, Result

from dltrain.runs.layout import RunPaths
from dltrain.runs.predictions import read_predictions, write_predictions

Eval = Callable[..., Result]
WriteConfig = Callable[..., Path]

CONFIG: dict[str, Any] = {
    "name": "loans",
    "seed": 3,
    "dataset": {
        "type": "csv",
        "target": "paid",
        "ignore": ["name", "sex", "town"],
        "validation_split": 0.25,
        "test_split": 0.3,
    },
    "model": {"layers": [{"type": "dense", "units": 1}]},
    "optimizer": {"type": "adam", "learning_rate": 0.1},
    "training": {"batch_size": 64, "epochs": 4},
}

# Runs a command line, and says on stderr's last line what of it was imported.
WATCHED = """
import sys
from dltrain.cli import run
code = run(sys.argv[1:])
print([name for name in ("tensorflow", "keras") if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


def write_loans(path: Path, *, rows: int = 900) -> Path:
    """Write a CSV of two classes, which income tells apart for one sex better than the other."""
    chance = random.Random(0)
    lines = ["name,income,age,sex,town,paid"]
    for row in range(rows):
        sex = chance.choice("fm")
        income = chance.gauss(3_000, 800)
        noise = chance.gauss(0, 200 if sex == "f" else 4_000)
        town = "" if row % 20 == 0 else chance.choice(["Ulm", '"Graz, Süd"', "Bern"])
        paid = "yes" if income + noise > 3_300 else "no"
        lines.append(f"person {row},{income:.2f},{chance.randint(18, 80)},{sex},{town},{paid}")
    return write_lines(path, *lines)


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train CONFIG once; return the folder that holds loans.csv and runs/."""
    from dltrain.cli import run

    folder = tmp_path_factory.mktemp("loans")
    write_loans(folder / "loans.csv")
    config = {**CONFIG, "dataset": {**CONFIG["dataset"], "path": "loans.csv"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    arguments = ["fit", folder / "config.yaml", "--runs-dir", folder / "runs", "--quiet"]
    assert run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def run_directory(loans: Path, workplace: Path) -> Path:
    """Return a copy of the run at runs/loans/0001 of the workplace; the data is shared."""
    copy = workplace / "runs" / "loans" / "0001"
    shutil.copytree(loans / "runs" / "loans" / "0001", copy)
    return copy


def read_split(run: Path, split: str) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return labels, probabilities of `yes` and CSV row numbers, as any tool reads them."""
    table = pq.read_table(run / "predictions.parquet").to_pylist()
    rows = [row for row in table if row["split"] == split]
    labels = np.array([row["true"] == "yes" for row in rows], dtype=int)
    scores = np.array([row["probabilities"][1] for row in rows])
    return labels, scores, [int(row["id"].removeprefix("train/")) for row in rows]


def read_column(loans: Path, name: str, numbers: list[int]) -> list[str]:
    with (loans / "loans.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [rows[number][name] for number in numbers]


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_threshold_is_chosen_on_validation_and_applied_to_the_split(
    dltrain: Eval, run_directory: Path, split: str
) -> None:
    options = ("--threshold", "recall>=0.8", "--split", split)
    result = dltrain("eval", "loans", *options, "--json")
    assert result.code == 0, result.err
    found = result.json["threshold"]
    labels, scores, _ = read_split(run_directory, "validation")
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    allowed = recall[:-1] >= 0.8
    assert found["value"] in thresholds[allowed]
    chosen = labels, scores >= found["value"]
    assert precision_score(*chosen) == pytest.approx(precision[:-1][allowed].max())
    assert found["rule"] == "recall>=0.8"
    assert found["chosen_on"]["split"] == "validation"
    assert found["chosen_on"]["rows"] == len(labels)
    assert found["chosen_on"]["recall"] == pytest.approx(recall_score(*chosen))
    labels, scores, _ = read_split(run_directory, split)
    for side, limit in (("at_threshold", found["value"]), ("at_half", 0.5)):
        predicted = scores >= limit
        assert found[side]["confusion_matrix"] == confusion_matrix(labels, predicted).tolist()
        for name, function in (
            ("accuracy", accuracy_score),
            ("precision", precision_score),
            ("recall", recall_score),
            ("f1", f1_score),
        ):
            assert found[side][name]["value"] == pytest.approx(function(labels, predicted))
    written = json.loads((run_directory / f"evaluation-{split}.json").read_text())
    assert written["threshold"] == found


def test_best_f1_is_at_least_as_good_on_validation_as_any_other(
    dltrain: Eval, run_directory: Path
) -> None:
    found = dltrain("eval", "loans", "--threshold", "best-f1", "--json").json["threshold"]
    labels, scores, _ = read_split(run_directory, "validation")
    best = max(f1_score(labels, scores >= limit) for limit in np.unique(scores))
    assert found["chosen_on"]["f1"] == pytest.approx(best)


def test_slices_are_of_columns_that_are_features_and_of_those_that_are_not(
    dltrain: Eval, loans: Path, run_directory: Path
) -> None:
    columns = ("sex", "town", "income", "class")
    options = [option for column in columns for option in ("--slice", column)]
    result = dltrain("eval", "loans", *options, "--json")
    assert result.code == 0, result.err
    slices = {part["column"]: part for part in result.json["slices"]}
    assert list(slices) == list(columns)
    labels, scores, numbers = read_split(run_directory, "test")
    predicted = scores > 0.5
    for column in ("sex", "town"):
        values = np.array(read_column(loans, column, numbers))
        groups = {each["group"]: each for each in slices[column]["groups"]}
        expected = {value or "(missing)" for value in values}
        assert set(groups) == expected
        for value in np.unique(values):
            rows, group = values == value, groups[value or "(missing)"]
            assert group["rows"] == rows.sum()
            assert group["small"] == (rows.sum() < 30)
            numbers_ = group["numbers"]
            pair = labels[rows], predicted[rows]
            assert numbers_["accuracy"]["value"] == pytest.approx(accuracy_score(*pair))
            assert numbers_["f1_macro"]["value"] == pytest.approx(f1_score(*pair, average="macro"))
            assert numbers_["recall"]["value"] == pytest.approx(recall_score(*pair))
    income = np.array(read_column(loans, "income", numbers), dtype=float)
    quartiles = [each["rows"] for each in slices["income"]["groups"]]
    assert len(quartiles) == 4
    assert max(quartiles) - min(quartiles) <= 3
    first = slices["income"]["groups"][0]
    edge = float(first["group"].removeprefix("≤ ").replace(",", ""))
    assert first["rows"] == (income <= edge).sum()
    gap = slices["sex"]["gaps"]["accuracy"]
    assert (gap["best"], gap["worst"]) == ("f", "m")
    assert gap["low"] > 0
    assert gap["p_value"] < 0.01
    assert slices["town"]["gaps"]["accuracy"]["p_value"] > 0.05
    written = json.loads((run_directory / "evaluation-test.json").read_text())
    assert written["slices"] == result.json["slices"]


@pytest.mark.parametrize("threshold", [None, "0.3"])
def test_sensitive_columns_have_fairlearns_numbers(
    dltrain: Eval, loans: Path, run_directory: Path, threshold: str | None
) -> None:
    options = ("--threshold", threshold) if threshold else ()
    result = dltrain("eval", "loans", "--sensitive", "sex", *options, "--json")
    assert result.code == 0, result.err
    (found,) = result.json["fairness"]
    labels, scores, numbers = read_split(run_directory, "test")
    predicted = (scores >= float(threshold or 0.5)).astype(int)
    sex = read_column(loans, "sex", numbers)
    assert (found["column"], found["positive_class"]) == ("sex", "yes")
    assert found["threshold"] == (float(threshold) if threshold else None)
    for name, function in (
        ("demographic_parity_difference", demographic_parity_difference),
        ("equalized_odds_difference", equalized_odds_difference),
    ):
        assert found[name]["value"] == function(labels, predicted, sensitive_features=sex)
        assert found[name]["value"] > 0
        assert found[name]["undefined_because"] is None


def test_everything_stands_in_the_terminal_in_80_columns(
    dltrain: Eval, run_directory: Path
) -> None:
    options = ("--threshold", "best-f1", "--slice", "town", "--slice", "age", "--sensitive", "sex")
    result = dltrain("eval", "loans", *options)
    assert result.code == 0, result.err
    for text in (
        "threshold: ",
        "slice: town, at the threshold ",
        "age: from the best to the worst group",
        "sensitive: sex, at the threshold ",
        "demographic parity difference: ",
        "equalised odds difference: ",
    ):
        assert text in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_tensorflow_is_not_needed_for_what_the_run_holds_already(run_directory: Path) -> None:
    folder = run_directory.parent.parent.parent
    options = ("--threshold", "best-f1", "--slice", "town", "--sensitive", "sex")
    result = run_dltrain("eval", "loans", *options, "--json", folder=folder, program=WATCHED)
    assert result.code == 0, result.err
    assert result.err.splitlines()[-1] == "[]"
    assert "Taking what the model predicted from runs/loans/0001/predictions.parquet." in result.err
    metrics = json.loads((run_directory / "metrics.json").read_text())["splits"]["test"]
    assert {key: result.json[key] for key in metrics} == metrics


@pytest.mark.parametrize(
    "why", ["other model", "unknown model", "missing", "damaged", "other rows"]
)
def test_predictions_that_are_not_this_models_are_made_anew(
    dltrain: Eval, run_directory: Path, why: str
) -> None:
    expected = dltrain("eval", "loans", "--slice", "sex", "--json").json["slices"]
    path = RunPaths(run_directory).predictions
    splits = read_predictions(path)
    digest = splits["test"].model
    assert digest.startswith("sha256:")
    true = splits["test"].true
    wrong = replace(splits["test"], predicted=1 - true, probabilities=np.eye(2)[1 - true])
    if why == "other model":
        wrong = replace(wrong, model="sha256:00")
    elif why == "unknown model":
        wrong = replace(wrong, model="")
    elif why == "other rows":
        wrong = replace(wrong, ids=[f"train/{row}" for row in range(len(true))])
    write_predictions(path, {**splits, "test": wrong})
    if why == "missing":
        path.unlink()
    if why == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    result = dltrain("eval", "loans", "--slice", "sex", "--json")
    if why == "damaged":
        assert result.code == 2
        assert "predictions.parquet is damaged" in result.err
        return
    assert result.code == 0, result.err
    assert result.json["slices"] == expected
    assert read_predictions(path)["test"].model == digest
    assert "Taking what" not in result.err
    assert "Taking what" in dltrain("eval", "loans", "--slice", "sex").err


def test_data_that_changed_since_is_refused(
    dltrain: Eval, loans: Path, run_directory: Path
) -> None:
    copy = run_directory.parent.parent.parent / "loans.csv"
    shutil.copy(loans / "loans.csv", copy)
    config = run_directory / "config.yaml"
    config.write_text(config.read_text().replace(str(loans / "loans.csv"), str(copy)))
    assert dltrain("eval", "loans", "--slice", "sex").code == 0
    copy.write_text(copy.read_text().replace(",f,", ",x,", 1))
    result = dltrain("eval", "loans", "--slice", "sex")
    assert (result.code, result.out) == (3, "")
    assert result.err.splitlines()[-2:] == [
        f"error: {copy} is not the data that runs/loans/0001 was trained on: its checksums differ.",
        "Put back what was there, or train again.",
    ]


COLUMNS = "There are name, income, age, sex, town, paid, class."


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            ("--threshold", "best-f1", "--split", "validation"),
            2,
            "--threshold 'best-f1': it is chosen on validation, and its numbers there would be too "
            "good.\nEvaluate another split, or give a number: --threshold 0.3",
        ),
        (
            ("--threshold", "precision>=95"),
            2,
            "--threshold 'precision>=95': expected a number within 0..1 after >=, received '95'.\n"
            "Did you mean 0.95?",
        ),
        (
            ("--slice", "Sexe"),
            2,
            f"--slice 'Sexe': loans.csv has no such column.\nDid you mean 'sex'? {COLUMNS}",
        ),
        (
            ("--slice", "brightness"),
            2,
            f"--slice 'brightness': loans.csv has no such column.\n{COLUMNS}",
        ),
        (
            ("--sensitive", "gender"),
            2,
            f"--sensitive 'gender': loans.csv has no such column.\n{COLUMNS}",
        ),
        (
            ("--slice", "name"),
            3,
            "--slice 'name': each of the 270 rows has a value of its own there (or none): they "
            "make no groups.\nChoose another column.",
        ),
    ],
)
def test_what_can_t_be_answered_is_refused(
    dltrain: Eval, run_directory: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    result = dltrain("eval", "loans", *options)
    assert (result.code, result.out) == (code, "")
    assert result.err.endswith(f"error: {message}\n")


def test_a_precision_that_no_threshold_reaches_says_what_one_does(
    dltrain: Eval, run_directory: Path
) -> None:
    path = RunPaths(run_directory).predictions
    splits = read_predictions(path)
    validation = splits["validation"]
    wrong = np.eye(2)[1 - validation.true]  # as wrong as can be
    write_predictions(path, {**splits, "validation": replace(validation, probabilities=wrong)})
    labels, scores, _ = read_split(run_directory, "validation")
    reached = max(precision_score(labels, scores >= limit) for limit in np.unique(scores))
    assert reached < 0.99
    result = dltrain("eval", "loans", "--threshold", "precision>=0.99")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[1].startswith(
        "error: --threshold 'precision>=0.99': no threshold reaches it on the validation rows. The "
        f"highest precision there is {reached:.4g}, at the threshold "
    )
    assert result.err.endswith("\nAsk for less, or train a better model.\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--threshold", "0.3"),
            "--threshold '0.3': a threshold parts two classes; digits has 10.\n"
            "Leave it out: the predicted class is the most probable one.",
        ),
        (
            ("--sensitive", "class"),
            "--sensitive: fairlearn's differences are those of a decision between two classes; "
            "digits has 10.\nUse --slice, which takes any number of classes, and regressions.",
        ),
        (
            ("--slice", "briteness"),
            "--slice 'briteness': digits has no such column.\n"
            "Did you mean 'brightness'? There are brightness, class.",
        ),
    ],
)
def test_ten_classes_have_no_threshold(
    dltrain: Eval, copied_run: Path, options: tuple[str, ...], message: str
) -> None:
    (copied_run / "model.keras").unlink()  # refused before anything is read
    result = dltrain("eval", "tiny", *options)
    assert (result.code, result.out, result.err) == (2, "", f"error: {message}\n")


def test_images_are_sliced_by_brightness_and_class(dltrain: Eval, copied_run: Path) -> None:
    result = dltrain("eval", "tiny", "--slice", "brightness", "--slice", "class", "--json")
    assert result.code == 0, result.err
    brightness, classes = result.json["slices"]
    assert (brightness["kind"], len(brightness["groups"])) == ("quartiles", 4)
    recalls = {row["class"]: row["recall"] for row in result.json["per_class"]}
    found = {each["group"]: each["numbers"]["accuracy"]["value"] for each in classes["groups"]}
    assert found == pytest.approx(recalls)


def test_a_regression_is_sliced_by_its_errors_and_has_no_threshold(
    dltrain: Eval, write_config: WriteConfig, workplace: Path
) -> None:
    write_houses(workplace / "houses.csv")
    dataset = {"type": "csv", "path": "houses.csv", "target": "price", "validation_split": 0}
    config = write_config(REGRESSION, name="houses", dataset=dataset)
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("eval", "houses", "--slice", "town", "--slice", "area", "--json")
    assert result.code == 0, result.err
    town, area = result.json["slices"]
    assert town["metrics"] == ["mae", "rmse", "r2"]
    rows = pq.read_table("runs/houses/0001/predictions.parquet").to_pylist()
    with Path("houses.csv").open(encoding="utf-8", newline="") as file:
        towns = [row["town"] for row in csv.DictReader(file)]
    for group in town["groups"]:
        own = [row for row in rows if towns[int(row["id"].split("/")[1])] == group["group"]]
        assert group["rows"] == len(own)
        error = mean_absolute_error([r["true"] for r in own], [r["predicted"] for r in own])
        assert group["numbers"]["mae"]["value"] == pytest.approx(error)
    assert all(each["small"] for each in area["groups"])
    refused = dltrain("eval", "houses", "--threshold", "best-f1")
    assert refused.err == (
        "error: --threshold 'best-f1': a threshold parts two classes; houses.csv has none, but a "
        "number.\nLeave it out, or train on classes: dataset.task: classification.\n"
    )


def test_without_validation_rows_only_a_number_is_a_threshold(
    dltrain: Eval, loans: Path, write_config: WriteConfig
) -> None:
    config = write_config(
        CONFIG, dataset__path=str(loans / "loans.csv"), dataset__validation_split=0
    )
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("eval", "loans", "--threshold", "best-f1")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: --threshold 'best-f1': it is chosen on validation, and there are no such rows: "
        "dataset.validation_split is 0.\nGive a number: --threshold 0.3\n"
    )
    given = dltrain("eval", "loans", "--threshold", "0.3", "--json")
    assert given.code == 0, given.err
    assert given.json["threshold"]["chosen_on"] is None


def test_texts_are_sliced_by_their_length(
    dltrain: Eval, write_config: WriteConfig, workplace: Path
) -> None:
    chance = random.Random(0)
    for name, word in (("bad", "awful"), ("good", "lovely")):
        (workplace / "reviews" / name).mkdir(parents=True)
        for number in range(60):
            words = [word, *chance.choices(["film", "scene"], k=chance.randint(1, 40))]
            write_lines(workplace / "reviews" / name / f"{number}.txt", " ".join(words))
    layers = [
        {"type": "embedding", "input_dim": 50, "output_dim": 4},
        "global_average_pooling1d",
        {"type": "dense", "units": 1},
    ]
    config = write_config(
        {
            "name": "reviews",
            "dataset": {
                "type": "text_folder",
                "path": "reviews",
                "max_words": 50,
                "max_length": 10,
                "validation_split": 0.2,
            },
            "model": {"layers": layers},
            "training": {"epochs": 1},
        }
    )
    fitted = dltrain("fit", config, "--quiet")
    assert fitted.code == 0, fitted.err
    result = dltrain("eval", "reviews", "--slice", "text_length", "--json")
    assert result.code == 0, result.err
    (part,) = result.json["slices"]
    rows = pq.read_table("runs/reviews/0001/predictions.parquet").to_pylist()
    lengths = [
        len((workplace / "reviews" / row["id"]).read_text().split())
        for row in rows
        if row["split"] == "test"
    ]
    quartile = int(np.floor(np.quantile(lengths, 0.25)))
    first = part["groups"][0]
    assert first["group"] == f"≤ {quartile}"  # of whole texts, though the model sees ten words
    assert first["rows"] == sum(length <= quartile for length in lengths)
