"""Is every plot of a sweep's page drawn in a real browser, offline, or missed with a reason?"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_sweeps import HOSTILE, make_sweep, read_sweep
from tiny_runs import Result

from dltrain.runs.sweeps import SweepPaths, read_sweep_record, write_sweep
from dltrain.sweep.page import make_sweep_page, write_sweep_page
from dltrain.sweep.plots import draw_plots
from dltrain.sweep.rebuilt import rebuild_study

Cli = Callable[..., Result]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

ONE = {
    "history-0": "History",
    "epochs": "Values by epoch",
    "importance": "Importance",
    "importance-best": "Importance among the best",
    "parallel": "Parallel coordinates",
    "slice": "Slices",
    "contour": "Contours",
}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """Make a sweep of 20 trials, two of which were trained with other seeds; its page, too."""
    paths = make_sweep(tmp_path_factory.mktemp("one"), 20)
    document = read_sweep_record(paths)
    trials = [row["trial"] for row in document["trials"] if row["results"]][:2]
    run = {"seed": 4, "run": "", "state": "finished", "reason": "", "results": [0.5], "epochs": 1}
    rows = [{"trial": trial, "runs": [run, run], "mean": [0.5], "std": [0.01]} for trial in trials]
    winner = document["best"] = trials[1]
    document["retrained"] = {"top": 2, "seeds": [4, 5], "trials": rows, "winner": winner}
    write_sweep(paths, document)
    write_sweep_page(paths)
    return paths


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """Make a sweep with two objectives; its page, too."""
    paths = make_sweep(tmp_path_factory.mktemp("two"), 12, metric=["val_loss", "val_mae"])
    write_sweep_page(paths)
    return paths


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: the page was not looked at.")
        pytest.skip("Chromium is missing.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a page once its plots are drawn, and allows no noise."""
    noise: list[str] = []
    pages = []

    def open_(paths: SweepPaths, width: int) -> Any:
        page = browser.new_page(viewport={"width": width, "height": 800})
        pages.append(page)
        address = f"file://{paths.report}"
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: None if request.url == address else noise.append(request.url),
        )
        page.goto(address)
        deadline = time.monotonic() + 100
        while not page.evaluate("performance.getEntriesByName('plots-drawn').length"):
            assert time.monotonic() < deadline, "the plots were not drawn"
            time.sleep(0.05)
        return page

    yield open_
    for page in pages:
        page.close()
    assert noise == []


