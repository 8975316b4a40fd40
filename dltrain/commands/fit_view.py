"""What does `fit` print in the end? The curve, the scores, what was required of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from dltrain.commands.diagnosis_view import show_diagnosis
from dltrain.config.load import LoadedConfig
from dltrain.evaluation.requirements import (
    Requirement,
    RequirementResult,
    check_requirements,
    describe_results,
    raise_if_unmet,
)
from dltrain.runs.layout import RunPaths
from dltrain.runs.metrics import read_metrics_record

if TYPE_CHECKING:
    from dltrain.commands.junit_option import JunitRecord
    from dltrain.training.fit import FitResult


def show_result(
    result: FitResult,
    loaded: LoadedConfig,
    requirements: Sequence[Requirement],
    record: JunitRecord,
    *,
    begun: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print what a training gave; the command began at `begun` (of time.perf_counter).

    `record` is told what came of the requirements. Raises RequirementError if one is not met.
    """
    seconds = time.perf_counter() - begun
    checked = _check(requirements, result, seconds)
    diagnosis = read_metrics_record(result.paths.metrics)["diagnosis"]
    record.results, record.properties = checked, describe_properties(result.paths, result.scores)
    if as_json:
        from dltrain.runs.atomic import to_json

        told = {"diagnosis": diagnosis, "requirements": describe_results(checked)}
        typer.echo(to_json({**describe_fit(result, seconds), **told}))
    else:
        if not quiet:
            _show_curves(result, monitor=loaded.config.training.monitor or "loss")
        show_scores(result.scores)
        show_requirements(checked)
        show_test_uses(result.paths)
        typer.echo(_last_line(result, seconds, loaded.config.training.epochs))
    if not quiet:
        from rich.console import Console

        show_diagnosis(Console(stderr=True, highlight=False), diagnosis)
    raise_if_unmet(checked, run=result.paths.root)


def describe_properties(
    paths: RunPaths, scores: Mapping[str, Mapping[str, Any]]
) -> dict[str, object]:
    """Return what a CI server shows beside the requirements: the run, each split's headline."""
    found: dict[str, object] = {"run": paths.root}
    for split, numbers in scores.items():
        name = numbers["headline"]
        found[f"{split}.{name}"] = numbers[name]["value"]
    return found


def describe_fit(result: FitResult, seconds: float) -> dict[str, Any]:
    """Return the JSON-able form of a finished run; `seconds` are those of the whole command."""
    return {
        "run": str(result.paths.root),
        "state": "finished",
        "stopped_by": result.stopped_by,
        "resumed_from": result.resumed_from,
        "data": result.data,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs_done,
        "seconds": round(seconds, 2),
        "train_seconds": round(result.train_seconds, 2),
        "checkpoint_seconds": round(result.checkpoint_seconds, 3),
        "splits": result.scores,
    }


def _show_curves(result: FitResult, *, monitor: str) -> None:
    from rich.console import Console

    from dltrain.commands.curve_view import show_curves

    console = Console(highlight=False)
    show_curves(console, result.history, monitor=monitor, best_epoch=result.best_epoch)


def show_test_uses(paths: RunPaths) -> None:
    """Print for how many configs the run's test rows were scored, if for more than one."""
    from rich.console import Console

    from dltrain.runs.test_uses import count_test_uses

    uses = count_test_uses(paths)
    if uses is not None and uses.sentence:
        console = Console(highlight=False)
        console.print(uses.sentence, markup=False, soft_wrap=not console.is_terminal)


def show_requirements(results: Sequence[RequirementResult]) -> None:
    """Print what was wanted and what was got, if anything was."""
    if not results:
        return
    from rich.console import Console

    from dltrain.evaluation.table import make_requirements_table

    Console(highlight=False).print(make_requirements_table(results))


def show_scores(scores: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a results table for each split."""
    from rich.console import Console

    from dltrain.evaluation.table import make_results_table

    console = Console(highlight=False)
    for split, numbers in scores.items():
        console.print(make_results_table(numbers, split=split))


def _check(
    requirements: Sequence[Requirement], result: FitResult, seconds: float
) -> list[RequirementResult]:
    facts: dict[str, float | None] = {
        "train.seconds": result.train_seconds,
        "seconds": seconds,
        "epochs": result.epochs_done,
        "best_epoch": result.best_epoch,
    }
    return check_requirements(requirements, scores=result.scores, facts=facts)


def _last_line(result: FitResult, seconds: float, goal: int) -> str:
    best = f"best epoch {result.best_epoch} of {result.epochs_done}"
    if not result.best_epoch:
        best = "no epoch was finished"
    line = f"{best}, {seconds:.1f} s in all; run {result.paths.root}"
    if result.stopped_by == "max_seconds":
        return f"stopped by --max-seconds after {result.epochs_done} of {goal} epochs\n{line}"
    return line
