"""Does a training go on, whatever its trackers do, and do they get all that they can?"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tracked_runs import make_ending, make_epoch, make_run

from dltrain.trackers import guard
from dltrain.trackers.contract import Ending, Epoch, TrackedRun, Tracker
from dltrain.trackers.guard import Guarded, describe_error
from dltrain.trackers.memory import MemoryFile


class Recorder(Tracker):
    """Note what it is told; fail where `fails` says, once for each time that is given."""

    name = "recorder"

    def __init__(self, **fails: int) -> None:
        super().__init__({"timeout_seconds": 5.0})
        self.fails = fails
        self.told: list[str] = []
        self.calls = 0
        self.where = "there"
        self.threads: set[int] = set()

    def begin(self, run: TrackedRun) -> None:
        self._tell("begin")

    def log_epochs(self, epochs: Sequence[Epoch]) -> None:
        self.calls += 1
        for epoch in epochs:
            if epoch.number > self.memory.get("epoch", 0):
                self._tell(f"epoch {epoch.number}")
                self.memory["epoch"] = epoch.number

    def finish(self, ending: Ending) -> None:
        self._tell(ending.state)

    def abandon(self) -> None:
        self._tell("abandon")

    def _tell(self, what: str) -> None:
        self.threads.add(threading.get_ident())
        if self.fails.get(what.replace(" ", "_"), 0):
            self.fails[what.replace(" ", "_")] -= 1
            raise OSError("the disk of the recorder is full")
        self.told.append(what)


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return make_run(tmp_path / "runs/tiny/0001")


def record(tracker: Tracker, run: TrackedRun, *, epochs: int = 2) -> list[str]:
    """Have two epochs and an end recorded; return the messages."""
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))
    for number in range(1, epochs + 1):
        guarded.log_epoch(make_epoch(number))
    guarded.finish(make_ending(run))
    guarded.wait()
    return guarded.take_messages()


WARNING = (
    "Warning: recorder failed, and the run goes on without it: the disk of the recorder is full."
)


def test_a_tracker_is_told_all_in_order_in_one_thread_that_is_not_ours(run: TrackedRun) -> None:
    tracker = Recorder()
    assert record(tracker, run) == ["tracker   recorder: there"]
    assert tracker.told == ["begin", "epoch 1", "epoch 2", "finished"]
    assert len(tracker.threads) == 1
    assert threading.get_ident() not in tracker.threads
    remembered = json.loads((run.paths.root / "trackers.json").read_text())
    assert remembered == {"format": 1, "trackers": {"recorder": {"epoch": 2}}}


def test_epochs_that_come_faster_than_they_are_taken_are_taken_together(run: TrackedRun) -> None:
    class Slow(Recorder):
        def begin(self, run: TrackedRun) -> None:
            assert go.wait(10)
            self._tell("begin")

    go = threading.Event()
    tracker = Slow()
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))
    for number in range(1, 501):
        guarded.log_epoch(make_epoch(number))
    guarded.finish(make_ending(run))
    go.set()
    guarded.wait()
    assert tracker.told == ["begin", *(f"epoch {n}" for n in range(1, 501)), "finished"]
    assert tracker.calls == 3


def test_what_failed_is_told_once_and_tried_again_until_it_works(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "RETRY_SECONDS", 0.0)
    tracker = Recorder(begin=1, epoch_2=1)
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))
    for number in (1, 2, 3):
        guarded.log_epoch(make_epoch(number))
        time.sleep(0.05)
    guarded.finish(make_ending(run))
    guarded.wait()
    again = "recorder works again: all so far is in there."
    assert guarded.take_messages() == [WARNING, again, again]
    assert guarded.take_messages() == []
    assert tracker.told == [
        *("abandon", "begin", "epoch 1", "abandon"),
        *("begin", "epoch 2", "epoch 3", "finished"),
    ]


def test_a_tracker_that_failed_has_one_more_try_at_the_end(run: TrackedRun) -> None:
    tracker = Recorder(begin=1)
    assert record(tracker, run)[0] == WARNING
    assert tracker.told == ["abandon", "begin", "epoch 1", "epoch 2", "finished"]


def test_a_tracker_that_always_fails_is_told_once(run: TrackedRun) -> None:
    tracker = Recorder(begin=99, abandon=99)
    assert record(tracker, run, epochs=5) == [WARNING]
    assert tracker.told == []
    assert 90 < tracker.fails["begin"] <= 97  # at the start and at the end, not for each epoch


def test_a_tracker_that_hangs_holds_up_only_the_end_and_not_for_long(run: TrackedRun) -> None:
    class Hanging(Recorder):
        def begin(self, run: TrackedRun) -> None:
            never.wait()

    never = threading.Event()
    tracker = Hanging()
    tracker.timeout_seconds = 0.3
    begun = time.monotonic()
    guarded = Guarded(tracker, run, MemoryFile(run.paths.root))
    guarded.log_epoch(make_epoch(1))
    guarded.finish(make_ending(run))
    assert time.monotonic() - begun < 0.2
    guarded.wait()
    assert 0.3 <= time.monotonic() - begun < 2
    assert guarded.take_messages() == [
        "Warning: recorder failed, and the run goes on without it: "
        "it didn't take all of the run within 0.3 s."
    ]
    never.set()


def test_after_ctrl_c_the_end_waits_less(run: TrackedRun) -> None:
    class Slow(Recorder):
        def finish(self, ending: Ending) -> None:
            never.wait()

    never = threading.Event()
    guarded = Guarded(Slow(), run, MemoryFile(run.paths.root))
    guarded.finish(make_ending(run, state="interrupted"))
    begun = time.monotonic()
    guarded.wait(at_most=0.2)
    assert time.monotonic() - begun < 1
    never.set()


def test_memory_that_is_damaged_is_told_and_begun_anew(run: TrackedRun) -> None:
    path = run.paths.root / "trackers.json"
    path.write_text('{"format": 1, "trackers": [1]}')
    memory = MemoryFile(run.paths.root)
    assert memory.read() == f"{path} is damaged: expected a mapping for each tracker."
    assert memory.get("recorder") == {}
    path.write_text('{"format": 2}')
    told = MemoryFile(run.paths.root).read()
    assert told == f"{path} is of format 2; this dltrain reads 1."


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModuleNotFoundError("No module named 'x'"), "ModuleNotFoundError: No module named 'x'"),
        (KeyError("loss"), "KeyError: 'loss'"),
        (ValueError(), "ValueError"),
        (OSError("\n  The server is down.\nDetails"), "The server is down"),
    ],
)
def test_an_error_becomes_one_line(error: Exception, text: str) -> None:
    assert describe_error(error) == text


def test_a_long_error_is_cut() -> None:
    told: Any = describe_error(OSError("no such thing " * 99))
    assert len(told) == 300
    assert told.endswith("…")
