"""`dltrain eval`: how good is the best model of a run?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.fit import (
    DeviceChoice,
    DeviceOption,
    RequireOption,
)
from dltrain.commands.fit_view import (
    describe_properties,
    show_requirements,
    show_scores,
    show_test_uses,
)
from dltrain.commands.junit_option import JunitOption, reporting_junit
from dltrain.commands.options import RunArgument, RunsDirOption, VerboseOption
from dltrain.errors import UsageError
from dltrain.runs.layout import DEFAULT_ROOT, RunPaths

if TYPE_CHECKING:
    from dltrain.evaluation.requirements import Requirement

# What `eval` knows beside the scores; the rest is of a training.
_FACTS = ("seconds",)


class SplitChoice(StrEnum):
    """The splits that `--split` takes."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


def evaluate(
    run: RunArgument,
    split: Annotated[SplitChoice, typer.Option("--split", help="Which rows.")] = SplitChoice.TEST,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="New labelled data of the same form, in place of a split: a folder with a folder "
            "for each class, .csv, .jsonl or .npz.",
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="NAME", help="Texts of --data: their column (text)."),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            "--threshold",
            metavar="RULE",
            help='Two classes: best-f1, 0.3, or "recall>=0.9", chosen on validation.',
        ),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            metavar="COLUMN",
            help="Numbers by group: a column of your CSV, text_length, brightness or class; "
            "may be repeated.",
        ),
    ] = None,
    sensitive: Annotated[
        list[str] | None,
        typer.Option(
            "--sensitive",
            metavar="COLUMN",
            help="Two classes: fairlearn's differences between the groups; may be repeated.",
        ),
    ] = None,
    require: RequireOption = None,
    junit: JunitOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Evaluate the best model of RUN: accuracy, precision, recall, F1, AUC-ROC, or the errors."""
    begun = time.perf_counter()
    from dltrain.evaluation.details import Details
    from dltrain.evaluation.requirements import (
        check_requirements,
        describe_results,
        parse_requirement,
        raise_if_unmet,
    )
    from dltrain.evaluation.thresholds import parse_threshold
    from dltrain.runs.find import resolve_run

    details = Details(
        threshold=None if threshold is None else parse_threshold(threshold),
        slices=tuple(dict.fromkeys(slices or ())),
        sensitive=tuple(dict.fromkeys(sensitive or ())),
    )
    if data is not None:
        if details or require or junit is not None or split is not SplitChoice.TEST:
            raise UsageError(
                "--data goes without --split, --threshold, --slice, --sensitive, --require and "
                "--junit."
            )
        paths = resolve_run(run, root=runs_dir)
        _evaluate_data(paths, data, column=column, device=device, as_json=as_json)
        return
    if column is not None:
        raise UsageError("--column goes with --data.")
    with reporting_junit(junit, command="eval", name=run) as record:
        requirements = [parse_requirement(text) for text in require or ()]
        paths = resolve_run(run, root=runs_dir)
        _check_names(requirements, paths, split)

        from dltrain.commands.training_view import TrainingView
        from dltrain.data.store import is_offline, resolve_data_dir
        from dltrain.runs.atomic import to_json
        from dltrain.training.evaluate import evaluate_run

        result = evaluate_run(
            paths,
            split=split.value,
            details=details,
            data_dir=resolve_data_dir(data_dir),
            offline=is_offline(offline),
            device=device.value,
            listener=TrainingView(),
        )
        if result.agrees is False:
            typer.echo(
                f"note: these numbers differ from those in {result.paths.metrics}: another "
                "machine, device or version computed them.",
                err=True,
            )
        results = check_requirements(
            requirements,
            scores={split.value: result.scores},
            facts={"seconds": time.perf_counter() - begun},
        )
        record.results = results
        record.properties = describe_properties(paths, {split.value: result.scores})
        if as_json:
            document = {"run": str(result.paths.root), "split": split.value, **result.scores}
            document |= {**result.details, "requirements": describe_results(results)}
            typer.echo(to_json(document))
            raise_if_unmet(results, run=result.paths.root)
            return
        from rich.console import Console

        from dltrain.evaluation.table import make_class_table, make_confusion_table

        console = Console(highlight=False)
        show_scores({split.value: result.scores})
        if "per_class" in result.scores:
            console.print(make_class_table(result.scores))
            console.print(make_confusion_table(result.scores))
        _show_details(result.details)
        show_requirements(results)
        if split is SplitChoice.TEST:
            show_test_uses(result.paths)
        typer.echo(f"written to {result.written_to}")
        raise_if_unmet(results, run=result.paths.root)


def _evaluate_data(
    paths: RunPaths, data: str, *, column: str | None, device: DeviceChoice, as_json: bool
) -> None:
    from dltrain.prediction.open_run import open_run

    run = open_run(paths, doing="evaluated")
    from dltrain.commands.training_view import TrainingView
    from dltrain.prediction.evaluate_data import evaluate_data
    from dltrain.runs.atomic import to_json

    result = evaluate_data(run, data, column=column, device=device.value, progress=TrainingView())
    if as_json:
        typer.echo(to_json({"run": str(paths.root), "data": data, **result.scores}))
        return
    show_scores({data: result.scores})
    if "per_class" in result.scores:
        from rich.console import Console

        from dltrain.evaluation.table import make_class_table, make_confusion_table

        console = Console(highlight=False)
        console.print(make_class_table(result.scores))
        console.print(make_confusion_table(result.scores))
    typer.echo(f"written to {result.written_to}")


def _show_details(details: Mapping[str, Any]) -> None:
    """Print the threshold, the slices and the differences between sensitive groups, if any."""
    from rich.console import Console

    from dltrain.evaluation.detail_tables import (
        describe_fairness,
        make_fairness_table,
        make_gap_table,
        make_slice_table,
        make_threshold_table,
    )

    console = Console(highlight=False)
    if details["threshold"]:
        console.print(make_threshold_table(details["threshold"]))
    for part in details["slices"]:
        console.print(make_slice_table(part))
        gaps = make_gap_table(part)
        if gaps is not None:
            console.print(gaps)
    for part in details["fairness"]:
        console.print(make_fairness_table(part))
        for line in describe_fairness(part):
            console.print(line, markup=False)


def _check_names(requirements: Sequence[Requirement], paths: RunPaths, split: SplitChoice) -> None:
    """Raise UsageError for a requirement that evaluating `split` can't answer.

    Of a run without a config, evaluating it will tell.
    """
    if not requirements or not paths.config.is_file():
        return
    from dltrain.evaluation.requirements import SPLITS, check_requirement_names
    from dltrain.training.resume import read_run_config

    info = read_run_config(paths).info
    check_requirement_names(
        requirements,
        task=info.task,
        class_names=info.class_names,
        splits=SPLITS,
        facts=_FACTS,
    )
    for requirement in requirements:
        if requirement.split not in (None, split.value):
            raise UsageError(
                f"--require '{requirement.text}': the rows evaluated are those of {split.value}.",
                hint=f"Add --split {requirement.split}.",
            )
