"""Does wandb's own reader find what was recorded offline, and is nobody ever asked for a key?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import wandb
from tracked_runs import (
    FLAT_SCORES,
    find_wandb_folders,
    inspect_wandb,
    make_ending,
    make_epoch,
    make_run,
    read_wandb_history,
)

from dltrain.trackers import wandb as module
from dltrain.trackers.contract import TrackedRun
from dltrain.trackers.guard import Guarded
from dltrain.trackers.memory import MemoryFile
from dltrain.trackers.wandb import WandbTracker, find_login_problem, is_offline

OPTIONS: dict[str, Any] = {
    "type": "wandb",
    "mode": "offline",
    "tags": ["try"],
    "log_model": True,
    "timeout_seconds": 60.0,
}
KEY = "0123456789" * 4


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return make_run(tmp_path / "runs/tiny/0001")


def test_an_offline_run_goes_on_under_its_id_and_has_each_step_once(
    run: TrackedRun, capfd: pytest.CaptureFixture[str]
) -> None:
    tracker = WandbTracker({**OPTIONS, "project": "tries", "entity": "me", "group": "a"})
    tracker.begin(run)
    for number in (1, 2, 3):
        tracker.log_epochs([make_epoch(number)])
    tracker.finish(make_ending(run, state="interrupted"))
    resumed = make_run(run.paths.root, epochs_done=1)
    again = WandbTracker(tracker.options)
    again.memory = dict(tracker.memory)
    again.begin(resumed)
    for number in (1, 2, 3, 4):
        again.log_epochs([make_epoch(number)])
    run.paths.metrics.write_text("{}")
    again.finish(make_ending(resumed, files=(run.paths.metrics,)))
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")

    first, second = find_wandb_folders(run.paths.root)
    run_id = tracker.memory["id"]
    for folder in (first, second):
        assert (folder / f"run-{run_id}.wandb").is_file()
    assert read_wandb_history(first) == {
        number: dict(make_epoch(number).values) for number in (1, 2, 3)
    }
    assert read_wandb_history(second) == {4: dict(make_epoch(4).values)}
    ends = [json.loads(inspect_wandb(path, "--summary")) for path in (first, second)]
    assert [end["exit_code"] for end in ends] == [130, 0]
    summary = ends[1]["summary"]
    assert {name: summary[name] for name in FLAT_SCORES} == FLAT_SCORES
    assert ends[1]["config"]["training"] == {"epochs": 3, "shuffle": True}
    assert ends[1]["config"]["model"]["layers"][1]["units"] == 2
    told = [json.loads(line) for line in inspect_wandb(second).splitlines()]
    (about,) = [row["run"] for row in told if row["type"] == "run"]
    wanted = {"project": "tries", "entity": "me", "run_group": "a", "tags": ["try"]}
    wanted |= {"display_name": "tiny/0001", "run_id": run_id}
    assert {name: about[name] for name in wanted} == wanted
    assert (second / "files/metrics.json").read_text() == "{}"


def test_a_server_that_cannot_be_reached_leaves_the_run_offline(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(module, "INIT_SECONDS", 1.0)
    options = {**OPTIONS, "mode": "online"}
    guarded = Guarded(WandbTracker(options), run, MemoryFile(run.paths.root))
    for number in (1, 2):
        guarded.log_epoch(make_epoch(number))
    guarded.finish(make_ending(run))
    guarded.wait()
    warning, again = guarded.take_messages()
    assert warning.startswith("Warning: wandb failed, and the run goes on without it: ")
    folder = find_wandb_folders(run.paths.root)[-1]
    assert again == (
        f"wandb works again: all so far is in {folder} "
        "(offline; `wandb sync` and this path uploads it)."
    )
    assert read_wandb_history(folder) == {n: dict(make_epoch(n).values) for n in (1, 2)}


def test_a_folder_that_cannot_be_made_is_told(run: TrackedRun) -> None:
    (run.paths.root / "wandb").write_text("in the way")
    guarded = Guarded(WandbTracker(OPTIONS), run, MemoryFile(run.paths.root))
    guarded.log_epoch(make_epoch(1))
    guarded.finish(make_ending(run))
    guarded.wait()
    assert guarded.take_messages() == [
        "Warning: wandb failed, and the run goes on without it: "
        f"[Errno 17] File exists: '{run.paths.root / 'wandb'}'."
    ]


def test_the_command_line_goes_before_the_config_and_the_config_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not is_offline({}, offline=False)
    assert is_offline({"mode": "online"}, offline=True)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert is_offline({}, offline=False)
    assert not is_offline({"mode": "online"}, offline=False)


def test_a_key_is_looked_for_and_never_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wandb.teardown()  # it remembers a key
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    online = {"mode": "online"}
    assert find_login_problem({"mode": "offline"}, offline=False) is None
    assert find_login_problem(online, offline=False) == "there is no key"
    netrc.write_text(f"machine 127.0.0.1:9 login user password {KEY}\n")
    assert find_login_problem(online, offline=False) is None
    netrc.unlink()
    monkeypatch.setenv("WANDB_API_KEY", "short")
    wandb.teardown()
    problem = find_login_problem(online, offline=False)
    assert problem is not None
    assert problem.startswith("WANDB_API_KEY invalid: ")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert find_login_problem(online, offline=False) is None
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    wandb.teardown()
