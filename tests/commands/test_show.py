"""Does `dltrain show` tell how a run went, at once, and what is missing of it?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import run_dltrain
from tiny_runs import REGRESSION, Result, change

Cli = Callable[..., Result]
WriteConfig = Callable[..., Path]

# Importing any of these takes longer than all of `show` may.
HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "pyarrow", "numpy")

TIMED = f"""
import sys, time
begun = time.perf_counter()
from dltrain.cli import run
code = run(sys.argv[1:])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
print(time.process_time(), file=sys.stderr)
sys.exit(code)
"""


def lines_of(result: Result) -> dict[str, str]:
    """Return what stands above the curve, name → text."""
    head = result.out.split("\n\n")[0].splitlines()
    return {line[:11].strip(): line[11:] for line in head}


def test_a_run_is_told_in_eighty_columns_of_plain_text(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("show", "tiny")
    assert (result.code, result.err) == (0, "")
    head = lines_of(result)
    assert head["run"] == "runs/tiny/0001"
    assert head["state"] == "finished"
    assert head["dataset"] == "digits: 1,150 train, 288 validation, 359 test rows"
    assert head["seed"] == "3"
    assert head["epochs"].startswith("3 of 3, the best ")
    assert head["epochs"].endswith(" by val_accuracy")
    assert head["parameters"] == "1,210"
    assert head["warnings"] == "none"
    assert head["report"] == "none"
    test = json.loads((copied_run / "metrics.json").read_text())["splits"]["test"]
    number, baseline = test["accuracy"], test["baseline"]["accuracy"]["value"]
    assert head["result"] == (
        f"test accuracy {number['value']:.4f} (95%: {number['low']:.4f} to "
        f"{number['high']:.4f}); baseline {baseline:.4f}"
    )
    assert "loss  o validation  . training" in result.out
    assert f"{number['value']:.4f}" in result.out.partition("test: 359 rows")[2]
    assert max(map(len, result.out.splitlines())) <= 80
    assert not [char for char in result.out if ord(char) < 32 and char != "\n"]


def test_fit_ends_with_what_show_prints(dltrain: Cli, write_config: WriteConfig) -> None:
    fitted = dltrain("fit", write_config(REGRESSION))
    assert fitted.code == 0, fitted.err
    shown = dltrain("show", "line")
    curve_and_results = fitted.out[: fitted.out.index("best epoch")]
    assert curve_and_results.startswith("loss  o validation  . training")
    assert curve_and_results in shown.out
    quiet = dltrain("fit", write_config(REGRESSION), "--quiet")
    assert "o validation" not in quiet.out


def test_it_answers_at_once_and_imports_nothing_heavy(copied_run: Path, workplace: Path) -> None:
    result = run_dltrain("show", "tiny", folder=workplace, program=TIMED)
    assert result.code == 0, result.err
    heavy, seconds = result.err.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 0.6
    as_json = run_dltrain("show", "tiny", "--json", folder=workplace, program=TIMED)
    assert as_json.err.splitlines()[0] == "[]"


def test_a_thousand_runs_beside_it_do_not_keep_it_waiting(dltrain: Cli, copied_run: Path) -> None:
    names = ("config.yaml", "status.json", "environment.json")
    texts = {name: (copied_run / name).read_text() for name in names}
    for number in range(2, 1002):
        other = copied_run.parent / f"{number:04d}"
        other.mkdir()
        for name, text in texts.items():
            (other / name).write_text(text)
        (other / "config.yaml").write_text(
            texts["config.yaml"].replace("seed: 3", f"seed: {number}")
        )
        (other / "metrics.json").write_text("{}")
    begun = time.process_time()
    shown = dltrain("show", "tiny/0001", "--json")
    assert time.process_time() - begun < 2
    # Seed 3 is its own.
    assert shown.json["test_uses"] == 1000


def test_colour_and_width_follow_the_terminal_s_settings(
    dltrain: Cli, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    narrow = dltrain("show", "tiny").out
    curve = narrow.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert len(curve) == 9
    assert max(map(len, curve)) <= 50
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, dltrain("show", "tiny").out.splitlines())) <= 80
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in dltrain("show", "tiny").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in dltrain("show", "tiny").out


FILES = {
    "config.yaml": "the monitored value and other runs of its kind aren't known",
    "environment.json": "its data and its device aren't known",
    "metrics.json": "it has no results",
    "model.json": "how many parameters its model has isn't known",
    "model.keras": "`dltrain eval` can't evaluate it again",
    "status.json": "how it stands isn't known",
    "warnings.json": "what it was warned of isn't known",
}


@pytest.mark.parametrize("name", FILES)
def test_a_deleted_file_is_named_and_the_rest_is_shown(
    dltrain: Cli, copied_run: Path, name: str
) -> None:
    whole = dltrain("show", "tiny")
    (copied_run / name).unlink()
    result = dltrain("show", "tiny")
    assert result.code == 0
    assert result.err == f"note: runs/tiny/0001/{name} is missing; {FILES[name]}.\n"
    shared = set(whole.out.splitlines()) & set(result.out.splitlines())
    assert len(shared) > 15
    assert "runs/tiny/0001" in result.out


@pytest.mark.parametrize(
    "name", [name for name in FILES if name.endswith(".json") and name != "status.json"]
)
def test_a_file_of_another_format_is_named(dltrain: Cli, copied_run: Path, name: str) -> None:
    (copied_run / name).write_text('{"format": 99}')
    result = dltrain("show", "tiny")
    assert result.code == 0
    assert result.err == (
        f"note: runs/tiny/0001/{name} is of format 99; this dltrain reads 1; {FILES[name]}.\n"
    )


def test_a_truncated_history_says_how_much_of_it_is_there(dltrain: Cli, copied_run: Path) -> None:
    history = copied_run / "history.csv"
    history.write_text(history.read_text()[:-10])
    result = dltrain("show", "tiny")
    assert result.code == 0
    assert result.err == (
        "note: runs/tiny/0001/history.csv has 2 of 3 epochs: it is missing or was cut short; "
        "its curve isn't whole.\n"
    )
    assert "test: 359 rows" in result.out
    history.unlink()
    assert "has 0 of 3 epochs" in dltrain("show", "tiny").err


def test_a_killed_run_and_an_unfinished_one_are_shown_as_such(
    dltrain: Cli, copied_run: Path
) -> None:
    for name in ("metrics.json", "model.keras", "mistakes.json", "predictions.parquet"):
        (copied_run / name).unlink()
    status = json.loads((copied_run / "status.json").read_text())
    changed = {**status, "state": "running", "pid": 2**22 + 1, "epochs_done": 3, "epochs_goal": 9}
    (copied_run / "status.json").write_text(json.dumps({**changed, "ended_at": None}))
    result = dltrain("show", "tiny")
    assert (result.code, result.err) == (0, "")
    head = lines_of(result)
    assert head["state"] == f"killed: its process {2**22 + 1} is gone without a word"
    assert head["epochs"] == "3 of 9"
    assert "result" not in head
    assert "loss  o validation  . training" in result.out
    failed = {**status, "state": "failed", "reason": "The loss\x1b[31m is NaN."}
    (copied_run / "status.json").write_text(json.dumps(failed))
    assert lines_of(dltrain("show", "tiny"))["state"] == r"failed: The loss\x1b[31m is NaN."


def test_a_run_that_is_not_there_or_tells_nothing_is_refused(
    dltrain: Cli, copied_run: Path
) -> None:
    missing = dltrain("show", "tiny/0007")
    assert missing.code == 2
    assert missing.err == (
        "error: There is no run 'tiny/0007' in runs.\nThe latest of that name: 0001.\n"
    )
    (copied_run.parent / "0002").mkdir()
    empty = dltrain("show", "tiny/0002")
    assert empty.code == 2
    assert empty.err.startswith(
        "error: runs/tiny/0002 can't be shown: none of its files tells how it went.\n"
        "  runs/tiny/0002/status.json is missing; how it stands isn't known.\n"
    )
    assert empty.out == ""


def test_a_report_is_named(dltrain: Cli, copied_run: Path) -> None:
    (copied_run / "report.html").write_text("<html>")
    assert lines_of(dltrain("show", "tiny"))["report"] == "runs/tiny/0001/report.html"


def test_other_configs_scored_on_the_same_test_rows_are_told(
    dltrain: Cli, write_config: WriteConfig
) -> None:
    note = (
        "The test rows of synthetic_regression have now been scored for 2 different configs of "
        "line: choose between them on validation.\n"
    )
    one = dltrain("fit", write_config(REGRESSION))
    again = dltrain("fit", write_config(REGRESSION))
    assert "have now been scored" not in one.out + again.out
    slower = dltrain("fit", write_config(change(REGRESSION, optimizer__learning_rate=0.01)))
    assert note in slower.out
    for command in (("show", "line/0001"), ("eval", "line/0001")):
        assert note in dltrain(*command).out
    assert note not in dltrain("eval", "line/0001", "--split", "validation").out
