"""Does `dltrain fit --require` compare a run with what is wanted, and refuse what can't be?"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import CONFIG, REGRESSION, Result

Fit = Callable[..., Result]
WriteConfig = Callable[..., Path]

RUN = Path("runs/line/0001")


def test_every_split_and_fact_can_be_required(dltrain: Fit, write_config: WriteConfig) -> None:
    wanted = ["train.rmse>0", "validation.mae>0", "test.r2<=1", "test.mse.high>0", "test.rows==13"]
    wanted += ["epochs==3", "best_epoch<=3", "train.seconds<=600", "seconds<=600"]
    flags = [part for one in wanted for part in ("--require", one)]
    result = dltrain("fit", write_config(REGRESSION), "--json", *flags)
    assert result.code == 0, result.err
    rows = result.json["requirements"]
    assert [row["name"] + row["comparison"] + f"{row['wanted']}" for row in rows] == wanted
    assert all(row["met"] for row in rows)
    assert rows[3]["got"] == result.json["splits"]["test"]["mse"]["high"]
    assert result.json["train_seconds"] == pytest.approx(rows[7]["got"], abs=0.01)
    assert set(result.json["splits"]) == {"train", "validation", "test"}


def test_what_is_not_met_stands_in_the_table_and_in_the_document(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    flags = ("--require", "test.r2>=0.99999999", "--require", "epochs<=3")
    result = dltrain("fit", write_config(REGRESSION), "--quiet", *flags)
    assert result.code == 5
    rows = [line.split() for line in result.out.splitlines()]
    (unmet,) = (row for row in rows if row[:1] == ["test.r2"])
    assert unmet[1:3] == [">=", "0.99999999"]
    assert unmet[4:] == ["no"]
    assert ["epochs", "<=", "3", "3", "yes"] in rows
    message = (
        f"error: 1 of 2 requirements not met: test.r2>=0.99999999 (got {unmet[3]}).\n"
        "The run itself is whole: runs/line/000{}\n"
    )
    assert result.err == message.format(1)
    assert dltrain("eval", "line/1").code == 0, "the run is kept"
    as_json = dltrain("fit", write_config(REGRESSION), "--quiet", "--json", *flags)
    assert (as_json.code, as_json.err) == (5, message.format(2))
    document = as_json.json
    assert document["state"] == "finished"
    assert [row["met"] for row in document["requirements"]] == [False, True]
    assert document["requirements"][0]["got"] == document["splits"]["test"]["r2"]["value"]


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("test.R2>=0.9", "there is no number 'test.R2'.\nDid you mean 'test.r2'?"),
        ("r2>=0.9", "there is no number 'r2'.\nDid you mean 'test.r2'?"),
        ("val_r2>=0.9", "there is no number 'val_r2'.\nDid you mean 'validation.r2'?"),
        ("tset.r2>=0.9", "there is no number 'tset.r2'.\nDid you mean 'test.r2'?"),
        ("test.accuracy>=0.9", "there is no number 'test.accuracy'.\n"),
        ("test.r2=>0.9", "expected one of >=, <=, ==, >, <, received '=>'.\nDid you mean '>='?"),
        ("test.r2>=90%", "expected a number, received '90%'.\nWrite 0.9 for 90%."),
        ("test.r2>=2", "test.r2 is at most 1, so this can't be met.\nDid you mean 0.02?"),
        ("test.r2>=nan", "expected a number, received 'nan'.\n"),
    ],
)
def test_what_can_t_be_answered_is_refused_before_the_training(
    dltrain: Fit, write_config: WriteConfig, requirement: str, message: str
) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--require", requirement)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: --require '{requirement}': {message}")
    assert not Path("runs").exists()


def test_a_split_that_the_config_leaves_out_is_refused_before_the_training(
    dltrain: Fit, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, dataset__validation_split=0)
    result = dltrain("fit", config, "--require", "validation.r2>=0.5")
    assert result.code == 2
    assert result.err.endswith(
        "error: --require 'validation.r2>=0.5': there are no validation rows.\n"
        "There are numbers of train and test.\n"
    )
    assert not Path("runs").exists()


def test_a_number_that_is_undefined_is_not_met(
    dltrain: Fit, workplace: Path, write_config: WriteConfig
) -> None:
    add_black_images(dltrain, workplace / "files")
    config = write_config(
        CONFIG, dataset__name="mnist", training__batch_size=10_000, training__epochs=1
    )
    flags = ("--require", "test.recall[0]>=0", "--require", "test.recall[3]>=0")
    options = ("--data-dir", "data", "--offline", "--quiet")
    result = dltrain("fit", config, *options, "--json", *flags)
    assert result.code == 5
    assert "1 of 2 requirements not met: test.recall[3]>=0 (got nothing).\n" in result.err
    met, unmet = result.json["requirements"]
    assert (met["met"], unmet["met"], unmet["got"]) == (True, False, None)


def add_black_images(dltrain: Fit, files: Path) -> None:
    """Prepare an MNIST of black images, whose test rows are all of the class 0."""
    files.mkdir()
    for prefix, rows in (("train", 60_000), ("t10k", 10_000)):
        for kind, shape in (("images-idx3", (rows, 28, 28)), ("labels-idx1", (rows,))):
            header = bytes((0, 0, 8, len(shape))) + np.array(shape, dtype=">u4").tobytes()
            values = np.zeros(shape, np.uint8)
            if kind == "labels-idx1" and prefix == "train":
                values = np.arange(rows, dtype=np.int64) % 10
            content = gzip.compress(header + values.astype(np.uint8).tobytes(), 1)
            (files / f"{prefix}-{kind}-ubyte.gz").write_bytes(content)
    added = dltrain("data", "add", "mnist", files, "--data-dir", "data")
    assert added.code == 0, added.err
