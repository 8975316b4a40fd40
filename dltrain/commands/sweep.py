"""`dltrain sweep`: search for the hyperparameters that a config's `sweep:` lets vary."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from dltrain.commands.data import DataDirOption, OfflineOption
from dltrain.commands.fit import DeviceChoice, DeviceOption
from dltrain.commands.options import SetOption
from dltrain.config.load import load_config
from dltrain.config.paths import parse_path
from dltrain.config.sweep import Sweep
from dltrain.errors import DltrainError, TrainingError, UsageError
from dltrain.runs.layout import DEFAULT_ROOT
from dltrain.runs.sweeps import SweepPaths, read_sweep_record, resolve_sweep

if TYPE_CHECKING:
    from typer._click import Context


class _RunByDefault(TyperGroup):
    """Take `dltrain sweep CONFIG` as `dltrain sweep run CONFIG`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Put `run` before what names no command."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Search for the best of what the `sweep:` of CONFIG lets vary: `dltrain sweep CONFIG`."
    "\n\n`dltrain sweep run --help` lists its options.",
)

RunsDirOption = Annotated[
    Path | None,
    typer.Option("--runs-dir", help="The folder that holds runs and sweeps [default: runs]."),
]
SweepArgument = Annotated[
    str, typer.Argument(metavar="SWEEP", help="NAME, NAME/sweep-0001, or a path.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("run")
def run(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)
    ] = None,
    overrides: SetOption = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="How many trials are trained at once.")
    ] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="A database for Optuna's study [default: a file beside the trials].",
        ),
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(
            "--join",
            metavar="URL",
            help="Train trials of a sweep that another process keeps in this database.",
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            metavar="NAME",
            help="With --join: which sweep of the database [default: the only unfinished one].",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the latest sweep of that name.")
    ] = False,
    runs_dir: RunsDirOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    data_dir: DataDirOption = None,
    offline: OfflineOption = False,
    no_report: Annotated[
        bool,
        typer.Option(
            "--no-report",
            envvar="DLTRAIN_NO_REPORT",
            help="Leave out report.html; `dltrain sweep report` makes it.",
        ),
    ] = False,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of every error.")
    ] = False,
) -> None:
    """Train the trials of CONFIG, keep the best, and score the test rows once."""
    from dltrain.shapes.infer import infer_shapes
    from dltrain.sweep.corners import check_space

    _refuse_mixture(config, join=join, study=study, storage=storage, resume=resume)
    shared = None
    if join is not None:
        from dltrain.sweep.joining import find_shared

        shared = find_shared(join, study)
        loaded = shared.load(overrides or ())
    else:
        assert config is not None
        loaded = load_config(config, overrides=overrides or ())
    if loaded.sweep is None:
        raise UsageError(
            f"{config} has no `sweep:`, so nothing varies.",
            hint="For example `sweep: {space: {optimizer.learning_rate: {log_uniform: [1e-4, "
            "1e-1]}}}`.",
        )
    _refuse_idle(overrides or (), loaded.sweep)
    infer_shapes(loaded).raise_any()
    checked = check_space(loaded)

    from dltrain.commands.sweep_view import SweepView
    from dltrain.data.store import is_offline, resolve_data_dir
    from dltrain.sweep.run import SweepListener, SweepOptions, run_sweep

    if not quiet:
        typer.echo(checked.describe(loaded.sweep), err=True)
        if shared is not None and (note := shared.describe_version()):
            typer.echo(note, err=True)
    try:
        paths, document = run_sweep(
            loaded,
            runs_root=runs_dir or DEFAULT_ROOT,
            options=SweepOptions(
                workers=workers,
                data_dir=resolve_data_dir(data_dir),
                offline=is_offline(offline),
                device=device.value,
                command_line=_describe_command_line(storage or join),
            ),
            storage=storage or join,
            join=shared.study if shared else None,
            resume=resume,
            listener=SweepListener() if quiet else SweepView(loaded.sweep, workers=workers),
        )
    except DltrainError as error:
        error.hint = error.hint.replace("--run-dir", "--runs-dir")  # what is said of a single run
        raise
    if not no_report:
        _make_page(paths, is_quiet=quiet)
    _print(paths, document, as_json=as_json)
    if document["best"] is None and document["state"] == "finished":
        reason = next((row["reason"] for row in document["trials"] if row["reason"]), "")
        raise TrainingError(
            f"Not one of {len(document['trials'])} trials ended well. The first: {reason}",
            hint=f"`dltrain sweep show {paths.root}` lists them.",
        )


