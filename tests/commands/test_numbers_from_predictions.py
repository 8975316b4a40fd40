"""Do the numbers of a run follow from its predictions.parquet alone, by scikit-learn?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn import metrics
from tiny_runs import REGRESSION, Result

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]


def read(run: Path, split: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of a split as any tool reads them, and its scores in metrics.json."""
    table = pq.read_table(run / "predictions.parquet")
    rows = table.filter(pc.equal(table["split"], split))
    scores = json.loads((run / "metrics.json").read_text())["splits"][split]
    return rows.to_pydict(), scores


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_classifiers_numbers_are_those_of_its_predictions(copied_run: Path, split: str) -> None:
    rows, scores = read(copied_run, split)
    true, predicted = rows["true"], rows["predicted"]
    probabilities = np.array(rows["probabilities"])
    classes = scores["classes"]
    assert len(true) == scores["rows"] == len(set(rows["id"]))
    assert scores["accuracy"]["value"] == metrics.accuracy_score(true, predicted)
    for average in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(
            true, predicted, average=average, zero_division=0
        )[:3]
        for name, value in zip(("precision", "recall", "f1"), expected, strict=True):
            assert scores[name][average]["value"] == pytest.approx(value, rel=1e-12)
    auc = metrics.roc_auc_score(true, probabilities, multi_class="ovr", labels=classes)
    assert scores["auc_roc"]["macro"]["value"] == pytest.approx(auc, rel=1e-12)
    loss = metrics.log_loss(true, probabilities, labels=classes)
    assert scores["log_loss"]["value"] == pytest.approx(loss, rel=1e-6)
    confusion = metrics.confusion_matrix(true, predicted, labels=classes).tolist()
    assert scores["confusion_matrix"] == confusion
    assert predicted == [classes[index] for index in probabilities.argmax(axis=1)]


def test_a_regressions_numbers_are_those_of_its_predictions(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    assert dltrain("fit", write_config(REGRESSION), "--quiet").code == 0
    rows, scores = read(Path("runs/line/0001"), "test")
    true, predicted = rows["true"], rows["predicted"]
    assert len(true) == scores["rows"]
    assert scores["r2"]["value"] == pytest.approx(metrics.r2_score(true, predicted), rel=1e-12)
    mse = metrics.mean_squared_error(true, predicted)
    assert scores["mse"]["value"] == pytest.approx(mse, rel=1e-12)
    assert scores["rmse"]["value"] == pytest.approx(mse**0.5, rel=1e-12)
    mae = metrics.mean_absolute_error(true, predicted)
    assert scores["mae"]["value"] == pytest.approx(mae, rel=1e-12)


def test_evaluating_again_puts_the_rows_of_another_split_beside_them(
    dltrain: Cli, copied_run: Path
) -> None:
    before, _ = read(copied_run, "test")
    assert dltrain("eval", "tiny", "--split", "train").code == 0
    rows, _ = read(copied_run, "test")
    assert rows == before
    train = pq.read_table(copied_run / "predictions.parquet")["split"].value_counts().to_pylist()
    counts = {each["values"]: each["counts"] for each in train}
    environment = json.loads((copied_run / "environment.json").read_text())
    assert counts == environment["rows"]
