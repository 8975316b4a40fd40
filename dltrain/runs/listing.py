"""Which runs are there, and how did each go?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dltrain.errors import RunError
from dltrain.runs.layout import RunPaths, parse_number
from dltrain.runs.metrics import find_headline, read_metrics
from dltrain.runs.repeats import find_mean_headline, holds_repeats, read_repeats
from dltrain.runs.status import State, is_stale, read_status

# "killed": it says `running`, and its process is gone. "damaged": a file of it can't be read.
ListedState = State | Literal["killed", "damaged"]


@dataclass(frozen=True)
class RunSummary:
    """Describe a run in a line. `metric` and `value` are its headline on `split`."""

    path: Path
    name: str
    number: int | None
    state: ListedState
    reason: str
    split: str | None = None
    metric: str | None = None
    value: float | None = None
    epochs_done: int | None = None
    epochs_goal: int | None = None
    seconds: float | None = None
    started_at: str | None = None
    std: float | None = None
    """Of a run with repeats: the standard deviation of `value`, which then is their mean."""
    repeats_done: int | None = None
    repeats_goal: int | None = None

    @property
    def label(self) -> str:
        """Return what `dltrain eval` takes: `mnist-cnn/0001`."""
        return RunPaths(self.path).label


def list_runs(root: Path) -> list[RunSummary]:
    """Return the runs of `root`, newest first; damaged ones, whose time isn't known, last.

    Runs are `root/NAME/0001`, and any other folder one or two levels down that holds a run's
    files. A missing `root` holds none.
    """
    summaries = [summarize_run(paths) for paths in find_runs(root)]
    summaries.sort(key=lambda summary: (summary.name, summary.number or 0), reverse=True)
    # Stable: among runs that began in the same second the higher number stays first.
    summaries.sort(key=lambda summary: summary.started_at or "", reverse=True)
    return summaries


def summarize_run(paths: RunPaths) -> RunSummary:
    """Return the run in a line; never raises for damaged files, but says which one is."""
    here = {"path": paths.root, "name": paths.name, "number": paths.number}
    try:
        status = read_status(paths.status)
    except RunError as error:
        return RunSummary(**here, state="damaged", reason=error.message)  # type: ignore[arg-type]
    state: ListedState = "killed" if is_stale(status) else status.state
    reason, headline, std = status.reason, None, None
    if state == "killed":
        reason = f"its process {status.pid} is gone without a word"
    if holds_repeats(paths):
        try:
            mean = find_mean_headline(read_repeats(paths)["splits"])
        except RunError as error:
            state, reason = "damaged", error.message
        else:
            if mean is not None:
                headline, std = (*mean[:2], mean[2]["mean"]), mean[2]["std"]
    elif status.state == "finished" or paths.metrics.exists():
        try:
            headline = find_headline(read_metrics(paths.metrics))
        except RunError as error:
            state, reason = "damaged", error.message
    split, metric, value = headline or (None, None, None)
    return RunSummary(
        path=paths.root,
        name=paths.name,
        number=paths.number,
        state=state,
        reason=reason,
        split=split,
        metric=metric,
        value=value,
        epochs_done=status.epochs_done,
        epochs_goal=status.epochs_goal,
        seconds=status.elapsed_seconds,
        started_at=status.started_at,
        std=std,
        repeats_done=status.repeats_done,
        repeats_goal=status.repeats_goal,
    )


def find_runs(root: Path) -> Iterator[RunPaths]:
    """Yield the runs of `root` by their folders' names; nothing of them is read."""
    for folder in _folders(root):
        if RunPaths(folder).looks_like_run():
            yield RunPaths(folder)
            continue
        for entry in _folders(folder):
            if parse_number(entry.name) is not None or RunPaths(entry).looks_like_run():
                yield RunPaths(entry)


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
