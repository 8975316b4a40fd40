"""Does `fit` leave pictures and a page, and a whole run where they can't be made?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from junitparser import JUnitXml
from tiny_runs import CONFIG, REGRESSION, Result

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]


@pytest.fixture(autouse=True)
def _with_report(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DLTRAIN_NO_REPORT")


def test_a_training_ends_with_its_pictures_and_its_page(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    result = dltrain("fit", write_config(CONFIG))
    assert result.code == 0, result.err
    run = Path("runs/tiny/0001")
    drawn = {path.stem for path in (run / "plots").glob("*.png")}
    assert drawn >= {"curves", "confusion", "roc", "precision_recall", "reliability", "mistakes"}
    assert {path.stem for path in (run / "plots").glob("*.svg")} == drawn
    page = (run / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "warning" not in result.err
    assert "note: plots" not in result.err


def test_each_repeat_has_its_own(dltrain: Cli, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--repeats", 2, "--quiet")
    assert result.code == 0, result.err
    for number in (1, 2):
        repeat = Path(f"runs/line/0001/repeats/{number}")
        assert (repeat / "report.html").is_file()
        assert (repeat / "plots" / "residuals.svg").is_file()


def test_no_report_leaves_both_out(dltrain: Cli, write_config: WriteConfig) -> None:
    assert dltrain("fit", write_config(REGRESSION), "--no-report").code == 0
    assert not Path("runs/line/0001/plots").exists()
    assert not Path("runs/line/0001/report.html").exists()


def test_no_time_for_pictures_is_said(dltrain: Cli, write_config: WriteConfig) -> None:
    result = dltrain("fit", write_config(REGRESSION), "--max-seconds", 0)
    assert result.code == 0, result.err
    assert (
        "note: --max-seconds left no time for pictures and a report: dltrain plot "
        "runs/line/0001; dltrain report runs/line/0001\n"
    ) in result.err
    assert not Path("runs/line/0001/plots").exists()


def test_a_picture_that_fails_does_not_fail_the_run(
    dltrain: Cli, write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(contents: object) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr("dltrain.plots.draw.draw_plots", fail)
    result = dltrain("fit", write_config(REGRESSION))
    assert result.code == 0
    assert (
        "warning: the pictures or the report failed (ValueError: no ink). The run is whole. This "
        "is a defect of dltrain; see it by: dltrain plot runs/line/0001; dltrain report "
        "runs/line/0001\n"
    ) in result.err
    assert '"state": "finished"' in Path("runs/line/0001/status.json").read_text()


def read_junit(path: str) -> tuple[str, dict[str, bool]]:
    (suite,) = JUnitXml.fromfile(path)
    return suite.name, {case.name: case.is_passed for case in suite}


def test_junit_of_fit_and_eval_has_a_case_for_each_requirement(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    wanted = ("--require", "epochs<=3", "--require", "test.r2>=2")
    config = write_config(REGRESSION)
    result = dltrain("fit", config, "--no-report", "--junit", "reports/fit.xml", *wanted)
    assert result.code == 2  # R² is never above 1: refused before the training
    assert read_junit("reports/fit.xml") == ("line", {"dltrain fit": False})
    wanted = ("--require", "epochs<=3", "--require", "test.r2>=1")
    result = dltrain("fit", config, "--no-report", "--junit", "reports/fit.xml", *wanted)
    assert result.code == 5, result.err
    cases = {"dltrain fit": True, "epochs<=3": True, "test.r2>=1": False}
    assert read_junit("reports/fit.xml") == ("line", cases)
    result = dltrain("eval", "line", "--junit", "eval.xml", "--require", "test.mse>=0")
    assert result.code == 0, result.err
    assert read_junit("eval.xml") == ("line", {"dltrain eval": True, "test.mse>=0": True})


def test_junit_of_repeats_is_of_the_mean(dltrain: Cli, write_config: WriteConfig) -> None:
    result = dltrain(
        *("fit", write_config(REGRESSION), "--no-report", "--repeats", 2),
        *("--junit", "junit.xml", "--require", "epochs==3"),
    )
    assert result.code == 0, result.err
    assert read_junit("junit.xml") == ("line", {"dltrain fit": True, "epochs==3": True})


def test_junit_of_a_wrong_config_is_an_error(dltrain: Cli, write_config: WriteConfig) -> None:
    config = write_config(REGRESSION, optimizer__type="adamm")
    result = dltrain("fit", config, "--junit", "junit.xml")
    assert result.code == 2
    (suite,) = JUnitXml.fromfile("junit.xml")
    (case,) = suite
    assert case.result[0].type == "exit code 2"
    assert "Did you mean 'adam'?" in case.result[0].text
