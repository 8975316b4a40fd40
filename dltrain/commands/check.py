"""`dltrain check`: is a config right? Without TensorFlow, in a fraction of a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dltrain.commands.fit import ConfigArgument, SetOption
from dltrain.commands.lint_view import count_warnings, describe_finding, show_findings
from dltrain.config.dump import dump_config
from dltrain.config.load import LoadedConfig, load_config
from dltrain.errors import ConfigError, Problem, UsageError
from dltrain.runs.atomic import to_json


def check(
    config: ConfigArgument,
    overrides: SetOption = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the whole config, defaults written out.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 if there is a warning.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check CONFIG and report every problem with its line, and what would train badly."""
    if as_json:
        _check_as_json(config, overrides or (), strict=strict)
        return
    from dltrain.lint.check import find_lints

    loaded = load_config(config, overrides=overrides or ())
    findings = find_lints(loaded)
    show_findings(findings)
    if strict and findings:
        typer.echo(f"{count_warnings(findings)}, and --strict allows none.", err=True)
        raise typer.Exit(UsageError.exit_code)
    if resolved:
        typer.echo(dump_config(loaded.config), nl=False)
        return
    typer.echo(
        f"{config} is right: {len(loaded.layers)} layers for {loaded.info.name}, "
        f"loss {loaded.targets.loss['type']}, optimizer {loaded.config.optimizer['type']}."
    )


def _check_as_json(config: Path, overrides: Sequence[str], *, strict: bool) -> None:
    """Print one document whether the config is right or wrong, with the same keys."""
    from dltrain.lint.check import find_lints

    loaded: LoadedConfig | None = None
    problems: Sequence[Problem] = ()
    try:
        loaded = load_config(config, overrides=overrides)
    except ConfigError as error:
        problems = error.problems
    except UsageError as error:  # no such file, or a directory
        problems = [Problem(str(config), 0, 0, "", error.message, error.hint)]
    findings = find_lints(loaded) if loaded else ()
    document = {
        "valid": loaded is not None,
        "problems": [_describe(problem) for problem in problems],
        "warnings": [describe_finding(finding) for finding in findings],
        "config": loaded.config.model_dump(mode="json") if loaded else None,
    }
    typer.echo(to_json(document))
    if loaded is None or (strict and findings):
        raise typer.Exit(UsageError.exit_code)


def _describe(problem: Problem) -> dict[str, Any]:
    """Return the JSON-able form; a problem of a flag has no line, and the flag as its file."""
    return {
        "file": problem.source,
        "line": problem.line or None,
        "column": problem.column or None,
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
    }
