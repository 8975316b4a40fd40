"""How is a config trained several times, one seed after the other (`fit --repeats N`)?

Each repeat is a whole run in `repeats/1`, `repeats/2`, … of a run that holds them, with the seed,
the seed + 1, … All are trained in this process: TensorFlow is imported once, and the results are,
to the bit, those of `dltrain fit --seed K` (tests/training/test_repeats.py).
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.config.load import LoadedConfig
from dltrain.errors import RunError
from dltrain.runs.atomic import remove_leftovers
from dltrain.runs.checkpoint import list_checkpoints
from dltrain.runs.create import claim_run_directory, create_run_directory
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import hold_run, release_run
from dltrain.runs.metrics import read_metrics
from dltrain.runs.repeats import read_repeats
from dltrain.runs.status import read_status
from dltrain.training.engine import Device, forget_models
from dltrain.training.fit import fit
from dltrain.training.listener import Listener
from dltrain.training.repeats_outcome import RepeatsOutcome, recording_repeats
from dltrain.training.resume import read_run_config, refuse_differences

Announce = Callable[[int, int], Listener]
"""Takes a repeat (from 1) and its seed as it begins; returns who listens to its training."""


@dataclass(frozen=True)
class RepeatedResult:
    """What a run of repeats gave: `document` as in repeats.json, all of its repeats done."""

    paths: RunPaths
    document: Mapping[str, Any]

    @property
    def repeats(self) -> list[RunPaths]:
        """Return the repeats' own runs, in their order."""
        return [self.paths.repeat(row["repeat"]) for row in self.document["repeats"]]


def fit_repeats(
    loaded: LoadedConfig,
    *,
    repeats: int,
    announce: Announce,
    runs_root: Path,
    data_dir: Path,
    run_directory: Path | None = None,
    resume: bool = False,
    offline: bool = False,
    device: Device = "auto",
    score_train: bool = False,
    max_seconds: float | None = None,
    begun: float | None = None,
    command_line: Sequence[str] = (),
    findings: Sequence[Mapping[str, Any]] = (),
    afterwards: Callable[[RunPaths], None] | None = None,
) -> RepeatedResult:
    """Train `loaded` with `repeats` seeds, and write repeats.json after each.

    `resume` goes on with the run of repeats in `run_directory`: those that are done stay as they
    are. What is left of `max_seconds` (from `begun`) is shared out evenly among the repeats left.
    The first failure ends it all: a mean over the seeds that happened to go well would be too good.
    Raises what `fit` raises, with the repeat named; status.json never says finished before all are.
    """
    begun = time.perf_counter() if begun is None else begun
    paths = _take_directory(loaded, run_directory, runs_root, resume=resume)
    try:
        left = [
            number
            for number in range(1, repeats + 1)
            if not _is_done(paths.repeat(number), epochs=loaded.config.training.epochs)
        ]
        if resume:
            _refuse_unlike(paths, loaded, is_over=not left)
        outcome = RepeatsOutcome(paths, loaded, repeats)
        with recording_repeats(outcome, is_new=not resume):
            for position, number in enumerate(left):
                now = time.perf_counter() if position else begun
                share = None
                if max_seconds is not None:
                    share = max(0.0, begun + max_seconds - now) / (len(left) - position)
                seed = loaded.config.seed + number - 1
                child = paths.repeat(number)
                outcome.current = f"Repeat {number} of {repeats} (seed {seed})"
                goes_on = _prepare_directory(child)
                fit(
                    _with_seed(loaded, seed),
                    data_dir=data_dir,
                    runs_root=runs_root,
                    run_directory=child.root,
                    resume=goes_on,
                    offline=offline,
                    device=device,
                    score_train=score_train,
                    max_seconds=share,
                    begun=now,
                    command_line=command_line,
                    findings=findings,
                    afterwards=afterwards,
                    listener=announce(number, seed),
                )
                forget_models()
                outcome.count()
    finally:
        release_run(paths)
    return RepeatedResult(paths, outcome.document)


def _with_seed(loaded: LoadedConfig, seed: int) -> LoadedConfig:
    return dataclasses.replace(loaded, config=loaded.config.model_copy(update={"seed": seed}))


def _take_directory(
    loaded: LoadedConfig, run_directory: Path | None, runs_root: Path, *, resume: bool
) -> RunPaths:
    """Return the run that holds the repeats, held by this process."""
    if not resume:
        if run_directory is not None:
            return claim_run_directory(run_directory)
        return create_run_directory(loaded.config.name, root=runs_root)
    if run_directory is None:
        raise RunError("Resuming needs the directory of the run.")
    paths = RunPaths(run_directory)
    hold_run(paths)
    remove_leftovers(paths.root)
    return paths


def _is_done(child: RunPaths, *, epochs: int) -> bool:
    """Tell whether a repeat has come to its end, for a goal of `epochs`.

    One that --max-seconds cut short goes on, as a single run does. Raises RunError if it says that
    it has finished, and its numbers can't be read.
    """
    if not child.status.is_file():
        return False
    try:
        status = read_status(child.status)
        if status.state != "finished":
            return False
        read_metrics(child.metrics)
    except RunError as error:
        error.hint = f"Remove {child.root}, and go on: it will be trained again."
        raise
    return status.stopped_by != "max_seconds" and status.epochs_goal >= epochs


def _prepare_directory(child: RunPaths) -> bool:
    """Tell whether the repeat goes on; what was killed before it had anything is removed."""
    if not child.root.is_dir():
        return False
    if child.config.is_file():
        stands_still = False
        if child.status.is_file() and not list_checkpoints(child.checkpoints):
            stands_still = read_status(child.status).state == "finished"  # after no epoch at all
        if not stands_still:
            return True
    hold_run(child)  # nobody else is at work there
    release_run(child)
    shutil.rmtree(child.root)
    return False


def _refuse_unlike(paths: RunPaths, loaded: LoadedConfig, *, is_over: bool) -> None:
    recorded = read_run_config(paths)
    refuse_differences(paths, recorded.config, loaded.config)
    goal: int = read_repeats(paths)["goal"]
    finished = paths.status.is_file() and read_status(paths.status).state == "finished"
    if is_over and finished:
        raise RunError(
            f"{paths.root} has finished: all of its {goal} repeats are done.",
            hint=f"Nothing was changed. Add repeats with --repeats {goal + 2}.",
        )
