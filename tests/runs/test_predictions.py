"""Does predictions.parquet give back, to the bit, what was predicted, and say what is wrong?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dltrain.errors import RunError
from dltrain.runs.predictions import (
    Predictions,
    read_predictions,
    replace_predictions,
    write_predictions,
)

NAMES = ("cat", "dog", 'it\'s a "fish"')


def classify(rows: int, *, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([1, 1, 1], rows)
    return Predictions(
        "classification",
        NAMES,
        [f"test/{row}" for row in range(rows)],
        generator.integers(0, 3, rows),
        probabilities.argmax(axis=1),
        probabilities,
    )


def test_predictions_of_a_classifier_come_back_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    written = {"validation": classify(5), "test": classify(300, seed=1)}
    write_predictions(path, written)
    read = read_predictions(path)
    assert list(read) == ["validation", "test"]
    for split, before in written.items():
        after = read[split]
        assert (after.task, after.class_names, after.ids) == (before.task, NAMES, before.ids)
        np.testing.assert_array_equal(after.true, before.true)
        np.testing.assert_array_equal(after.predicted, before.predicted)
        assert after.probabilities is not None
        np.testing.assert_array_equal(after.probabilities, before.probabilities)


def test_any_tool_reads_names_of_classes_and_a_list_of_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    predictions = classify(4)
    write_predictions(path, {"test": predictions})
    row = pq.read_table(path).to_pylist()[2]
    assert row["split"] == "test"
    assert row["id"] == "test/2"
    assert row["true"] == NAMES[predictions.true[2]]
    assert row["predicted"] == NAMES[predictions.predicted[2]]
    assert predictions.probabilities is not None
    assert row["probabilities"] == predictions.probabilities[2].tolist()


def test_predictions_of_a_regression_have_no_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    values = np.array([0.1, -3e8, 1e-9])
    write_predictions(
        path, {"test": Predictions("regression", (), ["a", "b", "c"], values, values / 3)}
    )
    read = read_predictions(path)["test"]
    assert read.probabilities is None
    np.testing.assert_array_equal(read.predicted, values / 3)


def test_a_split_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    replace_predictions(path, "test", classify(3))
    replace_predictions(path, "validation", classify(4))
    replace_predictions(path, "test", classify(6, seed=2))
    read = read_predictions(path)
    assert {split: len(each) for split, each in read.items()} == {"validation": 4, "test": 6}


def test_the_bulk_and_other_splits_are_left_unread_where_not_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, {"validation": classify(4), "test": classify(3)})
    read = read_predictions(path, splits={"test", "train"}, probabilities=False)
    assert list(read) == ["test"]
    assert read["test"].probabilities is None


def test_a_missing_file_says_what_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with pytest.raises(RunError) as error:
        read_predictions(path)
    assert error.value.message == f"{path} is missing."
    assert error.value.hint == f"`dltrain eval {tmp_path}` writes it, if the run has finished."


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, {"test": classify(300)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RunError) as error:
        read_predictions(path)
    assert error.value.message.startswith(f"{path} is damaged: ")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, {"test": classify(3)})
    table = pq.read_table(path).replace_schema_metadata({b"dltrain": b'{"format": 7}'})
    pq.write_table(table, path)
    with pytest.raises(RunError) as error:
        read_predictions(path)
    assert error.value.message == f"{path} is of format 7; this dltrain reads 1."


def test_each_split_says_which_model_predicted_it(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    one, other = replace(classify(5), model="sha256:1"), replace(classify(6), model="sha256:2")
    write_predictions(path, {"validation": one, "test": one})
    replace_predictions(path, "test", other)
    models = {split: each.model for split, each in read_predictions(path).items()}
    assert models == {"validation": "sha256:1", "test": "sha256:2"}
    write_predictions(path, {"test": classify(5)})  # as older files are
    assert read_predictions(path)["test"].model == ""
