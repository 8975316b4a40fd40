"""Which of a sweep's best trials is best with other seeds? They are trained again, and compared.

A trial was chosen because its result is good, so some of that is luck: its seed's initial weights,
row order and held-out rows suited it. Its mean over seeds that chose nothing has none of that luck,
which is why the search's own run isn't part of it. All finalists get the same seeds, and so the
same held-out rows: they differ by their values alone.

Everything is read from the runs' own files, so that a sweep that was killed goes on by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.config.sweep import Retrain, Sweep
from dltrain.errors import RunError
from dltrain.runs.history import read_history
from dltrain.runs.layout import RunPaths
from dltrain.runs.repeats import TO_DO, spread
from dltrain.runs.status import is_stale, read_status
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.result import find_front, read_results, sort_trials
from dltrain.sweep.study import Recorded

# Of the states of a run, those after which it isn't trained any more.
_ENDED = ("finished", "failed")

_MOST_SEED = 2**31 - 1


def describe_finalists(
    paths: SweepPaths, sweep: Sweep, trials: Sequence[Recorded], *, goal: int
) -> dict[str, Any] | None:
    """Return what sweep.json says of them; None before every trial has ended, or without them.

    {"top", "seeds": [...], "trials": [{"trial", "runs": [{"seed", "run", "state", "reason",
    "results": [...] | null, "epochs"}, ...], "mean": [...] | null, "std": [...] | null}, ...],
    "winner": a trial's number | null}

    `mean` and `std` (with n - 1; null for one seed) are those of each objective. A trial that
    failed with one of the seeds has neither, and can't win: a mean over the seeds that went well
    would be too good. There is no winner before all have ended, or where each of them failed.
    """
    retrain = sweep.retrain
    ended = [each for each in trials if each.state != "running"]
    if retrain is None or len(ended) < goal:
        return None
    chosen = choose_finalists(trials, sweep, top=retrain.top)
    seeds = choose_seeds(chosen, retrain)
    rows = [_describe(paths, sweep, each.number, seeds) for each in chosen]
    return {
        "top": retrain.top,
        "seeds": seeds,
        "trials": rows,
        "winner": _find_winner(rows, sweep),
    }


def choose_finalists(trials: Sequence[Recorded], sweep: Sweep, *, top: int) -> list[Recorded]:
    """Return the best trials, best first; of several with the same values the first.

    Of several objectives they are those of the front: another can't be best.
    """
    ranked = sort_trials(trials, sweep.objectives)
    if len(sweep.objectives) > 1:
        ranked = find_front(trials, sweep.objectives)
    different: dict[str, Recorded] = {}
    for each in ranked:
        different.setdefault(json.dumps(each.values, sort_keys=True), each)
    return list(different.values())[:top]


def choose_seeds(finalists: Sequence[Recorded], retrain: Retrain) -> list[int]:
    """Return seeds that none of the finalists was trained with: those after the highest."""
    used = max((each.values.get("seed", retrain.after) for each in finalists), default=0)
    return [1 + (used + place) % _MOST_SEED for place in range(retrain.seeds)]


def list_left(document: Mapping[str, Any] | None) -> list[tuple[int, int]]:
    """Return the trainings that are left, (trial, seed), seed by seed; none without finalists."""
    if document is None:
        return []
    left = [
        (run["seed"], place, row["trial"])
        for place, row in enumerate(document["trials"])
        for run in row["runs"]
        if run["state"] not in _ENDED
    ]
    return [(trial, seed) for seed, _, trial in sorted(left)]


def find_finalist(document: Mapping[str, Any] | None, trial: int) -> Mapping[str, Any] | None:
    """Return the row of a trial among the finalists that have a mean; None if it isn't one."""
    rows: Sequence[Mapping[str, Any]] = document["trials"] if document else ()
    return next((row for row in rows if row["trial"] == trial and row["mean"]), None)


def sort_finalists(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of the trials with other seeds, the best mean first; without one last."""
    sign = 1 if document["direction"][0] == "minimize" else -1
    return sorted(
        document["retrained"]["trials"],
        key=lambda row: (row["mean"] is None, sign * row["mean"][0] if row["mean"] else 0.0),
    )


def count_trainings(document: Mapping[str, Any] | None) -> int:
    """Return how many trainings with other seeds there are, done or not."""
    return 0 if document is None else sum(len(row["runs"]) for row in document["trials"])


def _describe(paths: SweepPaths, sweep: Sweep, trial: int, seeds: Sequence[int]) -> dict[str, Any]:
    runs = [_read_run(paths, sweep, trial, seed) for seed in seeds]
    results = [run["results"] for run in runs]
    means, deviations = None, None
    if all(each is not None for each in results):
        spreads = [spread(values) for values in zip(*results, strict=True)]
        means = [each["mean"] for each in spreads]
        deviations = [each["std"] for each in spreads]
        if len(seeds) == 1:
            deviations = None
    return {"trial": trial, "runs": runs, "mean": means, "std": deviations}


def _read_run(paths: SweepPaths, sweep: Sweep, trial: int, seed: int) -> dict[str, Any]:
    run = paths.retrained(trial, seed)
    row: dict[str, Any] = {
        "seed": seed,
        "run": run.root.relative_to(paths.root).as_posix(),
        "state": TO_DO,
        "reason": "",
        "results": None,
        "epochs": _count_epochs(run),
    }
    if not run.status.is_file():
        return row
    status = read_status(run.status)
    row["state"] = "killed" if is_stale(status) else status.state
    row["reason"] = status.reason if status.state == "failed" else ""
    results = read_results(run, sweep.objectives)
    row["results"] = None if results is None else list(results)
    return row


def _count_epochs(run: RunPaths) -> int:
    try:
        return len(read_history(run.history))
    except RunError:
        return 0


def _find_winner(rows: Sequence[Mapping[str, Any]], sweep: Sweep) -> int | None:
    """Return the trial whose mean of the first objective is best; the earlier place wins a tie."""
    if any(run["state"] not in _ENDED for row in rows for run in row["runs"]):
        return None
    whole = [row for row in rows if row["mean"] is not None]
    if not whole:
        return None
    sign = 1 if sweep.objectives[0].direction == "minimize" else -1
    winner: int = min(whole, key=lambda row: sign * row["mean"][0])["trial"]
    return winner
