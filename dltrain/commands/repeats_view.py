"""What does a person see of `fit --repeats N`? A line each, then what they gave together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console

from dltrain.commands.fit_view import show_requirements, show_test_uses
from dltrain.commands.junit_option import JunitRecord
from dltrain.commands.repeats_table import show_repeats
from dltrain.commands.training_view import TrainingView
from dltrain.config.load import LoadedConfig
from dltrain.errors import RequirementError
from dltrain.evaluation.requirements import (
    Requirement,
    RequirementResult,
    average_results,
    check_requirements,
    describe_results,
    raise_if_unmet,
)
from dltrain.runs.metrics import read_metrics
from dltrain.training.listener import Listener, Plan
from dltrain.training.repeats import RepeatedResult, fit_repeats


class _RepeatView(TrainingView):
    """Show one repeat; the layers of the later ones are those of the first."""

    def __init__(self, number: int, repeats: int, seed: int, *, is_first: bool) -> None:
        super().__init__()
        self._is_first = is_first
        self._print(f"\nRepeat {number} of {repeats}, seed {seed}", style="bold")

    def plan(self, plan: Plan) -> None:
        """Print what is about to happen, whole for the first repeat only."""
        if self._is_first:
            super().plan(plan)
        else:
            self._print(f"run       {plan.run_directory}")


def run_repeats(
    loaded: LoadedConfig,
    *,
    repeats: int,
    requirements: Sequence[Requirement],
    record: JunitRecord,
    options: Mapping[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    """Train the repeats, print what they gave together, and check the requirements on the mean.

    `options` are those that `fit_repeats` shares with `fit`. Raises what it raises, and
    RequirementError.
    """
    begun_numbers: list[int] = []

    def announce(number: int, seed: int) -> Listener:
        begun_numbers.append(number)
        if quiet:
            return Listener()
        return _RepeatView(number, repeats, seed, is_first=len(begun_numbers) == 1)

    result = fit_repeats(loaded, repeats=repeats, announce=announce, **options)
    seconds = time.perf_counter() - options["begun"]
    checked = _check(requirements, result, seconds)
    record.results, record.properties = checked, {"run": result.paths.root, "repeats": repeats}
    if as_json:
        from dltrain.runs.atomic import to_json

        document = {**describe_repeats(result), "seconds": round(seconds, 2)}
        typer.echo(to_json({**document, "requirements": describe_results(checked)}))
    else:
        console = Console(highlight=False)
        show_repeats(console, result.document)
        show_requirements(checked)
        if checked:
            typer.echo(f"Each is checked on the mean of the {repeats} repeats.")
        show_test_uses(result.paths)
        typer.echo(f"{repeats} repeats, {seconds:.1f} s in all; run {result.paths.root}")
    try:
        raise_if_unmet(checked, run=result.paths.root)
    except RequirementError as error:
        error.message = f"On the mean of {repeats} repeats: {error.message}"
        raise


def describe_repeats(result: RepeatedResult) -> dict[str, Any]:
    """Return the JSON-able form of a run of repeats."""
    document = dict(result.document)
    del document["format"]
    return {"run": str(result.paths.root), "state": "finished", **document}


def _check(
    requirements: Sequence[Requirement], result: RepeatedResult, seconds: float
) -> list[RequirementResult]:
    """Return what came of the requirements on the mean; `seconds` are of the whole command."""
    if not requirements:
        return []
    found = []
    for row, paths in zip(result.document["repeats"], result.repeats, strict=True):
        facts: dict[str, float | None] = {
            "train.seconds": row["train_seconds"],
            "seconds": seconds,
            "epochs": row["epochs"],
            "best_epoch": row["best_epoch"],
        }
        scores = read_metrics(paths.metrics)
        found.append(check_requirements(requirements, scores=scores, facts=facts))
    return average_results(found)
