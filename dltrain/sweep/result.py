"""What did the trials of a sweep give, and which is the best? sweep.json, and best.yaml.

{"format": 1, "name", "state": running | finished | interrupted | failed, "reason", "method",
 "pruner", "metric": [...], "direction": [...], "seed", "goal", "study", "storage", "member",
 "threads",
 "trials": [{"trial", "run", "at": null (here) | {"host", "sweep": its folder there}, "state",
             "reason", "values": {path: value}, "results": [...] | null, "epochs"}, ...],
 "best": its number | null, "front": [numbers that no other beats], "test": {metric, value} | null,
 "retrained": as `finalists.describe_finalists` returns it}

`best` is the trial that won with other seeds, if some were trained again. Else, of several
objectives, it is the one of the front that is best in the first of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dltrain.config.sweep import Objective, Sweep
from dltrain.errors import RunError
from dltrain.runs.atomic import remove_leftovers, write_text
from dltrain.runs.history import read_history
from dltrain.runs.history_lines import write_history_lines
from dltrain.runs.layout import RunPaths
from dltrain.runs.lock import release_run, wait_for_run
from dltrain.runs.metrics import read_metrics_record
from dltrain.runs.status import read_status, write_status
from dltrain.runs.sweeps import SweepPaths
from dltrain.sweep.claims import Member
from dltrain.sweep.study import Recorded
from dltrain.sweep.words import format_means

# How long a worker that outlived its sweep may hold a trial that has ended.
_HELD_SECONDS = 60.0


def describe_trials(
    paths: SweepPaths, trials: Sequence[Recorded], *, places: Mapping[int, Member | None]
) -> list[dict[str, Any]]:
    """Return the rows of sweep.json, one a trial, in their order; None is a place here."""
    return [
        {
            "trial": each.number,
            "run": paths.trial(each.number).root.name,
            "at": _describe_place(places[each.number]),
            "state": each.state,
            "reason": each.reason,
            "values": dict(each.values),
            "results": None if each.results is None else list(each.results),
            # The history of one that is at work here says more than the study, or as much.
            "epochs": count_epochs(paths.trial(each.number))
            if each.state == "running" and places[each.number] is None
            else each.epochs,
        }
        for each in trials
    ]


def describe_elsewhere(document: Mapping[str, Any]) -> list[str]:
    """Return sentences on what of a sweep lies in folders of other processes, for people."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in document["trials"]:
        if row["at"] is not None:
            found.setdefault((row["at"]["host"], row["at"]["sweep"]), []).append(str(row["trial"]))
    lines = [
        f"trained on {host}, in {folder}: {', '.join(trials)}"
        for (host, folder), trials in found.items()
    ]
    if document["best"] is None or document["test"] or document["state"] != "finished":
        return lines
    best = find_row(document, document["best"])
    if best["at"] is not None:
        run = f"{best['at']['sweep']}/{best['run']}"
        lines.append(
            f"test rows not scored: the best trial lies on {best['at']['host']}, whose process is "
            f"gone. There: dltrain eval {run}"
        )
    return lines


def find_front(trials: Sequence[Recorded], objectives: Sequence[Objective]) -> list[Recorded]:
    """Return the trials that no other beats, best first; of one objective, all that are equal.

    "Best first" is by the first objective, then the second, …; the earlier trial wins a tie.
    """
    ranked = sort_trials(trials, objectives)
    scores = [_orient(each, objectives) for each in ranked]
    return [
        trial
        for score, trial in zip(scores, ranked, strict=True)
        if not any(_beats(other, score) for other in scores)
    ]


def sort_trials(trials: Sequence[Recorded], objectives: Sequence[Objective]) -> list[Recorded]:
    """Return the trials that have results, best first as for `find_front`."""
    scored = [each for each in trials if each.results is not None]
    return sorted(scored, key=lambda each: (_orient(each, objectives), each.number))


