"""What does a person see while a sweep works? A line a trial as it ends; in a terminal a table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from dltrain.commands.sweep_live import LiveTable
from dltrain.commands.terminal import is_watched
from dltrain.config.sweep import Sweep
from dltrain.escaping import escape_unprintable
from dltrain.runs.sweeps import SweepPaths, read_sweep_record
from dltrain.sweep.listener import SweepListener
from dltrain.sweep.result import find_row
from dltrain.sweep.space import describe_values
from dltrain.sweep.standing import (
    Standing,
    begin_training,
    end_epoch,
    end_training,
    read_document,
)
from dltrain.sweep.words import describe_short, format_results


class SweepView(SweepListener):
    """Show a sweep on stderr: a line for each trial that ends, and where it is watched a table."""

    def __init__(self, sweep: Sweep, *, workers: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._is_watched = is_watched(self._console)
        self._sweep, self._workers = sweep, workers
        self._table = LiveTable(self._console, [each.metric for each in sweep.objectives])

    def begin(self, paths: SweepPaths, *, goal: int, done: int) -> None:
        """Print where the sweep is."""
        before = f", {done} of them done before" if done else ""
        self._print(f"sweep {paths.root}: {goal} trials{before}")
        if not self._is_watched:
            return
        now = time.monotonic()
        limit = self._sweep.max_seconds
        retrain = self._sweep.retrain
        standing = Standing(
            goal,
            self._workers,
            now,
            deadline=None if limit is None else now + limit,
            finalists=0 if retrain is None else min(retrain.top, goal) * retrain.seeds,
        )
        if paths.record.is_file():
            standing = read_document(standing, read_sweep_record(paths))
        self._table.open(standing)

    def begin_trial(self, trial: int, values: Mapping[str, Any]) -> None:
        """Show the trial among those at work."""
        if standing := self._table.standing:
            self._table.standing = begin_training(standing, trial, values, now=time.monotonic())

    def end_epoch(self, trial: int, epoch: int, epochs: int, value: float) -> None:
        """Show how far the trial has come."""
        if standing := self._table.standing:
            self._table.standing = end_epoch(
                standing, trial, epoch=epoch, epochs=epochs, value=value
            )

    def end_trial(self, document: Mapping[str, Any], trial: int) -> None:
        """Print what the trial gave, and whether it is the best so far."""
        row = find_row(document, trial)
        mark = " *" if document["best"] == trial else ""
        gave = row["state"] if row["results"] is None else format_results(row["results"])
        if row["reason"]:
            gave += f" ({row['reason']})"
        if row["at"]:
            gave += f" on {row['at']['host']}"
        counted = f"{trial}/{document['goal']}"
        if standing := self._table.standing:
            standing = end_training(standing, trial, now=time.monotonic())
            self._table.standing = read_document(standing, document)
        head = f"trial {counted:>7}  {gave}{mark}  "
        if not self._is_watched:
            self._print(head + describe_values(row["values"]))
            return
        # One line each, cut at the edge: the table at the end has them whole.
        line = Text(escape_unprintable(head) + describe_short(row["values"]))
        self._console.print(line, no_wrap=True, overflow="ellipsis")

    def begin_retraining(self, trial: int, seed: int, values: Mapping[str, Any]) -> None:
        """Show the training among those at work."""
        if standing := self._table.standing:
            self._table.standing = begin_training(
                standing, trial, values, seed=seed, now=time.monotonic()
            )

    def end_retraining_epoch(
        self, trial: int, seed: int, epoch: int, epochs: int, value: float
    ) -> None:
        """Show how far the training has come."""
        if standing := self._table.standing:
            self._table.standing = end_epoch(
                standing, trial, seed=seed, epoch=epoch, epochs=epochs, value=value
            )

    def end_retraining(self, document: Mapping[str, Any], trial: int, seed: int) -> None:
        """Print what the training gave."""
        if standing := self._table.standing:
            standing = end_training(standing, trial, seed=seed, now=time.monotonic())
            self._table.standing = read_document(standing, document)
        finalist = next(row for row in document["retrained"]["trials"] if row["trial"] == trial)
        run = next(run for run in finalist["runs"] if run["seed"] == seed)
        gave = run["state"] if run["results"] is None else format_results(run["results"])
        reason = f" ({run['reason']})" if run["reason"] else ""
        self._print(f"trial {trial:>7}  seed {seed}: {gave}{reason}")

    def note(self, text: str) -> None:
        """Print one line."""
        self._print(text)

    def close(self) -> None:
        """Remove the table."""
        self._table.close()

    def _print(self, text: str) -> None:
        self._console.print(
            escape_unprintable(text), markup=False, soft_wrap=not self._console.is_terminal
        )