def _refuse_mixture(
    config: Path | None, *, join: str | None, study: str | None, storage: str | None, resume: bool
) -> None:
    """Raise UsageError for arguments that don't go together."""
    for given, flag in ((storage, "--storage"), (join, "--join")):
        if given == "":
            raise UsageError(f"{flag} is empty.", hint="It takes the URL of a database.")
    if join is None and config is None:
        raise UsageError(
            "dltrain sweep needs a CONFIG, or --join URL.", hint="`dltrain sweep run --help`."
        )
    if join is None and study is not None:
        raise UsageError("--study goes with --join.", hint="It names a sweep in its database.")
    if join is None:
        return
    if config is not None:
        raise UsageError(
            f"{config} can't go with --join: the study has its config.",
            hint="Leave CONFIG out to join, or take --storage to begin a sweep in that database.",
        )
    for clashes, flag in ((storage is not None, "--storage"), (resume, "--resume")):
        if clashes:
            raise UsageError(
                f"{flag} can't go with --join.",
                hint="--join URL is all: it names the database, and goes on with what is left.",
            )


def _describe_command_line(url: str | None) -> list[str]:
    """Return how this was called, for the record of each trial, without the URL's password."""
    words = ["dltrain", *sys.argv[1:]]
    if url is None:
        return words
    from dltrain.sweep.storage import hide_password

    return [word.replace(url, hide_password(url)) for word in words]


@app.command("show")
def show(
    sweep: SweepArgument,
    runs_dir: RunsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the trials of SWEEP, best first, and where the best config is."""
    paths = resolve_sweep(sweep, root=runs_dir or DEFAULT_ROOT)
    document = read_sweep_record(paths)
    del document["format"]
    _print(paths, document, as_json=as_json)


@app.command("report")
def report(
    sweep: SweepArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write it; default: report.html of SWEEP."),
    ] = None,
    runs_dir: RunsDirOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite --output.")] = False,
) -> None:
    """Write report.html of SWEEP: one file with Optuna's plots and the trials."""
    from dltrain.commands.report import check_output
    from dltrain.sweep.page import write_sweep_page

    paths = resolve_sweep(sweep, root=runs_dir or DEFAULT_ROOT)
    if output is not None:
        check_output(output, force=force)
    typer.echo(write_sweep_page(paths, output=output))


def _make_page(paths: SweepPaths, *, is_quiet: bool) -> None:
    """Write report.html of a sweep that has ended; whatever goes wrong is told, nothing more."""
    from dltrain.sweep.plots import has_plotly

    again = f"dltrain sweep report {paths.root}"
    if not has_plotly():
        if not is_quiet:
            typer.echo(
                f"note: there is no page with plots: pip install 'dltrain[plotly]', then {again}",
                err=True,
            )
        return
    from dltrain.sweep.page import write_sweep_page

    try:
        write_sweep_page(paths)
    except DltrainError as error:
        typer.echo(f"warning: {error.message} The sweep is whole; afterwards: {again}", err=True)
    except Exception as error:  # a defect in a plot must not fail a search of hours
        typer.echo(
            f"warning: the page failed ({type(error).__name__}: {error}). The sweep is whole. "
            f"This is a defect of dltrain; see it by: {again}",
            err=True,
        )


def _refuse_idle(overrides: Sequence[str], sweep: Sweep) -> None:
    """Raise UsageError for a --set that every trial would overwrite."""
    for override in overrides:
        path = parse_path(override.partition("=")[0])
        for dimension in sweep.dimensions:
            if not dimension.when and path[: len(dimension.path)] == dimension.path:
                raise UsageError(
                    f"--set {override} has no effect: the sweep varies '{dimension.key}'.",
                    hint="Leave it out, or take that path out of sweep.space.",
                )


def _print(paths: SweepPaths, document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        from dltrain.runs.atomic import to_json

        report = str(paths.report) if paths.report.is_file() else None
        typer.echo(to_json({"sweep": str(paths.root), **document, "report": report}))
        return
    from dltrain.commands.sweep_table import show_sweep

    show_sweep(paths, document)
