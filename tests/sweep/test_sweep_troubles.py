"""Does a sweep tell of a full disk, of memory that ran out, of a signal, and lose nothing by it?"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compared_sweeps import PLACE, Reference, check_the_same, go, read_sweep, write
from killing import Kill
from killing_points import Point
from sweep_killing import SWEEP, Act, SweepNursery
from tiny_runs import REGRESSION, change

GO_ON = "Go on with it: the same command with --resume.\n"


def fill(process: int, kind: str, number: int) -> Act:
    return Act(process, fill_at=Point.of(kind, number))


# Where the disk is full, and the file that then can't be written.
FULL = [
    (fill(SWEEP, "half write study.journal", 9), "study.journal", True),
    (fill(SWEEP, "half write sweep.json", 3), "sweep.json", True),
    (fill(SWEEP, "half write 0002.yaml", 1), "configs/0002.yaml", False),
    (fill(1, "half write history.jsonl", 2), "0003/history.jsonl", True),
    (fill(1, "half write checkpoint", 20), r"0004/checkpoints/\d{4}-\d{6}\.npz", False),
]


def test_a_disk_that_is_full_ends_the_sweep_which_goes_on_later_to_the_same_bits(
    whole_sweep: Reference, sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    folder = tmp_path / "full"
    write(folder, whole_sweep.sweep)
    for number, (act, name, was_there) in enumerate(FULL):
        ended = go(sweep_nursery, folder, 1, resume=number > 0, acts=[act])
        assert ended.code == 6, (name, ended.err)
        kept = "its earlier content is unchanged" if was_there else "no part of it was left behind"
        file, parent = Path(name).name, (PLACE / name).parent
        assert re.fullmatch(
            rf"error: The disk is full \(File too large\) while writing {PLACE}/{name}\.\n"
            r"Free some space, or choose another disk with --runs-dir, and start again\. "
            rf"{file} was not written \({kept}\); the other files of {parent} are whole\. {GO_ON}",
            ended.err,
        ), (name, ended.err)
        # The sweep's own record is as it was, or tells of it.
        assert read_sweep(folder)["state"] in ("running", "failed")
    # A log that takes no more is no reason to stop.
    log = folder / PLACE / "workers/1.log"
    log.write_bytes(bytes(1_000_000))
    act = Act(1, file_bytes=500_000)
    ended = go(sweep_nursery, folder, 1, resume=True, acts=[act])
    assert ended.code == 0, ended.err
    assert log.stat().st_size == 1_000_000
    check_the_same(whole_sweep, folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 200 KiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount(folder, "size=200k", remount=False):
        pytest.skip("mounting is not allowed here; the test above has the kernel refuse each file")
    yield folder
    ctypes.CDLL(None).umount2(os.fsencode(folder), 2)


def mount(folder: Path, options: str, *, remount: bool) -> bool:
    flags = 32 if remount else 0  # MS_REMOUNT, mount(2)
    libc = ctypes.CDLL(None, use_errno=True)
    return not libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode())


def test_a_small_disk_takes_the_rest_of_a_sweep_once_it_has_room(
    whole_sweep: Reference, sweep_nursery: SweepNursery, small_disk: Path
) -> None:
    folder = small_disk / "sweep"
    write(folder, whole_sweep.sweep)
    ended = sweep_nursery.run("sweep", "config.yaml", "--quiet", folder=folder)
    assert ended.code == 6, ended.err
    assert ended.err.startswith(
        f"error: The disk is full (No space left on device) while writing {PLACE}/"
    )
    assert ended.err.endswith(GO_ON)
    assert mount(small_disk, "size=64m", remount=True)
    resumed = sweep_nursery.run("sweep", "config.yaml", "--quiet", "--resume", folder=folder)
    assert resumed.code == 0, resumed.err
    check_the_same(whole_sweep, folder)


def hidden(**arguments: Any) -> dict[str, Any]:
    return {"type": "dense", "units": 4, **arguments}


HUGE = {"type": "constant", "value": 1e30}
HIDDEN = [
    hidden(),
    hidden(units=5),
    hidden(kernel_initializer=HUGE),
    hidden(units=400_000_000),  # 3 inputs: 4.8 GB of weights
    hidden(units=6),
]


def write_hidden(folder: Path, layers: list[dict[str, Any]]) -> None:
    sweep = {"method": "grid", "space": {"model.layers[0]": {"choice": layers}}}
    config = change(
        REGRESSION, sweep=sweep, model__layers=[hidden(), {"type": "dense", "units": 1}]
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def test_trials_that_fail_leave_the_others_alone(
    sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    write_hidden(tmp_path, HIDDEN)
    acts = [
        # As the kernel's out-of-memory killer does, once and once more.
        Act(1, Kill("", Point.of("after receive train", 2))),
        Act(2, Kill("", Point.of("after receive train", 1))),
        Act(3, memory_bytes=3 * 2**30),
    ]
    ended = sweep_nursery.run("sweep", "config.yaml", "--json", folder=tmp_path, acts=acts)
    assert ended.code == 0, ended.err
    rows = ended.json["trials"]
    states = ["finished", "failed", "failed", "failed", "finished"]
    assert [row["state"] for row in rows] == states
    assert (
        rows[1]["reason"] == "its worker was killed by signal 9, 2 times: memory may have run out"
    )
    assert rows[2]["reason"].startswith("The loss became ")
    assert rows[3]["reason"] == (
        "Memory ran out while dense (dense) was built: its weights don't fit."
    )
    status = json.loads((tmp_path / PLACE / "0003/status.json").read_text())
    assert (status["state"], status["reason"]) == ("failed", rows[2]["reason"])
    assert ended.json["state"] == "finished"
    notes = [line for line in ended.err.splitlines() if line.startswith("The worker")]
    assert notes == ["The worker of trial 2 was killed by signal 9; another goes on with it."]


def test_a_sweep_of_which_no_trial_ends_well_has_failed(
    sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    write_hidden(
        tmp_path, [hidden(kernel_initializer=HUGE), hidden(units=5, kernel_initializer=HUGE)]
    )
    ended = sweep_nursery.run("sweep", "config.yaml", "--quiet", folder=tmp_path)
    assert ended.code == 4
    document = read_sweep(tmp_path)
    assert [row["state"] for row in document["trials"]] == ["failed", "failed"]
    assert ended.err == (
        f"error: Not one of 2 trials ended well. The first: {document['trials'][0]['reason']}\n"
        f"`dltrain sweep show {PLACE}` lists them.\n"
    )


def test_signals_end_a_sweep_and_its_workers_and_it_goes_on(
    whole_sweep: Reference, sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    folder = tmp_path / "signalled"
    write(folder, whole_sweep.sweep)

    def send(number: int, *signals: int) -> Act:
        return Act(SWEEP, Kill("", Point.of("after receive epoch", number)), signals=signals)

    interrupted = go(sweep_nursery, folder, 1, resume=False, acts=[send(2, signal.SIGINT)])
    assert (interrupted.code, interrupted.orphans) == (130, [])
    assert interrupted.err == f"error: The sweep was interrupted: 0 of 5 trials are done.\n{GO_ON}"
    assert read_sweep(folder)["reason"] == "interrupted: 0 of 5 trials are done"

    terminated = go(sweep_nursery, folder, 1, resume=True, acts=[send(3, signal.SIGTERM)])
    assert (terminated.code, terminated.orphans) == (143, [])
    assert terminated.err == f"error: The sweep was terminated: 2 of 5 trials are done.\n{GO_ON}"

    # The second one doesn't wait for the workers, which end by themselves.
    twice = go(sweep_nursery, folder, 1, resume=True, acts=[send(1, signal.SIGINT, signal.SIGINT)])
    assert (twice.code, twice.err) == (130, "")
    assert twice.orphans_seconds < 15
    assert read_sweep(folder)["state"] == "running"

    resumed = go(sweep_nursery, folder, 1, resume=True)
    assert resumed.code == 0, resumed.err
    check_the_same(whole_sweep, folder)
