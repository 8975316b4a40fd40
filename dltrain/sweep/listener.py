"""Who hears how a sweep goes?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.runs.sweeps import SweepPaths


class SweepListener:
    """Ignore everything that is heard of a sweep; override what is of interest."""

    def begin(self, paths: SweepPaths, *, goal: int, done: int) -> None:
        """Take where the sweep is, how many trials it has, and how many are done."""

    def begin_trial(self, trial: int, values: Mapping[str, Any]) -> None:
        """Take that a trial begins, or goes on."""

    def end_epoch(self, trial: int, epoch: int, epochs: int, value: float) -> None:
        """Take the first objective after an epoch."""

    def end_trial(self, document: Mapping[str, Any], trial: int) -> None:
        """Take what sweep.json holds now that the trial has ended."""

    def begin_retraining(self, trial: int, seed: int, values: Mapping[str, Any]) -> None:
        """Take that a trial is trained with another seed, or that goes on."""

    def end_retraining_epoch(
        self, trial: int, seed: int, epoch: int, epochs: int, value: float
    ) -> None:
        """Take the first objective after an epoch of such a training."""

    def end_retraining(self, document: Mapping[str, Any], trial: int, seed: int) -> None:
        """Take what sweep.json holds now that such a training has ended."""

    def note(self, text: str) -> None:
        """Take a sentence."""

    def close(self) -> None:
        """Clear what is shown of running trials."""
