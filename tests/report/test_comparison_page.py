"""Is the page of `dltrain compare` whole in a real browser: no request, no error, no trap?"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import Result
from written_runs import classify, make_run, score_accuracy

Cli = Callable[..., Result]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = '"><script>document.title = "taken"</script>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the machine's own headless Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: the page was not looked at.")
        pytest.skip("Chromium is missing.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a file once its charts are drawn, and allows no error."""
    contexts, troubles = [], []

    def open_file(path: Path, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        requests: list[str] = []
        page.goto(path.resolve().as_uri())
        deadline = time.monotonic() + 60
        while not page.evaluate("performance.getEntriesByName('charts-drawn').length"):
            assert time.monotonic() < deadline, "the charts were not drawn"
            page.wait_for_timeout(50)
        assert requests == [path.resolve().as_uri()]
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def page_file(dltrain: Cli) -> Path:
    """Make three runs, one of them with a hostile folder and config, and their page."""
    make_run("a/0001", classify(0.70, seed=1), epochs=4)
    make_run("a/0002", classify(0.90, seed=2), optimizer__learning_rate=0.5)
    odd = make_run(
        HOSTILE.replace("/", ""),
        classify(0.80, seed=3),
        metrics=["accuracy", {"type": "precision", "name": HOSTILE}],
    )
    (odd / "history.csv").write_text(
        (odd / "history.csv").read_text().replace("val_loss", '"val_""><script>1</script>"')
    )
    result = dltrain("compare", "a/1", "a/2", odd, "--html", "page.html")
    assert result.code == 0, result.err
    return Path("page.html")


def test_the_page_asks_for_nothing_and_hostile_names_stay_text(
    page_file: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page(page_file)
    assert page.title() == "2 runs compared with a/0001"
    assert page.locator("main script:not([type='application/json'])").count() == 0
    headers = page.locator("section[aria-labelledby=metrics] tbody th").all_inner_texts()
    assert headers == ["a/0001 baseline", "a/0002", HOSTILE.replace("/", "")]
    assert HOSTILE in page.locator("section[aria-labelledby=configs]").inner_text()
    assert page.get_by_role("heading", name='val_"><script>1</script>').count() == 1


def test_axe_finds_no_violation_in_light_and_dark_on_a_desk_and_a_phone(
    page_file: Path, open_page: Callable[..., Any]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for scheme, width in (("light", 1200), ("dark", 360)):
        page = open_page(page_file, color_scheme=scheme, viewport={"width": width, "height": 800})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hovering_over_a_curve_shows_the_value_of_every_run(
    page_file: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page(page_file)
    figure = page.get_by_role("figure", name="loss", exact=True)
    figure.scroll_into_view_if_needed()
    box = figure.locator(".chart svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    text = tooltip.inner_text().split()
    # The loss of every made run is 1 / epoch.
    assert text.count("a/0001") == 1
    epoch = int(text[text.index("epoch") + 1])
    assert float(text[text.index("a/0001") + 1]) == pytest.approx(1 / epoch, rel=1e-3)
    assert float(text[text.index("a/0002") + 1]) == pytest.approx(1 / epoch, rel=1e-3)


def test_a_click_on_a_heading_sorts_the_runs_by_that_metric(
    page_file: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page(page_file)
    table = page.locator("section[aria-labelledby=metrics] table")
    table.get_by_role("button", name="accuracy").click()
    assert table.locator("tbody th").all_inner_texts()[0] == "a/0001 baseline"
    table.get_by_role("button", name="accuracy").click()
    assert table.locator("tbody th").all_inner_texts()[0] == "a/0002"
    best = table.locator("tbody tr").first.locator("td").first
    assert "*" in best.inner_text()
    assert "p <0.001" in best.inner_text()


def test_of_many_runs_the_best_and_the_baseline_are_drawn(
    dltrain: Cli, workplace: Path, open_page: Callable[..., Any]
) -> None:
    for number in range(1, 13):
        make_run(
            f"a/{number:04d}",
            classify(0.5 + number / 30, rows=3000, seed=number),
            score=score_accuracy,
        )
    result = dltrain("compare", "a", "--html", "page.html")
    assert result.err == "written to page.html\n"
    page = open_page(Path("page.html"))
    assert "2 runs are not drawn." in page.locator("section[aria-labelledby=curves]").inner_text()
    figure = page.get_by_role("figure", name="loss", exact=True)
    figure.locator("summary").click()
    headings = figure.locator("thead th").all_inner_texts()
    assert len(headings) == 11
    assert "a/0001" in headings
    assert "a/0002" not in headings
    rows = page.locator("section[aria-labelledby=metrics] tbody tr").count()
    assert rows == 12
    best = page.locator("section[aria-labelledby=metrics] tbody td").first.inner_text()
    assert re.fullmatch(r"0\.\d{4}\n\+0\.\d{4} \(0\.\d{4}\sto\s0\.\d{4}\) p <0\.001 \*", best)
