"""Does `dltrain plot` say what it wrote, and what it couldn't?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tiny_runs import Result

from dltrain.plots.draw import PLOTS

Cli = Callable[..., Result]


def test_a_trained_run_has_all_pictures_of_a_classifier(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("plot", "tiny")
    assert (result.code, result.err) == (0, "")
    names = [name for name in PLOTS if name not in ("predicted", "residuals")]
    expected = [f"runs/tiny/0001/plots/{name}.{form}" for name in names for form in ("png", "svg")]
    assert result.out.split() == expected
    assert all(Path(name).is_file() for name in expected)


def test_one_format_and_one_picture_are_drawn_alone(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("plot", copied_run, "--only", "roc", "--format", "svg")
    assert (result.code, result.out) == (0, f"{copied_run}/plots/roc.svg\n")
    assert [file.name for file in (copied_run / "plots").iterdir()] == ["roc.svg"]


def test_what_is_missing_is_said_on_stderr_and_the_rest_is_drawn(
    dltrain: Cli, copied_run: Path
) -> None:
    (copied_run / "predictions.parquet").unlink()
    history = copied_run / "history.csv"
    history.write_text("".join(history.read_text().splitlines(keepends=True)[:2]))
    result = dltrain("plot", "tiny", "--format", "png")
    assert result.code == 0
    missing = "runs/tiny/0001/predictions.parquet is missing."
    assert result.err.splitlines() == [
        f"roc is not drawn: {missing}",
        f"precision_recall is not drawn: {missing}",
        f"reliability is not drawn: {missing}",
        "runs/tiny/0001/history.csv has 1 of 3 epochs: it is missing or was cut short.",
    ]
    assert len(result.out.splitlines()) == 3


def test_a_picture_that_was_asked_for_and_does_not_exist_has_its_reason(
    dltrain: Cli, copied_run: Path
) -> None:
    result = dltrain("plot", "tiny", "--only", "residuals")
    assert (result.code, result.out) == (0, "")
    assert result.err == "residuals is not drawn: A classifier has no residuals.\n"


def test_an_unknown_picture_is_refused(dltrain: Cli, copied_run: Path) -> None:
    result = dltrain("plot", "tiny", "--only", "rocs")
    assert result.code == 2
    assert result.err.startswith("error: --only: there is no picture 'rocs'.\nDid you mean 'roc'?")


def test_drawing_needs_no_heavy_library(copied_run: Path) -> None:
    code = (
        "import sys; from dltrain.cli import run; assert run(['plot', 'tiny']) == 0; "
        "print({'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "set()"
