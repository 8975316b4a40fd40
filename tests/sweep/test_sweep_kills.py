"""Does a sweep whose processes are killed, and resumed, equal one that never was? To the bit."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from compared_sweeps import (
    PLACE,
    TWO,
    Reference,
    check_the_same,
    go,
    make_reference,
    read_record,
    read_sweep,
    write,
)
from killing import Kill
from killing_points import Point
from sweep_killing import SWEEP, Act, SweepNursery

# Workers see at once that their sweep is gone; this is for a loaded machine.
ORPHANS_SECONDS = 15


def kill(process: int, kind: str, number: int = 1) -> Act:
    return Act(process, Kill(kind, Point.of(kind, number)))


# What happens to the sweep's process (0) and to its first worker in one go after the other.
GOES: list[list[Act]] = [
    [kill(SWEEP, "half write study.journal")],
    [kill(1, "half write checkpoint", 30), kill(SWEEP, "after receive epoch", 2)],
    [kill(1, "after receive on"), kill(SWEEP, "half write 0002.yaml")],
    [kill(1, "after send epoch"), kill(SWEEP, "after receive pruned")],
    [kill(SWEEP, "after fsync study.journal", 7)],
    [kill(1, "before send finished"), kill(SWEEP, "before replace best.yaml", 3)],
    [kill(1, "after receive train"), kill(SWEEP, "half write sweep.json", 4)],
    [kill(1, "half write evaluation-test.json"), kill(SWEEP, "after receive tested")],
]


# Without a pruner the worker waits for no answer, and may be ahead of what the sweep has heard.
GOES_WITHOUT_ANSWERS: list[list[Act]] = [
    [kill(SWEEP, "after receive epoch", 2)],
    [kill(1, "after send epoch", 2), kill(SWEEP, "before send train", 3)],
    [kill(SWEEP, "after receive finished")],
    [kill(1, "half write evaluation-validation.json")],
]


@dataclass
class Figures:
    """What the kills met, and what they cost."""

    kinds: Counter[str] = field(default_factory=Counter)
    worker_kills: int = 0
    epochs_trained: int = 0
    epochs_needed: int = 0
    processes: int = 0
    sweeps: int = 0
    orphans: int = 0
    orphans_seconds: float = 0.0


def go_on_to_the_end(
    reference: Reference,
    nursery: SweepNursery,
    folder: Path,
    goes: Iterable[Sequence[Act]],
    figures: Figures,
) -> list[Act]:
    """Run the sweep in `folder` with each of `goes`, then to its end; return kills that missed."""
    figures.sweeps += 1
    remaining = iter(goes)
    missed: list[Act] = []
    while True:
        acts = next(remaining, ())
        figures.processes += 1
        ended = go(
            nursery,
            folder,
            reference.workers,
            resume=(folder / PLACE).is_dir(),
            acts=acts,
            # Every second time the next sweep begins while the workers of the last may live.
            wait_for_orphans=figures.processes % 2 == 1,
        )
        count_kills(folder, acts, figures, missed)
        figures.orphans += len(ended.orphans)
        figures.orphans_seconds = max(figures.orphans_seconds, ended.orphans_seconds)
        assert ended.orphans_seconds < ORPHANS_SECONDS
        if not ended.was_killed:
            assert ended.code == 0, ended.err
            break
    check_the_same(reference, folder)
    figures.epochs_needed += sum(row["epochs"] for row in read_sweep(folder)["trials"])
    # A killed sweep costs nothing: its workers write checkpoints. A killed worker costs an epoch.
    assert 0 <= figures.epochs_trained - figures.epochs_needed <= figures.worker_kills
    return missed


def count_kills(folder: Path, acts: Iterable[Act], figures: Figures, missed: list[Act]) -> None:
    """Count which of the kills came, and how many epochs were trained."""
    points = read_record(folder)
    for process, met in points.items():
        if process != SWEEP:
            figures.epochs_trained += sum(point.kind == "before send epoch" for point in met)
    for act in acts:
        assert act.kill is not None
        if act.kill.point is not None and act.kill.point not in points.get(act.process, ()):
            missed.append(act)
            continue
        who = "sweep" if act.process == SWEEP else "worker"
        figures.kinds[f"{who}: {act.kill.kind}"] += 1
        figures.worker_kills += act.process != SWEEP


def test_a_sweep_killed_at_each_kind_of_moment_is_the_same_to_the_bit(
    whole_sweep: Reference, sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    states = {row["state"] for row in read_sweep(whole_sweep.folder)["trials"]}
    assert states == {"finished", "pruned"}
    torn, figures = tmp_path / "torn", Figures()
    write(torn, whole_sweep.sweep)
    missed = go_on_to_the_end(whole_sweep, sweep_nursery, torn, GOES, figures)
    assert missed == []


def test_a_sweep_whose_workers_dont_wait_for_it_is_the_same_after_kills(
    sweep_nursery: SweepNursery, tmp_path: Path
) -> None:
    whole = make_reference(sweep_nursery, tmp_path / "whole", TWO, workers=1)
    torn = tmp_path / "torn"
    write(torn, TWO)
    assert go_on_to_the_end(whole, sweep_nursery, torn, GOES_WITHOUT_ANSWERS, Figures()) == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_hundred_kills_of_sweeps_and_workers_leave_no_trace(
    whole_sweep: Reference,
    sweep_nursery: SweepNursery,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    workers: int,
) -> None:
    """Kill at moments drawn from all that there are; print what was met."""
    reference = whole_sweep
    if workers == 2:
        reference = make_reference(sweep_nursery, tmp_path / "whole", TWO, workers=2)
    draw, figures = random.Random(workers), Figures()
    while figures.kinds.total() < 100:
        folder = tmp_path / "torn"
        write(folder, reference.sweep)
        go_on_to_the_end(reference, sweep_nursery, folder, draw_goes(reference, draw), figures)
        shutil.rmtree(folder)
        with capsys.disabled():
            print(f"{figures.kinds.total()} kills in {figures.sweeps} sweeps, all equal so far")
    with capsys.disabled():
        print(f"\n{workers} worker(s): {figures.kinds.total()} kills in {figures.sweeps} sweeps")
        print(
            f"  processes: {figures.processes}; workers killed: {figures.worker_kills}; epochs "
            f"trained: {figures.epochs_trained}, needed: {figures.epochs_needed}"
        )
        print(
            f"  workers that outlived their sweep: {figures.orphans}, at most "
            f"{figures.orphans_seconds:.1f} s"
        )
        for kind, count in sorted(figures.kinds.items(), key=lambda item: -item[1]):
            print(f"  {count:4d}  {kind}")


def draw_goes(reference: Reference, draw: random.Random) -> list[list[Act]]:
    """Draw what happens in ten goes: to the sweep in each, to one of its workers in most."""
    goes = []
    for _ in range(10):
        acts = [draw_kill(reference, SWEEP, draw)]
        if draw.random() < 0.8:
            acts.append(draw_kill(reference, draw.randint(1, reference.workers), draw))
        goes.append(acts)
    return goes


def draw_kill(reference: Reference, process: int, draw: random.Random) -> Act:
    """Draw a moment: each kind of call as likely as the other, one in five at any time."""
    if draw.random() < 0.2:
        return Act(process, Kill("any time", after_seconds=draw.uniform(0.1, 4)))
    counts = Counter(point.kind for point in reference.points[process])
    kind = draw.choice(sorted(counts))
    # A go has about a tenth of the sweep to do.
    return kill(process, kind, draw.randint(1, max(1, counts[kind] // 10)))
