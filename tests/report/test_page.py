"""Is a page safe and whole whatever the data holds, and whatever of the run is missing?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import change_status, write_classifier, write_regression
from tiny_runs import Result

from dltrain.report import vega_script
from dltrain.report.page import to_script_json
from dltrain.report.run_page import make_report, write_report
from dltrain.runs.contents import RunContents
from dltrain.runs.layout import RunPaths

Cli = Callable[..., Result]


@pytest.fixture
def run(workplace: Path) -> Path:
    return write_classifier(workplace / "runs" / "made" / "0001", ("cat", "dog", "eel"), 120)


def make(root: Path) -> tuple[str, list[str]]:
    contents = RunContents(RunPaths(root))
    return make_report(contents), contents.problems


def test_json_in_a_page_cannot_end_its_element() -> None:
    text = str(to_script_json({"a": "</script><!-- \u2028\u2029 &"}))
    assert text == r'{"a":"\u003c/script>\u003c!-- \u2028\u2029 &"}'
    assert json.loads(text) == {"a": "</script><!-- \u2028\u2029 &"}


def test_json_in_a_page_has_no_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_script_json([float("nan")])


def test_report_writes_the_page_and_prints_where(dltrain: Cli, run: Path) -> None:
    result = dltrain("report", "made")
    assert (result.code, result.err) == (0, "")
    assert result.out == "runs/made/0001/report.html\n"
    page = (run / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "https://" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_report_writes_elsewhere_and_overwrites_only_when_told(dltrain: Cli, run: Path) -> None:
    assert dltrain("report", "made", "-o", "page.html").out == "page.html\n"
    again = dltrain("report", "made", "-o", "page.html")
    assert again.code == 2
    assert again.err == (
        "error: --output: page.html is there already.\nAdd --force to overwrite it.\n"
    )
    assert dltrain("report", "made", "-o", "page.html", "--force").code == 0
    wrong = dltrain("report", "made", "-o", "absent/page.html")
    assert (wrong.code, wrong.err) == (2, "error: --output: there is no directory absent.\n")
    assert not (run / "report.html").exists()


def test_report_of_a_missing_run_is_refused(dltrain: Cli, run: Path) -> None:
    result = dltrain("report", "mad")
    assert result.code == 2
    assert result.err == "error: There is no run 'mad' in runs.\nDid you mean 'made'?\n"


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("metrics.json", 'id="results"'),
        ("history.csv", 'id="training"'),
        ("predictions.parquet", 'id="predictions"'),
        ("mistakes.json", 'id="mistakes"'),
        ("model.json", 'id="model"'),
        ("environment.json", 'id="environment"'),
        ("warnings.json", 'id="warnings"'),
        ("source.yaml", "As it was written."),
        ("status.json", "Started"),
    ],
)
def test_a_deleted_file_costs_what_it_held_and_is_named(
    dltrain: Cli, run: Path, name: str, gone: str
) -> None:
    whole, problems = make(run)
    assert gone in whole
    assert problems == []
    (run / name).unlink()
    result = dltrain("report", "made")
    assert result.code == 0
    assert f"note: runs/made/0001/{name}" in result.err
    assert result.err.endswith("The page is made of the other files, and says so.\n")
    page = (run / "report.html").read_text()
    assert gone not in page
    assert "One file could not be read" in page
    assert "could not be read" not in whole


@pytest.mark.parametrize("name", ["metrics.json", "mistakes.json", "predictions.parquet"])
def test_a_damaged_file_is_named(run: Path, name: str) -> None:
    (run / name).write_text("{")
    page, problems = make(run)
    assert [problem for problem in problems if f"{name} is damaged" in problem]
    assert "the other files" in page


def test_a_truncated_history_is_named_and_drawn_as_far_as_it_goes(run: Path) -> None:
    path = run / "history.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    page, problems = make(run)
    assert problems == [
        f"{path} has 2 of 5 epochs: it is missing or was cut short.",
    ]
    assert "after each of 2 epochs" in page


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("running", "This run was killed: its process is gone"),
        ("interrupted", "This run was interrupted"),
        ("failed", "This run failed"),
    ],
)
def test_a_run_that_did_not_finish_says_so_first(run: Path, state: str, sentence: str) -> None:
    change_status(run, state=state, reason="A <reason>.", pid=2**22 + 1)
    page, _ = make(run)
    header = page[: page.index("<main")]
    assert sentence in header
    assert "A &lt;reason&gt;." in header


@pytest.mark.parametrize("data", ["subset", "stand-in"])
def test_a_smoke_test_says_that_its_numbers_mean_nothing(run: Path, data: str) -> None:
    assert "these numbers mean nothing" not in make(run)[0]
    change_status(run, data=data)
    assert "A smoke test: these numbers mean nothing" in make(run)[0]


def test_an_undefined_number_is_never_zero(run: Path) -> None:
    path = run / "metrics.json"
    record = json.loads(path.read_text())
    record["splits"]["test"]["per_class"][1]["recall"] = None
    path.write_text(json.dumps(record))
    assert make(run)[0].count('<td data-value="" class="quiet">undefined</td>') == 1


def test_the_trained_run_of_the_tests_has_a_whole_page(copied_run: Path) -> None:
    page, problems = make(copied_run)
    assert problems == []
    for section in ("results", "training", "predictions", "classes", "confusion", "config"):
        assert f'id="{section}"' in page


def test_the_page_imports_nothing_heavy(run: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dltrain.report.run_page import write_report; "
        "from dltrain.runs.contents import RunContents; from dltrain.runs.layout import RunPaths; "
        f"write_report(RunContents(RunPaths(Path({str(run)!r})))); "
        "print(*{'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_chart_script_is_kept_and_a_damaged_copy_made_anew(workplace: Path) -> None:
    (workplace / "cache" / "dltrain" / "scripts").unlink()
    vega_script.load_vega_script.cache_clear()
    script = vega_script.load_vega_script()
    (kept,) = (workplace / "cache" / "dltrain" / "scripts").iterdir()
    head, _, rest = kept.read_text().partition("\n")
    assert rest == script
    kept.write_text(f"{head}\n{rest[:-10]}")
    vega_script.load_vega_script.cache_clear()
    assert vega_script.load_vega_script() == script
    assert kept.read_text() == f"{head}\n{script}"


def test_a_cache_that_cannot_be_written_costs_only_time(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(workplace / "file"))
    vega_script.load_vega_script.cache_clear()
    assert "vegaEmbed" in vega_script.load_vega_script()


def test_a_regression_has_its_own_charts(workplace: Path) -> None:
    root = write_regression(workplace / "line")
    write_report(RunContents(RunPaths(root)))
    page = (root / "report.html").read_text()
    assert "Predicted against true values on test, 200 rows." in page
    assert 'id="confusion"' not in page
