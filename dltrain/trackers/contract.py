"""What does a tracker take of a run, and what must it promise?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from dltrain.runs.layout import RunPaths

State = Literal["finished", "failed", "interrupted"]
Memory = dict[str, Any]
"""What a tracker must know when the run goes on: ids, and the last epoch it has. JSON-able."""


@dataclass(frozen=True)
class TrackedRun:
    """What is recorded: the run's files, its resolved config, and where it begins.

    `epochs_done` counts the epochs before this session; what a tracker holds of later ones was
    trained by a process that was killed, and is trained again. `offline` asks for no network.
    """

    paths: RunPaths
    config: Mapping[str, Any]
    device: str
    epochs_done: int
    offline: bool

    @property
    def name(self) -> str:
        """Return the name of the config, such as `mnist-cnn`."""
        return str(self.config["name"])

    @property
    def label(self) -> str:
        """Return the name the run goes by, such as `mnist-cnn/0001`."""
        return self.paths.label


@dataclass(frozen=True)
class Epoch:
    """What an epoch (from 1) gave: the row of history.csv, and the weights where they are wanted.

    `weights` are copies, `layer/variable` → array of any shape.
    """

    number: int
    values: Mapping[str, float]
    time: float
    """When it ended, in seconds since 1970."""
    weights: Mapping[str, npt.NDArray[Any]] | None = None


@dataclass(frozen=True)
class Ending:
    """How a run ended. Of one that finished the final scores and the run's files are there."""

    state: State
    time: float
    root: Path
    splits: Mapping[str, Mapping[str, Any]]
    files: tuple[Path, ...]
    """Files to upload, inside `root`, the run directory."""


class Tracker:
    """Record a run in another tool. Anything may be raised: it is told once, and tried again.

    All methods are called in one thread, which is not the one that trains. After an exception
    `begin` comes first again, with the same `memory`, and then the call that failed. So whatever a
    call has done before it failed must not be there twice when it is repeated.
    """

    name = ""
    histogram_freq = 0
    """Epochs between those whose weights are wanted; 0: none are."""
    timeout_seconds: float = 60.0

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.where = ""
        """Where a person finds the run; known once `begin` has returned."""
        self.memory: Memory = {}
        """Kept in the run from session to session. It is written after every call."""
        self.timeout_seconds = float(options["timeout_seconds"])

    def begin(self, run: TrackedRun) -> None:
        """Connect: make the tool's run, or go on with the one in `memory`."""
        raise NotImplementedError

    def log_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Record epochs, in order, but for those that are there from an earlier call or session.

        There are several where the training is faster than the tracker.
        """
        raise NotImplementedError

    def finish(self, ending: Ending) -> None:
        """Record the final scores and files, and how the run ended; let go of everything."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Let go of everything after a failure, as far as that can be done."""

    def explain(self, error: Exception) -> str:
        """Return what an exception means to a person; "" where its own words say it."""
        return ""
