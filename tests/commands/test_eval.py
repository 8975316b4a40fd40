"""Does `dltrain eval` give a run's own numbers from the run alone, and refuse what isn't whole?"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_runs import REGRESSION, Result

Eval = Callable[..., Result]
WriteConfig = Callable[..., Path]


def set_status(run: Path, **changes: object) -> None:
    """Change what status.json says."""
    path = run / "status.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("split", ["test", "validation"])
def test_eval_gives_the_numbers_of_metrics_json(
    dltrain: Eval, copied_run: Path, split: str
) -> None:
    result = dltrain("eval", copied_run, "--split", split, "--json")
    assert result.code == 0, result.err
    metrics = json.loads((copied_run / "metrics.json").read_text())
    recorded = metrics.get("splits", metrics)[split]
    assert {key: result.json[key] for key in recorded} == recorded
    assert result.json["split"] == split
    assert result.err == ""


def test_eval_of_the_training_rows_is_written_and_prints_every_table(
    dltrain: Eval, copied_run: Path
) -> None:
    result = dltrain("eval", "tiny", "--split", "train")
    assert result.code == 0, result.err
    assert "train: 1,150 rows" in result.out
    for text in ("accuracy", "AUC-ROC", "log loss", "confusion matrix", "F1 (macro)"):
        assert text in result.out
    assert result.out.endswith("written to runs/tiny/0001/evaluation-train.json\n")
    written = json.loads((copied_run / "evaluation-train.json").read_text())
    assert written["rows"] == 1150
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_a_run_is_found_by_its_name_from_the_folder_of_runs(
    dltrain: Eval, copied_run: Path
) -> None:
    assert dltrain("eval", "tiny").code == 0
    assert dltrain("eval", "tiny/1").code == 0


def test_eval_needs_nothing_but_the_run(dltrain: Eval, trained_run: Path, workplace: Path) -> None:
    moved = workplace / "moved elsewhere"
    shutil.copytree(trained_run, moved)
    result = dltrain("eval", moved, "--json")
    assert result.code == 0, result.err
    assert result.json["rows"] == 359


def test_regression_gives_the_errors_and_r2(dltrain: Eval, write_config: WriteConfig) -> None:
    assert dltrain("fit", write_config(REGRESSION), "--quiet").code == 0
    result = dltrain("eval", "line", "--json")
    assert result.code == 0, result.err
    recorded = json.loads(Path("runs/line/0001/metrics.json").read_text())
    recorded = recorded.get("splits", recorded)["test"]
    for name in ("mse", "mae", "rmse", "r2"):
        assert result.json[name] == recorded[name]


def test_a_split_that_the_run_doesn_t_have_is_refused(
    dltrain: Eval, write_config: WriteConfig
) -> None:
    config = write_config(REGRESSION, dataset__validation_split=0)
    assert dltrain("fit", config, "--quiet").code == 0
    result = dltrain("eval", "line", "--split", "validation")
    assert result.code == 2
    assert result.err == (
        "error: runs/line/0001 has no validation rows: dataset.validation_split is 0.\n"
        "Evaluate another split.\n"
    )


def test_a_missing_run_suggests_the_nearest(dltrain: Eval, copied_run: Path) -> None:
    result = dltrain("eval", "tiney")
    assert result.code == 2
    assert result.err == "error: There is no run 'tiney' in runs.\nDid you mean 'tiny'?\n"


def test_a_run_that_failed_is_refused_with_its_reason(dltrain: Eval, copied_run: Path) -> None:
    set_status(copied_run, state="failed", reason="The loss became nan.", epochs_done=1)
    result = dltrain("eval", "tiny")
    assert result.code == 2
    assert result.err == (
        "error: runs/tiny/0001 has not finished: it failed after 1 of 3 epochs: "
        "The loss became nan.\nTrain it again: dltrain fit runs/tiny/0001/config.yaml\n"
    )
    assert result.out == ""


def test_a_run_at_work_is_refused(dltrain: Eval, copied_run: Path) -> None:
    from dltrain.runs.status import process_start_time

    ticks = process_start_time(os.getpid())
    set_status(
        copied_run, state="running", pid=os.getpid(), process_start_time=ticks, epochs_done=2
    )
    result = dltrain("eval", "tiny")
    assert result.code == 2
    assert result.err == (
        "error: runs/tiny/0001 has not finished: it is at work after 2 of 3 epochs.\nWait for it.\n"
    )


def test_a_killed_run_is_refused(dltrain: Eval, copied_run: Path) -> None:
    set_status(copied_run, state="running", pid=2**22 + 1, epochs_done=2)
    result = dltrain("eval", "tiny")
    assert result.code == 2
    assert result.err == (
        "error: runs/tiny/0001 has not finished: it was killed after 2 of 3 epochs.\n"
        "Go on with it: dltrain fit --resume runs/tiny/0001\n"
    )


def test_an_interrupted_run_is_refused(dltrain: Eval, copied_run: Path) -> None:
    reason = "interrupted after 2 of 3 epochs"
    set_status(copied_run, state="interrupted", reason=reason, epochs_done=2)
    result = dltrain("eval", "tiny")
    assert result.code == 2
    assert result.err == (
        "error: runs/tiny/0001 has not finished: it was interrupted after 2 of 3 epochs.\n"
        "Go on with it: dltrain fit --resume runs/tiny/0001\n"
    )
    shutil.rmtree(copied_run / "checkpoints")
    result = dltrain("eval", "tiny")
    assert result.err.endswith("\nTrain it again: dltrain fit runs/tiny/0001/config.yaml\n")


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "flipped"])
def test_a_damaged_model_is_refused(dltrain: Eval, copied_run: Path, damage: str) -> None:
    path = copied_run / "model.keras"
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "empty": b"",
            "text": b"not a model",
            "flipped": content[:middle] + bytes(64) + content[middle + 64 :],
        }[damage]
    )
    result = dltrain("eval", "tiny")
    assert result.code == 2, result.out
    assert result.err.startswith(
        "error: runs/tiny/0001/model.keras can't be loaded: it is damaged, or no model of Keras ("
    )
    assert result.err.endswith("\nTrain again: dltrain fit runs/tiny/0001/config.yaml\n")
    assert len(result.err.splitlines()) == 2


def test_a_missing_model_is_refused(dltrain: Eval, copied_run: Path) -> None:
    (copied_run / "model.keras").unlink()
    result = dltrain("eval", "tiny")
    assert result.code == 2
    assert result.err.startswith("error: runs/tiny/0001/model.keras doesn't exist.\n")


@pytest.mark.parametrize("name", ["config.yaml", "status.json", "environment.json"])
def test_a_damaged_record_is_refused_by_name(dltrain: Eval, copied_run: Path, name: str) -> None:
    (copied_run / name).write_bytes(b"\xff{")
    result = dltrain("eval", "tiny")
    assert result.code == 2, result.out
    assert name in result.err
    assert "Traceback" not in result.err


def test_data_that_changed_since_is_refused(dltrain: Eval, copied_run: Path) -> None:
    path = copied_run / "environment.json"
    environment = json.loads(path.read_text())
    environment["dataset"]["options"] = {"rows": 7}
    path.write_text(json.dumps(environment))
    result = dltrain("eval", "tiny")
    assert result.code == 3
    assert result.err == (
        "error: digits is not the data that runs/tiny/0001 was trained on: its checksums differ.\n"
        "Give the data of the run with --data-dir, or train again.\n"
    )


def test_numbers_that_differ_from_the_recorded_ones_are_told(
    dltrain: Eval, copied_run: Path
) -> None:
    path = copied_run / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics.get("splits", metrics)["test"]["accuracy"]["value"] = 0.5
    path.write_text(json.dumps(metrics))
    result = dltrain("eval", "tiny", "--json")
    assert result.code == 0
    assert result.err.startswith("note: these numbers differ from those in runs/tiny/0001/metrics")
    assert result.json["accuracy"]["value"] != 0.5


def test_a_requirement_that_is_met_stands_in_the_table(dltrain: Eval, copied_run: Path) -> None:
    result = dltrain("eval", "tiny", "--require", "test.accuracy>=0.5", "--require", "seconds<=600")
    assert result.code == 0, result.err
    rows = [line.split() for line in result.out.splitlines()]
    (accuracy,) = (row for row in rows if row[:1] == ["test.accuracy"])
    assert accuracy[1:3] == [">=", "0.5"]
    assert accuracy[-1] == "yes"
    assert any(row[:3] == ["seconds", "<=", "600"] for row in rows)


def test_a_requirement_that_is_not_met_exits_5_with_what_was_wanted_and_got(
    dltrain: Eval, copied_run: Path
) -> None:
    result = dltrain("eval", "tiny", "--require", "test.accuracy>=1", "--json")
    assert result.code == 5
    got = result.json["accuracy"]["value"]
    assert result.json["requirements"] == [
        {"name": "test.accuracy", "comparison": ">=", "wanted": 1, "got": got, "met": False}
    ]
    assert result.err == (
        f"error: 1 of 1 requirement not met: test.accuracy>=1 (got {got:.6g}).\n"
        "The run itself is whole: runs/tiny/0001\n"
    )
    as_text = dltrain("eval", "tiny", "--require", "test.accuracy>=1")
    assert as_text.code == 5
    assert ["test.accuracy", ">=", "1", f"{got:.6g}", "no"] in [
        line.split() for line in as_text.out.splitlines()
    ]
    assert as_text.err == result.err


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("test.acuracy>=0.9", "there is no number 'test.acuracy'.\nDid you mean 'test.accuracy'?"),
        ("test.accuracy", "expected a name, a comparison and a number."),
        ("validation.f1>=0.9", "the rows evaluated are those of test.\nAdd --split validation."),
        ("train.seconds<=9", "'train.seconds' is known where a model is trained, by dltrain fit."),
    ],
)
def test_a_requirement_that_can_t_be_answered_is_refused_before_the_model_is_loaded(
    dltrain: Eval, copied_run: Path, requirement: str, message: str
) -> None:
    (copied_run / "model.keras").unlink()
    result = dltrain("eval", "tiny", "--require", requirement)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: --require '{requirement}': {message}")
