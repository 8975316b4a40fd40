"""`dltrain check`: is a config right, and what are its layers? Without TensorFlow, at once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dltrain.commands.layer_table import describe_layers, describe_totals, draw_layers
from dltrain.commands.lint_view import count_warnings, describe_finding, show_findings
from dltrain.commands.options import ConfigArgument, SetOption
from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import ConfigError, DataError, Problem, RunError, UsageError
from dltrain.shapes.infer import infer_shapes
from dltrain.shapes.table import ShapeTable


def check(
    config: ConfigArgument,
    overrides: SetOption = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the whole config, defaults written out.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 if there is a warning.")
    ] = False,
    build: Annotated[
        bool,
        typer.Option("--build", help="Let Keras build the model as well; takes some seconds."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check CONFIG: every problem with its line, its layers, and what would train badly."""
    if as_json:
        _check_as_json(config, overrides or (), build=build, strict=strict)
        return
    from dltrain.lint.check import find_lints

    loaded = load_config(config, overrides=overrides or ())
    table, note = _mark_frozen(loaded, _make_table(loaded, build=build))
    sweep = _describe_sweep(loaded)
    findings = find_lints(loaded)
    show_findings(findings)
    if strict and findings:
        typer.echo(f"{count_warnings(findings)}, and --strict allows none.", err=True)
        raise typer.Exit(UsageError.exit_code)
    if resolved:
        typer.echo(dump_config(loaded.config, sweep=loaded.document.data.get("sweep")), nl=False)
        return
    typer.echo(
        f"{config} is right: {len(loaded.layers)} layers for {loaded.info.name}, "
        f"loss {loaded.targets.loss['type']}, optimizer {loaded.config.optimizer['type']}."
    )
    if loaded.config.dataset.type is not None:
        typer.echo(f"{loaded.config.dataset.path} holds {loaded.info.summary}.")
    if note:
        typer.echo(note)
    if sweep:
        typer.echo(sweep)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    typer.echo(draw_layers(table, width=width))


def _make_table(loaded: LoadedConfig, *, build: bool) -> ShapeTable:
    """Return the table of layers, by rule or from Keras. Raises ConfigError for what can't be."""
    if build:
        from dltrain.training.built_shapes import measure_built_shapes

        return measure_built_shapes(loaded)
    table = infer_shapes(loaded)
    table.raise_any()
    return table


def _mark_frozen(loaded: LoadedConfig, table: ShapeTable) -> tuple[ShapeTable, str]:
    """Return the table as it is in the first phase, and a note ("": none) on the weights.

    Raises ConfigError if the run that the model starts from has other layers.
    """
    model = loaded.config.model
    if model.from_run is None and model.pretrained is None and not loaded.config.training.phases:
        return table, ""
    from dltrain.runs.source_run import find_source
    from dltrain.shapes.frozen import mark_frozen

    try:
        source, note = find_source(loaded), ""
    except RunError as error:
        return mark_frozen(
            loaded, table, None
        ), f"model.from_run can't be looked at: {error.message}"
    if source is not None:
        note = f"{len(source.taken)} layers begin with the weights of {source.paths.root}."
    return mark_frozen(loaded, table, source.taken if source else None), note


def _describe_sweep(loaded: LoadedConfig) -> str:
    """Check the space of `sweep:`; return what it holds in a line, "" where there is none."""
    if loaded.sweep is None:
        return ""
    from dltrain.sweep.corners import check_space

    return check_space(loaded).describe(loaded.sweep)


def _check_as_json(config: Path, overrides: Sequence[str], *, build: bool, strict: bool) -> None:
    """Print one document whether the config is right or wrong, with the same keys."""
    from dltrain.lint.check import find_lints
    from dltrain.runs.atomic import to_json

    loaded: LoadedConfig | None = None
    table: ShapeTable | None = None
    problems: Sequence[Problem] = ()
    exit_code = UsageError.exit_code
    try:
        loaded = load_config(config, overrides=overrides)
        table, _ = _mark_frozen(loaded, _make_table(loaded, build=build))
        _describe_sweep(loaded)
    except ConfigError as error:
        table = None
        problems = error.problems
    except UsageError as error:  # no such file, or a directory
        problems = [Problem(str(config), 0, 0, "", error.message, error.hint)]
    except DataError as error:  # of one's own data, which the config names rightly
        problems = [Problem(str(config), 0, 0, "dataset", error.message, error.hint)]
        exit_code = error.exit_code
    findings = find_lints(loaded) if loaded else ()
    document = {
        "valid": table is not None,
        "problems": [_describe(problem) for problem in problems],
        "warnings": [describe_finding(finding) for finding in findings],
        "config": loaded.config.model_dump(mode="json") if loaded and table else None,
        "layers": describe_layers(table) if table else None,
        "totals": describe_totals(table) if table else None,
    }
    typer.echo(to_json(document))
    if table is None or (strict and findings):
        raise typer.Exit(exit_code)


def _describe(problem: Problem) -> dict[str, Any]:
    """Return the JSON-able form; a problem of a flag has no line, and the flag as its file."""
    return {
        "file": problem.source,
        "line": problem.line or None,
        "column": problem.column or None,
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
        "expected": problem.expected,
        "received": problem.received,
        "suggestion": problem.suggestion,
    }