def read_results(run: RunPaths, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """Return a finished run's values at the epoch whose model it kept; None if it hasn't finished.

    Raises RunError if its files are damaged.
    """
    if not run.status.is_file() or read_status(run.status).state != "finished":
        return None
    best = read_metrics_record(run.metrics)["training"]["best_epoch"]
    for row in read_history(run.history):
        if row["epoch"] == best:
            return tuple(row[each.metric] for each in objectives)
    raise RunError(f"{run.history} has no row of the best epoch, {best}.")


@contextlib.contextmanager
def holding_run(run: RunPaths) -> Iterator[None]:
    """Hold a trial's run in the block, without what killed writes have left in it.

    Raises RunError if a worker that outlived its sweep holds it for long.
    """
    wait_for_run(run, seconds=_HELD_SECONDS)
    try:
        for folder in (run.root, run.checkpoints):
            remove_leftovers(folder)
        yield
    finally:
        release_run(run)


def note_pruned(run: RunPaths) -> None:
    """Let a trial's files say that it was pruned, if it was killed before it could say so."""
    write_history_lines(run.history_lines, read_history(run.history))
    status = read_status(run.status)
    if status.stopped_by != "pruned":
        reached = f"pruned after {status.epochs_done} of {status.epochs_goal} epochs"
        write_status(run.status, status.end("interrupted", reason=reached, stopped_by="pruned"))


def write_best(
    paths: SweepPaths,
    best: Recorded,
    sweep: Sweep,
    *,
    threads: int | None,
    place: Member | None,
    finalist: Mapping[str, Any] | None = None,
) -> None:
    """Write best.yaml: the best trial's config, which `fit` trains to the same model.

    That is the trial's own run, with its own seed, also where it won as a `finalist`. `place` is
    where it was trained, None for here, and `threads` what each worker has here.
    """
    results = best.results or ()
    values = ", ".join(
        f"{each.metric} {value:.6g}" for each, value in zip(sweep.objectives, results, strict=True)
    )
    head = f"# The best of {paths.label}: trial {best.number}, {values}.\n"
    if finalist is not None:
        means = ", ".join(
            f"{each.metric} {told}"
            for each, told in zip(sweep.objectives, format_means(finalist), strict=True)
        )
        head += f"# Over {len(finalist['runs'])} other seeds: {means}.\n"
    if place is not None:
        head += f"# It was trained on {place.host}; on another machine the last bits may differ.\n"
    elif threads is not None:
        head += (
            f"# It was trained on {threads} thread{'' if threads == 1 else 's'}; the last bits may "
            f"differ unless TF_NUM_INTRAOP_THREADS={threads}.\n"
        )
    text = paths.trial_config(best.number).read_text(encoding="utf-8")
    write_text(paths.best, head + text)


def describe_sweep(sweep: Sweep) -> dict[str, Any]:
    """Return what sweep.json says of the sweep itself."""
    return {
        "method": sweep.method,
        "pruner": sweep.pruner["type"],
        "metric": [each.metric for each in sweep.objectives],
        "direction": [each.direction for each in sweep.objectives],
        "seed": sweep.seed,
    }


def _describe_place(place: Member | None) -> dict[str, str] | None:
    return None if place is None else {"host": place.host, "sweep": str(place.folder)}


def _orient(trial: Recorded, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return the results so that less is better."""
    assert trial.results is not None
    return tuple(
        value if each.direction == "minimize" else -value
        for each, value in zip(objectives, trial.results, strict=True)
    )


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def count_epochs(run: RunPaths) -> int:
    """Return how many epochs a run has done, as far as its history can be read."""
    try:
        return len(read_history(run.history))
    except RunError:
        return 0


def find_row(document: Mapping[str, Any], trial: int) -> Mapping[str, Any]:
    """Return the row of a trial in what sweep.json holds."""
    row: Mapping[str, Any] = next(row for row in document["trials"] if row["trial"] == trial)
    return row


def sort_rows(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of the trials, best first by the first objective; without a result last."""
    sign = 1 if document["direction"][0] == "minimize" else -1

    def rank(row: Mapping[str, Any]) -> tuple[bool, float, int]:
        results = row["results"]
        return results is None, sign * results[0] if results else 0.0, row["trial"]

    return sorted(document["trials"], key=rank)
