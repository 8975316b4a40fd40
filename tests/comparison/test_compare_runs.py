"""Does a comparison say what differs, by how much, and what it couldn't look at?"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest
from test_json_schemas import errors
from tiny_runs import REGRESSION
from written_runs import DIGITS, classify, estimate, make_run, score_accuracy

from dltrain.commands.compare_view import print_comparison
from dltrain.comparison.compare import compare_runs
from dltrain.comparison.document import to_csv, to_document
from dltrain.comparison.result import Comparison
from dltrain.comparison.words import describe_method, list_notes
from dltrain.errors import RunError
from dltrain.runs.atomic import to_json
from dltrain.runs.layout import RunPaths
from dltrain.runs.predictions import Predictions


@pytest.fixture(autouse=True)
def _in_the_workplace(workplace: Path) -> None:
    """Write runs/ below an empty directory."""


def compare(*runs: Path, **options: object) -> Comparison:
    return compare_runs([RunPaths(run) for run in runs], **options)  # type: ignore[arg-type]


def refuse(*runs: Path, **options: object) -> RunError:
    with pytest.raises(RunError) as caught:
        compare(*runs, **options)
    assert caught.value.exit_code == 2
    return caught.value


def shuffle(predictions: Predictions) -> Predictions:
    order = np.random.default_rng(5).permutation(len(predictions))
    return replace(
        predictions,
        ids=[predictions.ids[row] for row in order],
        true=predictions.true[order],
        predicted=predictions.predicted[order],
        probabilities=predictions.probabilities[order]
        if predictions.probabilities is not None
        else None,
    )


def test_the_test_is_what_anyone_computes_from_the_files() -> None:
    runs = [
        make_run("a/0001", classify(0.80, seed=1)),
        make_run("a/0002", shuffle(classify(0.90, seed=2)), optimizer__learning_rate=0.1),
    ]
    change = compare(*runs).runs[1].changes["accuracy"]
    tables = [pq.read_table(run / "predictions.parquet").sort_by("id") for run in runs]
    assert tables[0]["id"] == tables[1]["id"]
    right, then = (np.array(table["true"]) == np.array(table["predicted"]) for table in tables)
    only_one, only_two = int((right & ~then).sum()), int((then & ~right).sum())
    assert (change.only_baseline, change.only_this) == (only_one, only_two)
    assert change.test == "mcnemar"
    assert change.difference == pytest.approx(then.mean() - right.mean())
    assert change.p == pytest.approx(binomtest(only_one, only_one + only_two).pvalue)
    assert change.adjusted_p == change.p
    assert change.more_than_chance is True
    assert change.low is not None
    assert change.high is not None
    assert 0 < change.low < change.difference < change.high


def test_the_order_of_the_rows_in_the_file_changes_nothing() -> None:
    first = make_run("a/0001", classify(0.8, seed=1))
    second = make_run("a/0002", classify(0.9, seed=2))
    mixed = make_run("a/0003", shuffle(classify(0.9, seed=2)))
    one, two = (compare(first, other).runs[1].changes for other in (second, mixed))
    assert one.keys() == two.keys()
    for name, change in one.items():
        assert two[name].difference == pytest.approx(change.difference, abs=1e-15)
        assert (two[name].low, two[name].high) == pytest.approx((change.low, change.high))
        assert two[name].p == change.p


def test_every_metric_of_few_runs_is_tested_and_corrected_for_their_number() -> None:
    runs = [make_run(f"a/000{n}", classify(0.7 + n / 20, seed=n)) for n in (1, 2, 3)]
    comparison = compare(*runs, baseline=1)
    assert comparison.first.label == "a/0002"
    assert comparison.comparisons == 2
    assert list(comparison.tested) == list(comparison.metrics)
    assert list(comparison.metrics)[:2] == ["accuracy", "precision.macro"]
    for name in comparison.metrics:
        changes = [comparison.runs[place].changes[name] for place in (0, 2)]
        smaller, larger = sorted(changes, key=lambda change: change.p or 0)
        assert smaller.adjusted_p == pytest.approx(min(1, 2 * (smaller.p or 0)))
        assert larger.adjusted_p == max(smaller.adjusted_p or 0, larger.p or 0)
    assert comparison.runs[1].changes == {}


def test_a_regression_is_compared_by_the_paired_bootstrap() -> None:
    runs = [
        make_run("line/0001", estimate(1.0, seed=1), config=REGRESSION),
        make_run("line/0002", estimate(0.4, seed=2), config=REGRESSION),
        make_run("line/0003", estimate(1.0, seed=1), config=REGRESSION),
    ]
    comparison = compare(*runs)
    assert list(comparison.tested) == ["r2", "rmse", "mae", "mse"]
    better, same = (run.changes["mae"] for run in comparison.runs[1:])
    assert better.test == "bootstrap"
    assert better.difference < 0
    assert better.high is not None
    assert better.high < 0
    assert better.more_than_chance is True
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert same.more_than_chance is False
    # The errors of the two, resampled here with other draws, say the same.
    files = [pq.read_table(run / "predictions.parquet") for run in runs[:2]]
    errors = [np.abs(np.array(file["true"]) - np.array(file["predicted"])) for file in files]
    draws = np.random.default_rng(1).integers(0, 80, (4000, 80))
    differences = (errors[1] - errors[0])[draws].mean(axis=1)
    expected = np.quantile(differences, [0.025, 0.975])
    assert (better.low, better.high) == pytest.approx(tuple(expected), abs=0.03)


def test_many_runs_are_sorted_by_the_headline_and_only_it_is_tested() -> None:
    accuracies = (0.80, 0.95, 0.70, 0.90, 0.60, 0.85)
    runs = [make_run(f"a/000{n}", classify(a, seed=n)) for n, a in enumerate(accuracies)]
    (runs[4] / "metrics.json").unlink()
    comparison = compare(*runs)
    labels = [run.label for run in comparison.runs]
    assert labels == ["a/0001", "a/0003", "a/0005", "a/0000", "a/0002", "a/0004"]
    assert comparison.first.label == "a/0000"
    assert comparison.tested == ["accuracy"]
    best = comparison.runs[0].changes
    assert best["accuracy"].p is not None
    assert best["f1.macro"].p is None
    assert best["f1.macro"].difference > 0
    errors = compare(*runs, metric="log_loss")
    values = [run.value("log_loss") for run in errors.runs[:-1]]
    assert values == sorted(values, key=lambda value: value or 0)
    assert errors.runs[0].changes["log_loss"].test == "bootstrap"
    assert errors.runs[0].changes["accuracy"].p is None


def test_other_datasets_rows_tasks_and_classes_are_refused_with_the_reason() -> None:
    base = make_run("a/0001", classify(0.8))
    ids = [f"train/{row + 3}" for row in range(300)]
    shifted = np.array(classify(0.8).true)
    shifted[:2] = (shifted[:2] + 1) % 10
    others = {
        "its dataset is mnist, not digits": make_run(
            "b/0001", classify(0.8), dataset={"name": "mnist", "arrays": {"x": "1"}}
        ),
        "its digits data have options {rows: 9}, not {}": make_run(
            "b/0002", classify(0.8), dataset={**DIGITS, "options": {"rows": 9}}
        ),
        "its numbers are of stand-in data, not of the real data": make_run(
            "b/0003", classify(0.8), data="stand-in", dataset={**DIGITS, "stand_in": True}
        ),
        "its task is regression, not classification": make_run("b/0004", estimate(1)),
        "its classes are 0, 1, 2, not 0, 1, 2, 3, 4, … (10)": make_run(
            "b/0005", classify(0.8, classes=3)
        ),
        "it has 200 test rows, not 300": make_run("b/0006", classify(0.8, rows=200)),
        "3 of the 300 test rows are not among its own, and it has 3 others (for example "
        "'train/0')": make_run("b/0007", replace(classify(0.8), ids=ids)),
        "the true value of 2 test rows is another (the first is 'train/0')": make_run(
            "b/0008", replace(classify(0.8), true=shifted)
        ),
    }
    for reason, other in others.items():
        error = refuse(base, other)
        assert error.message == (
            f"Not compared: the data are not those of a/0001.\n  b/{other.name}: {reason}."
        )
        assert error.hint == (
            "--force shows the numbers side by side, without a test of their differences."
        )
    everything = refuse(base, *others.values())
    assert everything.message.count("\n") == len(others)


def test_the_same_bytes_under_another_name_are_the_same_data() -> None:
    own = {"name": "here", "arrays": {"file": "abc"}, "checksum": "your own", "path": "a.csv"}
    one = make_run("a/0001", classify(0.8), dataset=own)
    moved = make_run("a/0002", classify(0.8), dataset={**own, "name": "there", "path": "b.csv"})
    assert compare(one, moved).comparisons == 1
    changed = make_run("a/0003", classify(0.8), dataset={**own, "arrays": {"file": "abd"}})
    assert "a/0003: its copy of here has another checksum." in refuse(one, changed).message


def test_force_compares_other_data_without_a_test_and_says_so() -> None:
    base = make_run("a/0001", classify(0.8, seed=1))
    same = make_run("a/0002", classify(0.9, seed=2))
    other = make_run("b/0001", classify(0.9, rows=200))
    comparison = compare(base, same, other, force=True)
    tested, untested = (run.changes["accuracy"] for run in comparison.runs[1:])
    assert tested.p is not None
    assert untested.difference > 0
    assert (untested.p, untested.low, untested.more_than_chance) == (None, None, None)
    assert list_notes(comparison) == [
        "b/0001: it has 200 test rows, not 300. No test; a difference to a/0001 may be the data's."
    ]
    assert comparison.comparisons == 1


def test_an_old_run_without_predictions_is_compared_without_a_test() -> None:
    runs = [make_run(f"a/000{n}", classify(0.7 + n / 10, seed=n)) for n in (1, 2)]
    (runs[1] / "predictions.parquet").unlink()
    (runs[1] / "model.json").unlink()
    comparison = compare(*runs)
    assert comparison.runs[1].changes["accuracy"].difference > 0.05
    assert comparison.runs[1].changes["accuracy"].p is None
    assert list_notes(comparison) == [
        "a/0002: runs/a/0002/predictions.parquet is missing. runs/a/0002/model.json is missing. "
        "Left out: the test of its differences, its parameters."
    ]
    assert describe_method(comparison) == ""


def test_what_is_damaged_unfinished_or_of_another_format_is_named_and_the_rest_compared() -> None:
    base = make_run("a/0001", classify(0.8, seed=1))
    running = make_run("a/0002", None)
    status = (running / "status.json").read_text()
    ended = status.replace('"finished"', '"interrupted"').replace(
        '"epochs_goal": 3', '"epochs_goal": 9'
    )
    (running / "status.json").write_text(ended)
    newer = make_run("a/0003", classify(0.8, seed=3))
    text = (newer / "metrics.json").read_text()
    (newer / "metrics.json").write_text(text.replace('"format": 1', '"format": 2', 1))
    cut = make_run("a/0004", classify(0.9, seed=4), optimizer__learning_rate=-1)
    history = (cut / "history.csv").read_text()
    (cut / "history.csv").write_text(history[:-20])
    notes = list_notes(compare(base, running, newer, cut))
    assert notes == [
        "a/0002 is interrupted, after 3 of 9 epochs.",
        "a/0002: runs/a/0002/metrics.json is missing. runs/a/0002/predictions.parquet is missing. "
        "Left out: its numbers.",
        "a/0003: runs/a/0003/metrics.json is of format 2; this dltrain reads 1. "
        "Left out: its numbers.",
        "a/0004: runs/a/0004/config.yaml:19:18: optimizer.learning_rate: expected a number > 0, "
        "or a schedule: a mapping with type, received the number -1. runs/a/0004/history.csv has 2 "
        "of 3 epochs: it is missing or was cut short. Left out: what differs in its config.",
    ]


def test_a_number_that_is_none_is_named_and_the_others_compared() -> None:
    runs = [make_run(f"a/000{n}", classify(0.8, seed=n)) for n in (1, 2)]
    record = json.loads((runs[1] / "metrics.json").read_text())
    record["splits"]["test"]["accuracy"]["value"] = "high"
    (runs[1] / "metrics.json").write_text(json.dumps(record))
    comparison = compare(*runs)
    assert comparison.runs[1].changes["f1.macro"].p is not None
    assert "accuracy" not in comparison.runs[1].changes
    assert list_notes(comparison) == [
        "a/0002: runs/a/0002/metrics.json is damaged: test.accuracy.value: expected a number or "
        "null, received 'high'."
    ]


ODD = (None, "x", [], {}, -1, float("inf"), True)


@pytest.mark.parametrize("file", ["metrics.json", "model.json", "environment.json", "status.json"])
def test_no_value_in_a_file_ends_in_a_traceback(file: str) -> None:
    runs = [make_run(f"a/000{n}", classify(0.8, seed=n), score=score_accuracy) for n in (1, 2)]
    text = (runs[1] / file).read_text()
    for path in find_paths(json.loads(text)):
        for odd in ODD:
            record = json.loads(text)
            holder = record
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = odd
            (runs[1] / file).write_text(json.dumps(record))
            comparison = compare(*runs, force=True)
            with contextlib.redirect_stdout(io.StringIO()):
                print_comparison(comparison)
            to_csv(comparison)
            assert not list(errors(json.loads(to_json(to_document(comparison))), "compare"))


def find_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every value in a JSON document, of lists that of the first item."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from find_paths(item, (*path, key))


def test_runs_none_of_which_was_evaluated_still_show_what_differs() -> None:
    runs = [make_run("a/0001", None), make_run("a/0002", None, optimizer__learning_rate=0.5)]
    comparison = compare(*runs)
    assert (comparison.split, comparison.metrics, comparison.comparisons) == (None, [], 0)
    differences = comparison.runs[1].config_differences
    assert differences is not None
    assert [each.first_key for each in differences] == ["optimizer.learning_rate"]


def test_a_split_or_metric_that_no_run_has_is_refused() -> None:
    runs = [make_run(f"a/000{n}", classify(0.8, seed=n)) for n in (1, 2)]
    error = refuse(*runs, split="validation")
    assert (error.message, error.hint) == (
        "None of the runs has scores of validation.",
        "Splits that they have: test.",
    )
    error = refuse(*runs, metric="r2")
    assert error.message == "--metric 'r2': none of the runs has it on test."
    assert error.hint == (
        "Metrics that they have: accuracy, precision.macro, recall.macro, f1.macro, f1.weighted, "
        "auc_roc.macro, log_loss."
    )


def test_the_configs_that_differ_in_the_seed_alone_are_called_so() -> None:
    runs = [
        make_run("a/0001", classify(0.80, seed=1)),
        make_run("a/0002", classify(0.82, seed=2), seed=4),
    ]
    assert list_notes(compare(*runs)) == [
        "the configs differ in nothing but the seed: this is how far training alone varies."
    ]


def test_two_runs_of_one_label_are_told_apart_by_their_paths() -> None:
    runs = [
        make_run("a/0001", classify(0.8, seed=1)),
        make_run("a/0001", classify(0.8, seed=2), root=Path("elsewhere")),
    ]
    assert [run.label for run in compare(*runs).runs] == ["runs/a/0001", "elsewhere/a/0001"]


def test_the_method_is_said_in_words() -> None:
    runs = [make_run(f"a/000{n}", classify(0.8, seed=n)) for n in (1, 2, 3)]
    assert describe_method(compare(*runs[:2])) == (
        "Tested on the same test rows: accuracy by McNemar's exact test, the others by the paired "
        "bootstrap (1,000 resamples). More than chance: p < 0.05. Of 7 metrics, look at the one "
        "you chose beforehand."
    )
    assert describe_method(compare(*runs, metric="f1.macro")) == (
        "Tested on the same test rows: F1 (macro) by the paired bootstrap (1,000 resamples); p "
        "after Holm's correction for 2 runs. More than chance: p < 0.05."
    )