@pytest.mark.parametrize("width", [1280, 400])
def test_every_plot_is_drawn_and_fits_the_screen(
    one: SweepPaths, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(one, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    names = page.locator(".plot").evaluate_all("all => all.map((each) => each.dataset.plot)")
    assert names == list(ONE)
    headings = page.locator("main h2").all_inner_texts()
    assert headings == ["With other seeds", *ONE.values(), "Trials"]
    for name in names:
        plot = page.locator(f".plot.drawn[data-plot={name}]")
        # Something of each kind that Plotly draws data with: points, lines, bars, contours.
        marks = plot.locator(".point, .js-line, .contourfill path, .bars path")
        assert marks.count() > 3, name
        assert plot.evaluate("each => each.querySelector('.main-svg').clientWidth") >= 300
    # A plot that needs more room scrolls in its own region.
    slices = page.locator("[data-plot=slice]").evaluate("each => each.clientWidth")
    assert (slices > 1000) is True


def test_two_objectives_have_a_front_and_a_history_each(
    two: SweepPaths, open_page: Callable[..., Any]
) -> None:
    page = open_page(two, 1280)
    names = page.locator(".plot.drawn").evaluate_all("all => all.map((each) => each.dataset.plot)")
    assert names[:3] == ["front", "history-0", "history-1"]
    assert page.locator("[data-plot=front] .point").count() > 3
    section = page.locator("section[aria-labelledby=epochs]").inner_text()
    assert section.endswith(
        "It can't be drawn: trials with several objectives are not judged by their epochs."
    )


def test_axe_finds_no_violation(one: SweepPaths, open_page: Callable[..., Any]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(one, 1280)
    found = Axe().run(page).response["violations"]
    assert [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]] == []


def test_the_best_comes_first_and_the_table_of_trials_sorts(
    one: SweepPaths, open_page: Callable[..., Any]
) -> None:
    page = open_page(one, 1280)
    assert page.locator(".headline .big").inner_text() == "0.5000 ± 0.0100"
    rows = page.locator("#trial-table tbody tr")
    assert rows.count() == 20
    assert "Trial 5: The loss became inf in epoch 1." in page.locator("main").inner_text()
    page.locator("#trial-table th button", has_text="trial").click()
    assert rows.first.locator("th").inner_text() == "1"
    # What a value says stays text, in the plots as in the table.
    assert HOSTILE in page.locator("#trial-table").inner_text()


def test_the_study_made_again_has_the_trials_with_their_numbers(one: SweepPaths) -> None:
    study = rebuild_study(one, read_sweep(one), read_sweep_record(one))
    trials = {each.number: each for each in study.trials}
    rows = read_sweep_record(one)["trials"]
    assert study.best_value == min(row["results"][0] for row in rows if row["results"])
    for row in rows:
        trial = trials[row["trial"]]
        if row["state"] == "failed":
            assert trial.state.name == "FAIL"
            continue
        assert trial.params["learning_rate"] == row["values"]["optimizer.learning_rate"]
        assert trial.params["units"] == row["values"]["model.layers[0].units"]
        assert ("momentum" in trial.params) == (trial.params["optimizer"] == "sgd")
        assert len(trial.intermediate_values) == row["epochs"]


@pytest.mark.parametrize(
    ("trials", "missing"),
    [
        (
            0,
            {
                "history-0": "no trial has finished, and it needs one.",
                "epochs": "no trial has an epoch behind it.",
                "importance": "no trial has finished, and it needs two.",
                "importance-best": "no trial has finished, and it needs two.",
                "parallel": "no trial has finished, and it needs one.",
                "slice": "no trial has finished, and it needs one.",
                "contour": "no trial has finished, and it needs two.",
            },
        ),
        (
            1,
            {
                "importance": "one trial has finished, and it needs two.",
                "importance-best": "one trial has finished, and it needs two.",
                "contour": "one trial has finished, and it needs two.",
            },
        ),
        (2, {}),
    ],
)
def test_what_cannot_be_drawn_says_why(
    tmp_path: Path, trials: int, missing: dict[str, str]
) -> None:
    paths = make_sweep(tmp_path, trials)
    sweep = read_sweep(paths)
    plots = draw_plots(rebuild_study(paths, sweep, read_sweep_record(paths)), sweep)
    assert {plot.name: plot.missing for plot in plots if plot.missing} == missing
    assert all((plot.figure is None) == bool(plot.missing) for plot in plots)
    assert "<h1>line/sweep-0001</h1>" in make_sweep_page(paths)


def test_trials_that_all_gave_the_same_have_no_importances(tmp_path: Path) -> None:
    paths = make_sweep(tmp_path, 4)
    document = read_sweep_record(paths)
    for row in document["trials"]:
        row["results"] = row["results"] and [0.5]
    sweep = read_sweep(paths)
    plots = draw_plots(rebuild_study(paths, sweep, document), sweep)
    assert {plot.name: plot.missing for plot in plots if plot.missing} == {
        "importance": "all trials gave the same.",
        "importance-best": "all trials gave the same.",
    }


def test_what_varies_in_some_trials_only_is_left_out_of_one_importance(one: SweepPaths) -> None:
    sweep = read_sweep(one)
    plots = draw_plots(rebuild_study(one, sweep, read_sweep_record(one)), sweep)
    spread, best = (plot for plot in plots if plot.name.startswith("importance"))
    assert spread.shows.endswith("Left out, as they vary in some trials only: momentum.")
    assert spread.figure is not None
    assert best.figure is not None
    assert "momentum" not in spread.figure["data"][0]["y"]
    assert "momentum" in best.figure["data"][0]["y"]


def test_of_many_values_the_most_important_have_contours(one: SweepPaths) -> None:
    sweep = read_sweep(one)
    plots = draw_plots(rebuild_study(one, sweep, read_sweep_record(one)), sweep)
    contour = next(plot for plot in plots if plot.name == "contour")
    assert contour.shows.endswith("Of the 6 values these are the most important.")
    assert contour.width == 160 + 4 * 190


def test_the_command_writes_the_page_and_refuses_to_overwrite(
    dltrain: Cli, workplace: Path
) -> None:
    make_sweep(workplace, 3)
    done = dltrain("sweep", "report", "line")
    assert (done.code, done.out) == (0, "runs/line/sweep-0001/report.html\n")
    assert dltrain("sweep", "report", "line", "--output", "page.html").code == 0
    again = dltrain("sweep", "report", "line", "--output", "page.html")
    assert (again.code, again.err) == (
        2,
        "error: --output: page.html is there already.\nAdd --force to overwrite it.\n",
    )
    assert "its plots: runs/line/sweep-0001/report.html\n" in dltrain("sweep", "show", "line").out


def test_without_plotly_it_says_what_to_install(
    dltrain: Cli, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sweep(workplace, 3)
    monkeypatch.setitem(sys.modules, "plotly", None)
    refused = dltrain("sweep", "report", "line")
    assert (refused.code, refused.err) == (
        6,
        "error: Optuna's plots need the package plotly, which isn't installed.\n"
        "pip install 'dltrain[plotly]'\n",
    )
    assert not Path("runs/line/sweep-0001/report.html").exists()
