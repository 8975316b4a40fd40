"""Does a path or a name lead to the run that is meant?"""

from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.errors import RunError
from dltrain.runs.find import resolve_run
from dltrain.runs.status import begin_status, write_status


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make runs/mnist/0001, runs/mnist/0002 and runs/by-hand."""
    root = tmp_path / "runs"
    for folder in ("mnist/0001", "mnist/0002", "by-hand"):
        (root / folder).mkdir(parents=True)
        write_status(root / folder / "status.json", begin_status(epochs_goal=1))
    return root


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("mnist", "mnist/0002"),
        ("mnist/0001", "mnist/0001"),
        ("mnist/1", "mnist/0001"),
        ("by-hand", "by-hand"),
    ],
)
def test_a_name_leads_to_its_latest_or_numbered_run(root: Path, given: str, found: str) -> None:
    assert resolve_run(given, root=root).root == root / found


def test_a_path_leads_to_its_run_whatever_the_root(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert resolve_run(root / "mnist" / "0001", root=elsewhere).root == root / "mnist" / "0001"
    assert resolve_run(root / "mnist", root=elsewhere).root == root / "mnist" / "0002"


def test_a_folder_here_does_not_hide_the_runs_of_that_name(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    assert resolve_run("mnist", root=root).root == root / "mnist" / "0002"


def test_a_run_knows_its_name_and_number(root: Path) -> None:
    run = resolve_run("mnist/1", root=root)
    assert (run.name, run.number, run.label) == ("mnist", 1, "mnist/0001")
    by_hand = resolve_run("by-hand", root=root)
    assert (by_hand.name, by_hand.number, by_hand.label) == ("by-hand", None, "by-hand")


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("mnits", "There is no run 'mnits' in .*runs", "Did you mean 'mnist'?"),
        ("qqq", "There is no run 'qqq'", "The runs there: by-hand, mnist."),
        ("mnist/9", "There is no run 'mnist/9'", "The latest of that name: 0001, 0002."),
    ],
)
def test_a_run_that_is_not_there_suggests_the_nearest(
    root: Path, given: str, message: str, hint: str
) -> None:
    with pytest.raises(RunError, match=message) as caught:
        resolve_run(given, root=root)
    assert caught.value.hint == hint


def test_no_runs_at_all_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no runs") as caught:
        resolve_run("mnist", root=tmp_path / "runs")
    assert "dltrain fit CONFIG" in caught.value.hint


def test_a_folder_or_file_that_is_no_run_says_so(root: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(RunError, match=r"photos is not a run directory: it has no status\.json"):
        resolve_run(tmp_path / "photos", root=root)
    with pytest.raises(RunError, match="is a file; expected a run directory") as caught:
        resolve_run(root / "by-hand" / "status.json", root=root)
    assert caught.value.hint == f"Did you mean {root / 'by-hand'}?"
