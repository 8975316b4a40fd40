"""`dltrain compare`: how do runs stand against one of them? Without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dltrain.commands.completion import complete_run
from dltrain.commands.options import RunsDirOption
from dltrain.errors import MachineError, UsageError
from dltrain.escaping import escape_unprintable
from dltrain.runs.atomic import to_json, write_text
from dltrain.runs.find import find_numbered_runs, resolve_run
from dltrain.runs.layout import DEFAULT_ROOT, RunPaths
from dltrain.runs.repeats import refuse_repeats

if TYPE_CHECKING:
    from dltrain.comparison.result import Comparison


class SplitChoice(StrEnum):
    """The splits that `--split` takes."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run directories, NAME/0001, or NAME for its latest run; one NAME alone: all its "
            "runs.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="RUN",
            help="The run to compare with. Default: the first.",
            autocompletion=complete_run,
        ),
    ] = None,
    split: Annotated[
        SplitChoice | None,
        typer.Option("--split", help="Which rows. Default: test, or else what the runs share."),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Test this one only, and sort many runs by it: f1, auc_roc, rmse, …",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Compare runs on different data too, without a test."),
    ] = False,
    runs_dir: RunsDirOption = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help="Write a row a run into FILE; - is stdout."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page with the curves of all runs overlaid."
        ),
    ] = None,
) -> None:
    """Compare runs: numbers, whether they differ by more than chance, configs, cost.

    The exit code is 0 whether they differ or not.
    """
    if as_json and csv == "-":
        raise UsageError("--json and --csv -: both write to stdout.", hint="Give --csv a file.")
    paths, first = _find_runs(runs, baseline, runs_dir)
    for option, file in (
        ("--csv", None if csv in (None, "-") else Path(csv or "")),
        ("--html", html),
    ):
        _check_place(option, file)
    from dltrain.comparison.compare import compare_runs
    from dltrain.comparison.metrics import parse_metric

    comparison = compare_runs(
        paths,
        baseline=first,
        split=split.value if split else None,
        metric=parse_metric(metric) if metric else None,
        force=force,
    )
    _show(comparison, as_json=as_json, csv=csv, html=html)


def _find_runs(
    given: Sequence[str], baseline: str | None, runs_dir: Path
) -> tuple[list[RunPaths], int]:
    """Return the runs to compare and the place of the baseline among them."""
    numbered = find_numbered_runs(given[0], root=runs_dir) if len(given) == 1 else []
    paths = numbered or [resolve_run(name, root=runs_dir) for name in given]
    place = 0
    roots = [path.root.resolve() for path in paths]
    if baseline is not None:
        chosen = resolve_run(baseline, root=runs_dir)
        if chosen.root.resolve() in roots:
            place = roots.index(chosen.root.resolve())
        else:
            paths, roots = [chosen, *paths], [chosen.root.resolve(), *roots]
    for path in paths:
        refuse_repeats(path, doing="compared")
    for path, root in zip(paths, roots, strict=True):
        if roots.count(root) > 1:
            raise UsageError(f"{path.label} is named twice; expected runs that are different.")
    if len(paths) < 2:
        raise UsageError(
            f"{paths[0].label} is one run: there is nothing to compare it with.",
            hint=f"Name a second one, or `dltrain compare {paths[0].name}` for all runs of a name."
            if not numbered
            else "Name a run of another name beside it; `dltrain runs` lists them.",
        )
    return paths, place


def _check_place(option: str, file: Path | None) -> None:
    """Raise UsageError if there can be no such file; the comparison may take a while."""
    if file is None:
        return
    if file.is_dir():
        raise UsageError(f"{option}: {file} is a directory; expected the path of a file.")
    if not file.parent.is_dir():
        raise UsageError(f"{option}: there is no directory {file.parent}.")


def _show(comparison: Comparison, *, as_json: bool, csv: str | None, html: Path | None) -> None:
    from dltrain.comparison.document import to_csv, to_document

    if csv is not None and csv != "-":
        _write(Path(csv), to_csv(comparison))
    if html is not None:
        from dltrain.report.comparison_page import make_comparison_page

        _write(html, make_comparison_page(comparison))
    if as_json:
        typer.echo(to_json(to_document(comparison)))
    elif csv == "-":
        typer.echo(to_csv(comparison), nl=False)
    else:
        from dltrain.commands.compare_view import print_comparison

        print_comparison(comparison)
    from dltrain.comparison.words import list_notes

    for note in list_notes(comparison):
        # It may quote a config, or a folder's name.
        typer.echo(f"note: {escape_unprintable(note)}", err=True)


def _write(file: Path, text: str) -> None:
    try:
        write_text(file, text)
    except MachineError as error:  # its hint speaks of the folder of a run
        raise MachineError(error.message) from error
    typer.echo(f"written to {file}", err=True)
