"""Are rows of one's own tables predicted by what the run learned of the columns, in every form?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from own_files import write_lines, write_visits
from tiny_runs import Result

from dltrain.runs.predictions import read_predictions

Cli = Callable[..., Result]

VISITS = """\
name: visits
dataset: {type: csv, path: visits.csv, target: again}
model: {layers: [{type: dense, units: 1}]}
optimizer: {type: adam, learning_rate: 0.05}
training: {epochs: 3, batch_size: 16}
"""


@pytest.fixture
def visits(dltrain: Cli, workplace: Path) -> Path:
    """Train on visits.csv, which is moved away; return where it is now."""
    table = write_visits(workplace / "visits.csv")
    fitted = dltrain("fit", write_lines(workplace / "c.yaml", VISITS), "--quiet")
    assert fitted.code == 0, fitted.err
    return table.rename(workplace / "new.csv")


def read_json_lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.out.splitlines()]


def test_every_form_of_table_gets_the_predictions_of_eval(dltrain: Cli, visits: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.csv.read_csv(visits)
    pyarrow.parquet.write_table(table, "new.parquet")
    records = [json.dumps({**row, "visited": str(row["visited"])}) for row in table.to_pylist()]
    Path("new.jsonl").write_text("\n".join(records), encoding="utf-8")
    expected = read_predictions(Path("runs/visits/0001/predictions.parquet"))["test"]
    assert expected.probabilities is not None
    places = [int(name.rpartition("/")[2]) for name in expected.ids]
    for name in ("new.csv", "new.parquet", "new.jsonl"):
        result = dltrain("predict", "visits", name, "--format", "jsonl")
        assert result.code == 0, result.err
        rows = read_json_lines(result)
        assert len(rows) == 150
        chosen = [rows[place] for place in places]
        assert [expected.class_names[each] for each in expected.predicted] == [
            row["predicted"] for row in chosen
        ]
        probabilities = expected.probabilities.max(axis=1)
        assert [row["probability"] for row in chosen] == pytest.approx(probabilities, abs=1e-6)
    evaluated = dltrain("eval", "visits", "--data", "new.parquet", "--json")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["rows"] == 150


def test_missing_and_unseen_values_are_taken_and_bad_ones_named(dltrain: Cli, visits: Path) -> None:
    write_lines(
        Path("odd.csv"),
        "said,nights,visited,more",
        "lovely unseen words,,2025-03-01,x",
        "cold,many,2025-03-01,x",
        "cold,2,03/01/2025,x",
        "quiet,3,,",
    )
    write_lines(Path("short.jsonl"), '{"said": "cold"}', "no json")
    result = dltrain("predict", "visits", "odd.csv", "short.jsonl", "--format", "jsonl")
    assert result.code == 3
    rows = read_json_lines(result)
    assert [(row["input"], row["error"]) for row in rows] == [
        ("odd.csv:2", None),
        (
            "odd.csv:3",
            "the row: the column 'nights' is 'many'; expected a finite number, as in the rows "
            "that the model was trained on",
        ),
        (
            "odd.csv:4",
            "the row: the column 'visited' is '03/01/2025'; expected a date by ISO 8601, such as "
            "2026-03-01, as in the rows that the model was trained on",
        ),
        ("odd.csv:5", None),
        ("short.jsonl:1", "the row has no column 'visited'"),
        ("short.jsonl:2", "is not JSON"),
    ]


def test_the_columns_of_an_npz_are_numbered_and_nan_is_missing(
    dltrain: Cli, workplace: Path
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    x[::7, 1] = np.nan
    y = (x[:, 0] > 0).astype(int)
    np.savez("t.npz", x=x, y=y)
    config = VISITS.replace("csv, path: visits.csv, target: again", "npz, path: t.npz")
    fitted = dltrain("fit", write_lines(workplace / "c.yaml", config), "--quiet")
    assert fitted.code == 0, fitted.err
    Path("t.npz").rename("new.npz")
    result = dltrain("predict", "visits", "new.npz", "--format", "jsonl")
    assert result.code == 0, result.err
    expected = read_predictions(Path("runs/visits/0001/predictions.parquet"))["test"]
    rows = read_json_lines(result)
    places = [int(name.rpartition("/")[2]) for name in expected.ids]
    assert [rows[place]["predicted"] for place in places] == [
        expected.class_names[each] for each in expected.predicted
    ]
    assert dltrain("eval", "visits", "--data", "new.npz", "--json").json["rows"] == 60
