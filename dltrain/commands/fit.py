"""`dltrain fit`: train the model of a config, and evaluate it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dltrain.commands.completion import complete_run
from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.junit_option import JunitOption, reporting_junit
from dltrain.commands.lint_view import describe_finding, show_findings
from dltrain.commands.options import SetOption, VerboseOption
from dltrain.commands.run_pages import NoReportOption, make_pages
from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import UsageError
from dltrain.evaluation.requirements import (
    Requirement,
    check_requirement_names,
    needed_splits,
    parse_requirement,
)
from dltrain.runs.layout import DEFAULT_ROOT, RunPaths
from dltrain.shapes.infer import infer_shapes

if TYPE_CHECKING:
    from dltrain.lint.finding import Finding


class DeviceChoice(StrEnum):
    """The devices that `--device` takes."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


RequireOption = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="EXPR",
        help='Exit with 5 unless it holds: "test.accuracy>=0.98"; may be repeated.',
    ),
]
DeviceOption = Annotated[
    DeviceChoice, typer.Option("--device", help="gpu fails where there is none; auto takes it.")
]


def fit(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)
    ] = None,
    overrides: SetOption = None,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", help="Where the run goes [default: runs/NAME/0001, 0002, …]."),
    ] = None,
    runs_dir: Annotated[
        Path | None,
        typer.Option("--runs-dir", help="The folder that holds numbered runs [default: runs]."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with a run that was interrupted.",
            autocompletion=complete_run,
        ),
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    seed: Annotated[int | None, typer.Option("--seed", help="Override seed.")] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Override training.epochs.")
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", min=0, help="Stop training so that all ends in that time."),
    ] = None,
    require: RequireOption = None,
    junit: JunitOption = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            "--repeats",
            min=2,
            metavar="N",
            help="Train with N seeds: mean and standard deviation; --require is on the mean.",
        ),
    ] = None,
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="Only try the config, on few rows and with no network."),
    ] = False,
    no_report: NoReportOption = False,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Train the model of CONFIG, keep the best, and evaluate it on validation and test."""
    begun = time.perf_counter()
    _refuse_contradictions(
        resume=resume, run_dir=run_dir, smoke=smoke, require=require, repeats=repeats
    )
    named = resume or (config.stem if config else "dltrain")
    with reporting_junit(junit, command="fit", name=named) as record:
        paths = _find_run(resume, runs_dir or DEFAULT_ROOT) if resume else None
        repeats = _count_repeats(paths, repeats)
        path = config or (paths.config if paths else None)
        if path is None:
            raise UsageError(
                "Expected a CONFIG to train, or --resume RUN to go on with a run.",
                hint="For example: dltrain fit configs/quickstart.yaml",
            )
        loaded = _load(path, paths, overrides=overrides or (), seed=seed, epochs=epochs)
        record.name = loaded.config.name
        infer_shapes(loaded).raise_any()  # at once, not after TensorFlow's start and the data
        # A run that goes on has been warned of, and its comments aren't kept.
        findings: Sequence[Finding] = ()
        if paths is None:
            from dltrain.lint.check import find_lints

            findings = find_lints(loaded)
            if not quiet:
                show_findings(findings)
                if loaded.sweep is not None:
                    note = "`sweep:` is left aside: this trains the values as they stand; "
                    typer.echo(f"{note}`dltrain sweep {path}` searches.", err=True)
        if smoke:
            from dltrain.commands.smoke import smoke_one

            smoke_one(
                loaded,
                path,
                run_dir=run_dir,
                runs_dir=runs_dir,
                device=device,
                data_dir=data_dir,
                as_json=as_json,
                quiet=quiet,
            )
            return
        requirements = _read_requirements(require, loaded)

        from dltrain.commands.fit_view import show_result
        from dltrain.commands.training_view import TrainingView
        from dltrain.data.store import is_offline, resolve_data_dir
        from dltrain.training.fit import fit as run_fit
        from dltrain.training.listener import Listener

        until = None if max_seconds is None else begun + max_seconds
        options: dict[str, Any] = {
            "data_dir": resolve_data_dir(data_dir),
            "runs_root": runs_dir or DEFAULT_ROOT,
            "run_directory": paths.root if paths else run_dir,
            "resume": paths is not None,
            "offline": is_offline(offline),
            "device": device.value,
            "score_train": "train" in needed_splits(requirements),
            "max_seconds": max_seconds,
            "begun": begun,
            "command_line": ["dltrain", *sys.argv[1:]],
            "findings": [describe_finding(finding) for finding in findings],
            "afterwards": None if no_report else partial(make_pages, until=until),
        }
        if repeats is not None:
            from dltrain.commands.repeats_view import run_repeats

            run_repeats(
                loaded,
                repeats=repeats,
                requirements=requirements,
                record=record,
                options=options,
                as_json=as_json,
                quiet=quiet,
            )
            return
        result = run_fit(loaded, **options, listener=Listener() if quiet else TrainingView())
        show_result(result, loaded, requirements, record, begun=begun, as_json=as_json, quiet=quiet)


def _read_requirements(texts: list[str] | None, loaded: LoadedConfig) -> list[Requirement]:
    requirements = [parse_requirement(text) for text in texts or ()]
    has_validation = loaded.config.dataset.validation_split > 0
    check_requirement_names(
        requirements,
        task=loaded.info.task,
        class_names=loaded.info.class_names,
        splits=("train", *(["validation"] if has_validation else []), "test"),
    )
    return requirements


def _find_run(run: str, runs_dir: Path) -> RunPaths:
    from dltrain.runs.find import resolve_run

    return resolve_run(run, root=runs_dir)


def _count_repeats(paths: RunPaths | None, asked: int | None) -> int | None:
    """Return how many repeats to train; None for a single run. Raises UsageError and RunError."""
    if paths is None:
        return asked
    from dltrain.runs.repeats import find_goal, holds_repeats

    if holds_repeats(paths):
        return find_goal(paths, asked)
    if asked is not None:
        raise UsageError(
            f"--repeats: {paths.root} is a single run, and can't get repeats.",
            hint="Leave --resume out: dltrain fit CONFIG --repeats N",
        )
    return None


def _load(path: Path, paths: RunPaths | None, **flags: Any) -> LoadedConfig:
    """Load the config at `path`; that of a run that goes on is held against the run's data."""
    if paths is None or path != paths.config:
        return load_config(path, **flags)
    from dltrain.training.resume import read_run_config

    return read_run_config(paths, **flags)


def _refuse_contradictions(
    *,
    resume: str | None,
    run_dir: Path | None,
    smoke: bool,
    require: list[str] | None,
    repeats: int | None,
) -> None:
    if resume and run_dir:
        raise UsageError(
            "--resume and --run-dir: a run goes on in its own directory.",
            hint="Leave --run-dir out.",
        )
    if smoke and resume:
        raise UsageError("--smoke and --resume: a smoke run tries a config, and resumes by itself.")
    if smoke and repeats:
        raise UsageError("--smoke and --repeats: a smoke run tries a config once.")
    if smoke and require:
        raise UsageError(
            "--smoke and --require: the numbers of a smoke run mean nothing.",
            hint="Leave one of them out.",
        )
