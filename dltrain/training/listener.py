"""What can be heard of a training while it runs? The commands derive one that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dltrain.data.progress import Progress
from dltrain.model.summary import ModelSummary


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch: `epoch` counts from 1; `values` as in history.csv."""

    epoch: int
    epochs: int
    values: Mapping[str, float]
    seconds: float
    is_best: bool


@dataclass(frozen=True)
class Plan:
    """What is about to be trained."""

    run_directory: Path
    dataset: str
    rows: Mapping[str, int]
    device: str
    summary: ModelSummary
    batch_size: int
    epochs: int
    steps_per_epoch: int


class Listener(Progress):
    """Ignore everything; override what is of interest."""

    def plan(self, plan: Plan) -> None:
        """Take what is about to be trained, once, before the first step."""

    def begin_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Take that epoch `epoch` (from 1) begins."""

    def step(self, step: int, loss: float) -> None:
        """Take that `step` (from 1) of the epoch is done; `loss` is its mean so far."""

    def end_epoch(self, report: EpochReport) -> None:
        """Take what an epoch gave."""

    def close(self) -> None:
        """Clear what is shown of a running epoch, whatever ended it."""


class Remembering(Listener):
    """Pass everything on to another listener, and keep the warnings for the run's record."""

    def __init__(self, listener: Listener) -> None:
        self.warnings: list[str] = []
        self._listener = listener
        self.note = listener.note  # type: ignore[method-assign]
        self.advance = listener.advance  # type: ignore[method-assign]
        self.plan = listener.plan  # type: ignore[method-assign]
        self.begin_epoch = listener.begin_epoch  # type: ignore[method-assign]
        self.step = listener.step  # type: ignore[method-assign]
        self.end_epoch = listener.end_epoch  # type: ignore[method-assign]
        self.close = listener.close  # type: ignore[method-assign]

    def warn(self, text: str) -> None:
        """Keep the warning, and pass it on."""
        self.warnings.append(text)
        self._listener.warn(text)
