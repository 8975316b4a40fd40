"""Does a run that was killed, and resumed, equal one that never stopped? To the bit, everywhere."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from compared_runs import compare_runs, read_model
from killing import Ended, Kill, Nursery, choose_kills
from killing_points import Point, read_points
from resumable import CONFIGS

from dltrain.runs.checkpoint import list_checkpoints, read_last_checkpoint
from dltrain.runs.status import is_stale, read_status

# One for each place where a kill could hurt. The others are met by the slow test, which draws from
# all that there are.
KINDS = {
    "cosine": [
        "mid-training",
        "half write checkpoint",
        "before replace checkpoint",
        "after unlink checkpoint",
        "half write model.keras",
    ],
    "plateau": [
        "after replace checkpoint",
        "half write history.csv",
        "after replace status.json",
        "before replace model.keras",
        "half write metrics.json",
    ],
    "phases": [
        "mid-training",
        "after replace checkpoint",
        "after unlink checkpoint",
        "half write history.csv",
        "before replace model.keras",
    ],
}
STEPS_AN_EPOCH = 9


@dataclass(frozen=True)
class Reference:
    """A run that never stopped, the calls of its writing path, and how its process ended."""

    run: Path
    points: list[Point]
    ended: Ended


@dataclass
class Figures:
    """What the kills met: how many of each kind, torn files, steps that were taken again."""

    kinds: Counter[str] = field(default_factory=Counter)
    processes: int = 0
    runs: int = 0
    before_any_checkpoint: int = 0
    torn_checkpoints: int = 0
    partial_files: int = 0
    repeated_steps: list[int] = field(default_factory=list)


@pytest.fixture(scope="module", params=list(CONFIGS))
def reference(
    request: pytest.FixtureRequest, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Reference:
    """Train a config without a pause, and note every call at which it could have been killed."""
    folder = tmp_path_factory.mktemp(request.param)
    write_config(folder, request.param)
    record = folder / "record.jsonl"
    ended = nursery.run(*BEGIN, folder=folder, record=record)
    assert ended.code == 0, ended.err
    return Reference(folder / "run", read_points(record), ended)


BEGIN = ("fit", "config.yaml", "--run-dir", "run", "--json", "--quiet")
RESUME = ("fit", "--resume", "run", "--json", "--quiet")


def write_config(folder: Path, name: str) -> None:
    """Write a config of CONFIGS to config.yaml."""
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIGS[name], sort_keys=False))


def train_with_kills(
    nursery: Nursery, folder: Path, kills: Iterable[Kill], figures: Figures
) -> Ended:
    """Train in `folder`/run, die at each of `kills` in turn, and go on until the end is reached.

    A kill whose moment doesn't come before the end stays undone; those after it are left over.
    """
    run = folder / "run"
    figures.runs += 1
    remaining = iter(kills)
    while True:
        kill = next(remaining, None)
        began = (run / "config.yaml").exists()
        if not began:  # killed before it was a run: there is nothing to resume
            shutil.rmtree(run, ignore_errors=True)
        ended = nursery.run(*(RESUME if began else BEGIN), folder=folder, kill=kill)
        figures.processes += 1
        if not ended.was_killed:
            assert ended.code == 0, ended.err
            return ended
        assert kill is not None, "a process was killed by something else"
        figures.kinds[kill.kind] += 1
        look_at_what_is_left(run, ended, figures)
        if (run / "status.json").exists() and read_status(run / "status.json").state == "finished":
            (run / ".lock").unlink(missing_ok=True)  # nothing is left to do, nor anybody to do it
            return ended


def look_at_what_is_left(run: Path, ended: Ended, figures: Figures) -> None:
    """Look at the files of a run that was just killed: whole or absent, none looks finished."""
    if not run.exists():
        return
    figures.partial_files += any(run.rglob(".*.partial.*"))
    if (run / "model.keras").exists():
        read_model(run / "model.keras")
    if (run / "status.json").exists():
        status = read_status(run / "status.json")
        assert status.state == "finished" or is_stale(status)
        if status.state == "finished":
            json.loads((run / "metrics.json").read_text())
    checkpoint, notes = read_last_checkpoint(run / "checkpoints")
    figures.torn_checkpoints += len(notes)
    assert len(list_checkpoints(run / "checkpoints")) <= 3, "two are kept, a third is being made"
    if checkpoint is None:
        figures.before_any_checkpoint += 1
        figures.repeated_steps.append(ended.steps)
    else:
        kept = checkpoint.epoch * STEPS_AN_EPOCH + checkpoint.step
        # It can be older than the process: one that was killed before its first step took none.
        figures.repeated_steps.append(max(0, ended.steps - kept))


def check_the_same(reference: Reference, run: Path) -> None:
    """Hold a run to the one that never stopped; it left nothing beside its files."""
    assert compare_runs(reference.run, run) == []
    assert not list(run.rglob(".*"))


def test_the_configs_put_everything_to_the_test(reference: Reference) -> None:
    status = read_status(reference.run / "status.json")
    assert status.state == "finished"
    assert status.reason == f"stopped early after {status.epochs_done} of 12 epochs"
    history = (reference.run / "history.csv").read_text().splitlines()
    rates = {line.split(",")[history[0].split(",").index("learning_rate")] for line in history[1:]}
    assert len(rates) > 1, "the learning rate changed on the way"
    kinds = {point.kind for point in reference.points}
    assert {kind for kinds in KINDS.values() for kind in kinds} <= kinds | {"mid-training"}


def test_five_kills_leave_no_trace(reference: Reference, nursery: Nursery, tmp_path: Path) -> None:
    name = reference.run.parent.name.rstrip("0123456789")
    kinds = list(KINDS[name])
    kills = choose_kills(reference.points, kinds, reference=reference.ended, seed=len(name))
    figures = Figures()
    while kills:
        folder = tmp_path / str(figures.runs)
        folder.mkdir()
        write_config(folder, name)
        before = figures.kinds.total()
        train_with_kills(nursery, folder, kills, figures)
        check_the_same(reference, folder / "run")
        done = figures.kinds.total() - before
        assert done, f"{kills[0]} didn't come"
        kills = kills[done:]
    assert sorted(figures.kinds.elements()) == sorted(kinds)


def test_a_process_of_its_own_resumes_to_the_same_bits(
    reference: Reference, nursery: Nursery, tmp_path: Path
) -> None:
    """Hold the forked processes of the other tests to a plain one."""
    if "cosine" not in reference.run.parent.name:
        pytest.skip("one is enough: it takes ten seconds")
    write_config(tmp_path, "cosine")
    kill = Kill("after replace checkpoint", Point.of("after replace checkpoint", 4))
    assert nursery.run(*BEGIN, folder=tmp_path, kill=kill).was_killed
    ended = subprocess.run(
        [sys.executable, "-m", "dltrain", *RESUME, "--no-report"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    check_the_same(reference, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_hundred_kills_leave_no_trace(
    reference: Reference, nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Die a hundred times for each config, at moments drawn from all; print what was met."""
    name = reference.run.parent.name.rstrip("0123456789")
    generator = random.Random(20)
    counts = Counter(point.kind for point in reference.points)
    # .lock is removed after all else; a kill there is one of a run that has finished.
    kinds = sorted(kind for kind in counts if not kind.endswith(".lock"))
    # Two in five at a moment that no call marks.
    kinds += ["mid-training", "any time"] * (len(kinds) // 3)
    figures = Figures()
    while figures.kinds.total() < 100:
        # Up to six in one run: more, and the later ones hardly find anything to stop.
        drawn = [generator.choice(kinds) for _ in range(6)]
        drawn = drawn[: 100 - figures.kinds.total()]
        kills = choose_kills(
            reference.points, drawn, reference=reference.ended, seed=generator.randrange(2**32)
        )
        folder = tmp_path / "again"
        folder.mkdir()
        write_config(folder, name)
        train_with_kills(nursery, folder, kills, figures)
        check_the_same(reference, folder / "run")
        shutil.rmtree(folder)
    repeated = figures.repeated_steps
    with capsys.disabled():
        print(f"\n{name}: {figures.kinds.total()} kills in {figures.runs} runs, all equal")
        print(
            f"  processes: {figures.processes}; before any checkpoint: "
            f"{figures.before_any_checkpoint}; left a partial file: {figures.partial_files}; "
            f"checkpoints torn: {figures.torn_checkpoints}"
        )
        print(f"  steps taken again: {sum(repeated)} in all, at most {max(repeated)} after a kill")
        for kind, count in sorted(figures.kinds.items(), key=lambda item: -item[1]):
            print(f"  {count:4d}  {kind}")
